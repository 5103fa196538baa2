"""Our own JSON: one planogram, or several in one file; and its schema. Pure: bytes in and out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from planograms.errors import BadPlanogram
from planograms.model import PLANOGRAM_JSON, Planogram
from storepulse.wire import explain


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """Several planograms in one file."""

    format: Literal["storepulse.planograms/1"] = "storepulse.planograms/1"
    planograms: tuple[Planogram, ...]


_SEVERAL_JSON: TypeAdapter[Several] = TypeAdapter(Several)


def read_own(content: bytes, *, name: str, made_at: datetime) -> tuple[Planogram, ...]:  # noqa: ARG001
    """All planograms of a file.

    Raises:
        BadPlanogram: says which field and what is allowed; then nothing is read.
    """
    try:
        if b'"storepulse.planograms/1"' in content[:4096]:
            return _SEVERAL_JSON.validate_json(content).planograms
        return (PLANOGRAM_JSON.validate_json(content),)
    except ValidationError as error:
        raise BadPlanogram(f"{name}: {' '.join(explain(error).split())}") from error


def write_own(planograms: Sequence[Planogram]) -> bytes:
    """One file of some planograms; of one alone it is that planogram's."""
    if len(planograms) == 1:
        return PLANOGRAM_JSON.dump_json(planograms[0], indent=1)
    return _SEVERAL_JSON.dump_json(Several(planograms=tuple(planograms)), indent=1)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one planogram."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "storepulse.planogram/1",
        **PLANOGRAM_JSON.json_schema(),
    }


def schema_as_text() -> str:
    """The same as people and programs read it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False)

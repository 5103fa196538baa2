"""What one photo shows, as values. Finds nothing itself.

All boxes are x1, y1, x2, y2 in pixels of the photo as a viewer shows it (EXIF orientation applied),
x to the right, y down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the upright photo."""

Verdict = Literal["usable", "refused"]


@dataclass(frozen=True, slots=True)
class Facing:
    """One visible front of a product."""

    box_xyxy_px: Box
    score: float
    row: int | None = None
    """Index into `Observation.rows`; 0 is the lowest shelf. None: on no row that was found."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Bare shelf where a facing could be."""

    box_xyxy_px: Box
    score: float
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One shelf row: the line on which its front products stand, left to right."""

    index: int
    """0 is the lowest shelf."""
    line_xyxy_px: Box
    height_px: float
    """Typical height of its facings."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A price tag on the shelf's edge, as far as it could be read."""

    box_xyxy_px: Box
    price: Decimal
    """What it most likely asks for."""
    score: float
    """How sure the reading of its digits is, 0 to 1."""
    readings: tuple[Decimal, ...] = ()
    """All that the printing can mean, the likelier first: 1290 is 1290 or 12.90."""
    currency: str | None = None
    """ISO 4217; None: no sign, or one that several countries use."""
    gtin: str | None = None
    """The product's number, where a bar code on it could be read."""
    facings: tuple[int, ...] = ()
    """Indices into `Observation.facings`: those above it that no other tag is nearer to."""


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """The photo itself, and whether it can be judged."""

    file: str
    width: int
    height: int
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    """Why it was refused, and what to do; empty for a usable one."""
    codes: tuple[str, ...] = ()
    """The same as keys of `vision.verdict.SENTENCES`, for who tells it in another language."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Which detector saw it."""

    name: str
    version: str
    input_px: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one photo shows. A refused photo has no facings, gaps or rows."""

    photo: PhotoFacts
    facings: tuple[Facing, ...] = ()
    doubtful: Annotated[tuple[Facing, ...], Field(exclude=True)] = ()
    """Half-seen facings, which count nowhere: told where they were asked for, best first."""
    gaps: tuple[Gap, ...] = ()
    rows: tuple[Row, ...] = ()
    tags: tuple[Tag, ...] | None = None
    """Price tags, left to right. None: nobody has read them (yet); prices are a second answer."""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """Stage -> milliseconds; "total" from bytes to observation."""
    model: ModelFacts


OBSERVATION_JSON: TypeAdapter[Observation] = TypeAdapter(Observation)
_FACINGS_JSON: TypeAdapter[tuple[Facing, ...]] = TypeAdapter(tuple[Facing, ...])


def told(seen: Observation) -> dict[str, Any]:
    """An observation as JSON values, with the doubtful facings among the others.

    Each facing then says whether it is `counted`; a doubtful one stands on no row.
    """
    plain: dict[str, Any] = OBSERVATION_JSON.dump_python(seen, mode="json")
    doubtful = _FACINGS_JSON.dump_python(seen.doubtful, mode="json")
    plain["facings"] = [
        *({**facing, "counted": True} for facing in plain["facings"]),
        *({**facing, "counted": False} for facing in doubtful),
    ]
    return plain

"""What the judging child is asked and what it answers, as values. Runs no model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

from pydantic import TypeAdapter, ValidationError

from edge.errors import JudgeBroke, UnreadablePhoto, UnusablePlan
from planograms.findings import Box, Status
from planograms.rounds import OF_NO_ROUND, Within
from storepulse.checklists import CHECKLIST_JSON, Checklist
from storepulse.errors import BadInput
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import explain

_REFUSALS: Final[Mapping[str, type[BadInput]]] = {
    "UnreadablePhoto": UnreadablePhoto, "BadPlanogram": UnusablePlan,
}  # fmt: skip
"""What the child refuses, by its class there: a page knows words for each in its language."""
_FACTS: TypeAdapter[tuple[Fact, ...]] = TypeAdapter(tuple[Fact, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One judged photo; a refused one has no checklist."""

    body: dict[str, Any]
    """For the phone: observation in short, findings, scores, checklist."""
    checklist: Checklist | None
    facts: tuple[Fact, ...]
    positions: Mapping[str, Status]
    """How each planned position stands, by its id."""
    rights: Mapping[str, float | None] = field(default_factory=dict)
    """Of each planned position, the probability of being right; None: out of view."""
    unchanged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By checklist the items whose place looks as it did on that checklist's photo."""
    signature: bytes = b""
    """The photo from afar (`planograms.after`)."""
    taken: str | None = None
    """When its camera says it was taken."""
    priced: Mapping[str, Any] | None = None
    """The whole judgement, where its plan has prices to be held against the tags; None: it has
    none, or the photo is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoBefore:
    """An earlier photo of a bay, and where on it something was to be mended."""

    checklist: str
    photo: Path
    """Its kept copy."""
    places: Mapping[str, Box]
    """By item, in pixels of the photo as a viewer shows it."""
    width: int
    """Of that photo as a viewer shows it."""


class Asks(Protocol):
    """A child that answers (`edge.workers.AskedWorker`)."""

    async def ask(self, header: dict[str, Any], body: bytes = b"") -> dict[str, Any]:
        """Ask it. Raises `Unavailable` when it gives no answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A photo to be judged and kept."""

    uuid: str
    bay: str
    at: datetime
    """When it came."""
    photo: Path
    """As the phone sent it."""
    planogram: Path
    kept: Path
    """Where its blurred copy goes."""
    annotated: Path
    """Where the drawing on the blurred copy goes."""
    anchors: Path
    """Where the image features around the checklist's items go (`planograms.anchors`)."""
    within: Within = OF_NO_ROUND
    """The round that it belongs to, and what earlier photos of it showed of the bay."""
    before: tuple[PhotoBefore, ...] = ()
    """Earlier photos of the bay, of which something is still to be mended."""
    resting: tuple[str, ...] = ()
    """SKUs of which nothing is asked at this bay today."""


class Judge:
    """Asks the child to judge photos for one node, and to write the pictures that stay."""

    def __init__(self, child: Asks, address: Address) -> None:
        self._child = child
        self._address = address

    async def judge(self, asked: Asked) -> Judged:
        """Have a photo judged.

        Raises:
            BadInput: the photo or the planogram cannot be used; the child's own words.
            JudgeBroke: the child failed at this photo, or its answer cannot be read.
            Unavailable: the child did not answer.
        """
        return read_answer(await self._ask("judge", asked))

    async def keep(self, asked: Asked) -> None:
        """Have its two pictures written; on return they are on the disk. Raises as `judge`."""
        await self._ask("keep", asked)

    async def _ask(self, what: str, asked: Asked) -> dict[str, Any]:
        answer = await self._child.ask(
            {
                "do": what,
                "photo": str(asked.photo),
                "uuid": asked.uuid,
                "bay": asked.bay,
                "planogram": str(asked.planogram),
                "kept": str(asked.kept),
                "annotated": str(asked.annotated),
                "anchors": str(asked.anchors),
                "shop": self._address.shop,
                "source": self._address.path,
                "at": asked.at.isoformat(),
                "round": asked.within.round,
                "earlier": dict(asked.within.earlier),
                "before": [
                    {
                        "checklist": one.checklist,
                        "photo": str(one.photo),
                        "width": one.width,
                        "places": {name: list(box) for name, box in one.places.items()},
                    }
                    for one in asked.before
                ],
                "resting": list(asked.resting),
            }
        )
        if "error" in answer:
            if answer.get("bad_input"):
                kind = _REFUSALS.get(str(answer.get("kind", "")), BadInput)
                raise kind(str(answer["error"]))
            raise JudgeBroke(str(answer["error"]))
        return answer


def read_answer(answer: dict[str, Any]) -> Judged:
    """Read the child's answer. Raises `JudgeBroke` when it is not of the agreed form."""
    try:
        judgement = answer["judgement"]
        told = answer.get("checklist")
        checklist = None if told is None else CHECKLIST_JSON.validate_python(told, strict=False)
        facts = _FACTS.validate_python(answer["facts"], strict=False)
        observation = judgement["observation"]
        photo = observation["photo"]
        positions = {one["id"]: one["status"] for one in judgement["positions"]}
        rights = {one["id"]: one.get("right") for one in judgement["positions"]}
        unchanged = {name: frozenset(items) for name, items in answer.get("unchanged", {}).items()}
        body = {
            "planogram": {
                "id": judgement["planogram"],
                "version": judgement["planogram_version"],
            },
            "observation": {
                "verdict": observation["photo"]["verdict"],
                # As codes: the page says them in the clerk's language.
                "reasons": photo.get("codes") or photo["reasons"],
                "width": observation["photo"]["width"],
                "height": observation["photo"]["height"],
                "facings": len(observation["facings"]),
                "gaps": len(observation["gaps"]),
                "rows": len(observation["rows"]),
                "timings_ms": observation["timings_ms"],
                "model": observation["model"],
            },
            "findings": judgement["findings"],
            "positions": positions,
            "scores": judgement["scores"],
            "checklist": told,
        }
    except ValidationError as error:
        raise JudgeBroke(f"the judge's answer cannot be read: {explain(error)}") from error
    except (KeyError, TypeError) as error:
        raise JudgeBroke(f"the judge's answer lacks {error}") from error
    return Judged(
        body=body, checklist=checklist, facts=facts, positions=positions, rights=rights,
        unchanged=unchanged,
        signature=bytes.fromhex(answer.get("signature", "")), taken=answer.get("taken"),
        priced=judgement if answer.get("priced") and checklist is not None else None,
    )  # fmt: skip

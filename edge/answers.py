"""What the node's API answers, as types: phones read them by a generated client. Reads nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from edge.closing import Closed
from edge.second_answers import PriceAnswer
from planograms.findings import Finding, Status
from planograms.scores import Scores
from storepulse.checklists import Checklist, ChecklistItem, ItemState


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem(ChecklistItem):
    """An item and how it stands."""

    state: ItemState
    reason: str
    marked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChecklist:
    """A checklist and how its items stand."""

    id: str
    shop: str
    bay: str
    photo: str
    planogram: str
    planogram_version: int
    made_at: datetime
    items: tuple[ShownItem, ...]
    model: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanogramVersion:
    """By which planogram a photo was judged."""

    id: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInShort:
    """What the photo shows, in short; a refused photo has `reasons`, as codes (too_dark, blurred,
    glare, too_tilted, too_far, cut_off, screen, no_shelf, too_small)."""

    verdict: str
    reasons: tuple[str, ...]
    width: int
    height: int
    """Of the photo as a viewer shows it: the boxes below lie on it."""
    facings: int
    gaps: int
    rows: int
    timings_ms: Mapping[str, float]
    model: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPhoto:
    """The answer to a photo. `checklist` is null for a refused one."""

    photo: str
    bay: str
    received_at: datetime
    judged_at: datetime
    planogram: PlanogramVersion
    observation: SeenInShort
    findings: tuple[Finding, ...]
    positions: Mapping[str, Status]
    """How each planned position stands, by its id."""
    scores: Scores
    checklist: Checklist | None
    prices: PriceAnswer | None = None
    """The second answer: null where the plan has no prices, or nobody reads tags here. While it is
    coming, ask for the photo again."""
    closed: Closed | None = None
    """What it did to the bay's earlier checklists; null for a refused one."""
    photo_url: str
    annotated_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPhoto:
    """A photo that has no answer yet."""

    photo: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorWords:
    """What went wrong, in words, and whether asking again helps."""

    code: str
    message: str
    retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorAnswer:
    """The one shape of every error."""

    error: ErrorWords


JUDGED_PHOTO_JSON: TypeAdapter[JudgedPhoto] = TypeAdapter(JudgedPhoto)

"""A checklist: what a clerk should mend at a bay, in walking order. Finds nothing itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import TypeAdapter

FindingKind = Literal[
    "missing", "wrong_product", "misplaced", "short", "extra", "unexpected", "wrong_price"
]
"""How one place of a shelf can differ from its planogram."""

ItemState = Literal["open", "done", "cannot_do", "not_true", "confirmed", "reopened"]


@dataclass(frozen=True, slots=True)
class Sentence:
    """The same words in the languages of our users."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One thing to mend.

    `box_xyxy_px` lies on the judged photo as a viewer shows it; `anchor_mm` is the same place on
    the planogram (x from the left end of the bay, y from its foot), where the planogram has sizes.
    """

    id: str
    kind: FindingKind
    sentence: Sentence
    box_xyxy_px: tuple[float, float, float, float]
    confidence: float
    position: str | None = None
    sku: str | None = None
    row: int | None = None
    """Shelf, 0 is the lowest."""
    facings: int = 1
    main_push: bool = False
    value_a_day: float | None = None
    """What the finding costs a day, in the chain's currency, where price and velocity are known."""
    anchor_mm: tuple[float, float] | None = None
    positions: tuple[str, ...] = ()
    """All planned positions that it is about: a run of missing facings has several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The items of one photo, in the order in which a clerk walks. Made on the node."""

    id: str
    shop: str
    bay: str
    photo: str
    """UUID of the photo, made on the phone."""
    planogram: str
    planogram_version: int
    made_at: datetime
    items: tuple[ChecklistItem, ...]
    model: str = ""
    """NAME@VERSION of the detector that saw it: verdicts are told apart by it."""
    method: str = ""
    """Of the judgement, e.g. planograms.judge/2."""

    def __post_init__(self) -> None:
        if self.made_at.tzinfo is None:
            raise ValueError("made_at needs a time zone")
        ids = [item.id for item in self.items]
        if len(set(ids)) != len(ids):
            raise ValueError(f"checklist {self.id} names an item twice")


CHECKLIST_JSON: TypeAdapter[Checklist] = TypeAdapter(Checklist)

"""The values of a comparison: how each position stands, and the findings. Compares nothing."""

from dataclasses import dataclass
from typing import Literal

from storepulse.checklists import FindingKind

Box = tuple[float, float, float, float]

Status = Literal[
    "ok", "missing", "wrong_product", "misplaced", "short", "unobserved", "unsure"
]  # fmt: skip
"""`misplaced`: a product that belongs elsewhere on this planogram, and lacks there, stands here.
`short`: the planned position has several facings, and others of them are in place. `unsure`: in
view, but the photo does not tell; take a close-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionState:
    """How one planned position stands on the photo."""

    id: str
    sku: str
    """Of the planned product."""
    status: Status
    box_xyxy_px: Box | None
    """Where it is, or should be, on the photo; None for unobserved."""
    right: float | None
    """Probability that the planned product stands there; None for unobserved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One deviation.

    `wrong_price` comes with the second answer, when the tags were read (`planograms.prices`). How
    many stand behind the front a photo does not show: `short` is about facings.
    """

    kind: FindingKind
    box_xyxy_px: Box
    """What stands wrong, or where the missing facing should stand."""
    confidence: float
    """Probability that the deviation is there, as far as this photo tells."""
    sku: str | None
    """The planned product; for `extra` the one that is too many; None for `unexpected`."""
    position: str | None
    """The planned position; None for `extra` and `unexpected`."""
    seen: str | None = None
    """The product that stands there instead, where the planogram knows it."""

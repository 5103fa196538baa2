"""What a later photo of a bay says of an earlier checklist: fixed, or not after all. Pure.

A photo that is the earlier one again, or is older, says nothing: it shows the shelf of before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import cv2
import numpy as np

from planograms.findings import Status
from planograms.pictures import Pixels
from storepulse.checklists import ChecklistItem, ItemState

CELLS: Final = 48
"""Of a signature, each way: a facing of a dense bay fills about one."""
ALIKE_LEVELS: Final = 8
"""Grey levels. Of 30 photos, packed again (quality 50) or at 0.43 of their size, no cell but four
differs by more than 7.9; moved by 0.3 % of their sides, all differ by 17 or more."""
_CELLS_PASSED_OVER: Final = 4
"""The most different ones: a sharp edge on the border of two cells moves with the scale."""

AfterState = Literal["confirmed", "reopened"]
_WRONG: Final[frozenset[Status]] = frozenset({"missing", "wrong_product", "misplaced", "short"})


@dataclass(frozen=True, slots=True)
class AfterMark:
    """How an item of the earlier checklist stands now."""

    item: str
    state: AfterState


def marks_after(
    items: Sequence[tuple[ChecklistItem, ItemState]], positions: Mapping[str, Status]
) -> tuple[AfterMark, ...]:
    """What a later photo says of the items of an earlier checklist.

    Args:
        items: each with how it stands.
        positions: how each planned position stands on the later photo.
    Returns:
        Confirmed: every position of it is seen, and right. Reopened: a clerk ticked it, and one of
        its positions is seen, and wrong. What is out of view or unsure, what stands at no planned
        position, what a tag asks for, and what a clerk called untrue or impossible stays as it is.
        So does what was confirmed: what goes wrong afterwards is a finding of its own.
    """
    out = []
    for item, state in items:
        seen = [positions.get(place, "unobserved") for place in item.positions]
        if item.kind == "wrong_price":
            continue  # where products stand says nothing of what the tag asks for
        if not seen or state in ("not_true", "cannot_do", "confirmed"):
            continue
        if all(status == "ok" for status in seen):
            out.append(AfterMark(item.id, "confirmed"))
        elif state == "done" and any(status in _WRONG for status in seen):
            out.append(AfterMark(item.id, "reopened"))
    return tuple(out)


def signature(rgb: Pixels) -> bytes:
    """What a photo looks like from afar: CELLS x CELLS grey levels, one byte each."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (CELLS, CELLS), interpolation=cv2.INTER_AREA).tobytes()


def is_same(one: bytes, other: bytes) -> bool:
    """Whether two signatures are of one photo, packed or scaled otherwise.

    A second exposure is another photo, though nothing was touched: no hand holds a phone so still
    that not one cell changes. One from a tripod, of an untouched shelf, counts as the same; there
    is nothing that it could close.
    """
    if len(one) != CELLS * CELLS or len(other) != CELLS * CELLS:
        return False
    first, second = (np.frombuffer(each, np.uint8).astype(np.int16) for each in (one, other))
    return bool(np.sort(np.abs(first - second))[-1 - _CELLS_PASSED_OVER] <= ALIKE_LEVELS)


def is_older(taken: str | None, than: str | None) -> bool:
    """Whether a photo was taken before another one, by what their cameras say.

    Args:
        taken: `vision.photos.Photo.taken`; where either says none, or only one says its time zone,
            nobody can tell, and it is not.
    """
    first, second = _moment(taken), _moment(than)
    if first is None or second is None or (first.tzinfo is None) != (second.tzinfo is None):
        return False
    return first < second


def _moment(taken: str | None) -> datetime | None:
    for form in ("%Y:%m:%d %H:%M:%S %z", "%Y:%m:%d %H:%M:%S"):
        try:
            return datetime.strptime(taken or "", form)  # noqa: DTZ007
        except ValueError:
            continue
    return None

"""The demo's shelf: a photo, its planogram, and a second exposure without three main-push packs.

Which product is the main push one, and which packs are erased, follows from a rule on what was
seen; nothing is set by hand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from planograms.files import read_planogram, write_planogram
from planograms.findings import PositionState
from planograms.from_photo import planogram_from_photo
from planograms.judge import judge_observation, prepare
from planograms.model import Planogram, Position
from storepulse.demo.children import StageFailed
from storepulse.simulated.exposures import Box, erase_facings, expose_again, map_boxes
from storepulse.simulated.shelves import draw_shelf
from vision.look import Looker
from vision.observation import Observation
from vision.photos import Photo

ERASED: Final = 3
FACINGS_WANTED: Final = (7, 6, 5, 4, 8, 9, 3)
"""How many facings the main-push product should have, best first. Three less than 10 of them leave
under 70 %, the limit of red; with 8 or 9 it is close."""
_OVERLAP_FOUND: Final = 0.5
"""A finding is that of an erased pack if it shares so much of its box (intersection over union)."""
_EDGE_SHARE: Final = 0.06
"""So near to the photo's edge a pack may leave the view of the second exposure."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What is pushed, and which of its positions are erased."""

    products: tuple[str, ...]
    """One, where a product has enough facings; else those of the erased positions."""
    facings: int
    """Planned facings of these products."""
    erased: tuple[str, ...]
    """Ids of positions, side by side in one row."""


@dataclass(frozen=True, slots=True)
class LookedAt:
    """The first photo, its planogram, and what is to be done to it."""

    photo: Photo
    observation: Observation
    plan: Planogram
    plan_file: Path
    states: tuple[PositionState, ...]
    """How the first photo itself stands against the plan."""
    choice: Choice


def photo_of(given: Path | None, folder: Path, *, seed: int) -> Path:
    """The photo to start from: the given one, or a drawn shelf in `folder`."""
    if given is not None:
        return given
    path = folder / "shelf-simulated.png"
    _write_picture(path, draw_shelf(seed).rgb)
    return path


def plan_of(
    photo: Path, given: Path | None, folder: Path, *, bay: str, now: datetime, looker: Looker
) -> LookedAt:
    """Look at the photo, make its planogram (or take the given one), and choose what is pushed.

    Raises:
        BadInput: photo or planogram cannot be used.
        StageFailed: no three facings stand side by side that were well seen.
    """
    read, observation = looker.look_at(photo)
    if given is None:
        plan = planogram_from_photo(read, observation, id="demo", bay=bay, made_at=now)
    else:
        plan = replace(read_planogram(given), bay=bay)
    states = judge_observation(read, observation, prepare(plan)).positions
    choice = choose_main_push(plan, states, width=read.width, height=read.height)
    marked = tuple(
        replace(product, main_push=product.id in choice.products) for product in plan.products
    )
    plan = replace(plan, products=marked)
    file = folder / "planogram.json"
    write_planogram(file, plan)
    return LookedAt(read, observation, plan, file, states, choice)


def choose_main_push(
    plan: Planogram, states: Sequence[PositionState], *, width: int, height: int
) -> Choice:
    """Choose what is pushed and erased: three facings side by side, seen in place, well in view.

    Best are three of one product, from the middle of its run, and a product whose number of
    facings leaves under 70 % when three are gone. Where no product has three side by side, the
    products of three neighbours are pushed together. A planogram that marks main-push products
    already is asked for those alone.

    Raises:
        StageFailed: there are no such three.
    """
    state = {one.id: one for one in states}
    facings = Counter(position.product for position in plan.positions)
    best: tuple[tuple[float, ...], Choice] | None = None
    for places in _neighbours(plan.in_order, ERASED):
        products = tuple(sorted({place.product for place in places}))
        total = sum(facings[product] for product in products)
        marked = not plan.main_push or plan.main_push.issuperset(products)
        in_place = all(
            state[place.id].status == "ok" and _inside(state[place.id].box_xyxy_px, width, height)
            for place in places
        )
        if total not in FACINGS_WANTED or not marked or not in_place:
            continue
        pushed = [place for place in plan.in_order if place.product in products]
        lost = sum(not _inside(state[place.id].box_xyxy_px, width, height) for place in pushed)
        sure = sum(state[place.id].right or 0.0 for place in pushed) / len(pushed)
        middle = sum(place.index for place in pushed) / len(pushed)
        off_middle = abs(places[1].index - middle)
        rank = (len(products), lost, FACINGS_WANTED.index(total), -round(sure, 3), off_middle)
        if best is None or rank < best[0]:
            best = rank, Choice(products, total, tuple(place.id for place in places))
    if best is None:
        raise StageFailed(
            "no three facings stand side by side on this photo that were seen in place and whose "
            f"products have {min(FACINGS_WANTED)} to {max(FACINGS_WANTED)} facings: give a photo "
            "of a well-kept shelf, taken from the front"
        )
    return best[1]


def _neighbours(positions: Sequence[Position], count: int) -> Iterator[tuple[Position, ...]]:
    """All runs of so many neighbours in one row, from the lowest row and the left."""
    for first in range(len(positions) - count + 1):
        some = tuple(positions[first : first + count])
        if some[0].row == some[-1].row and some[-1].index - some[0].index == count - 1:
            yield some


def _inside(box: Box | None, width: int, height: int) -> bool:
    if box is None:
        return False
    x, y = _EDGE_SHARE * width, _EDGE_SHARE * height
    return box[0] > x and box[1] > y and box[2] < width - x and box[3] < height - y


def second_exposure(
    looked_at: LookedAt, folder: Path, *, seed: int
) -> tuple[Path, tuple[Box, ...]]:
    """Erase the chosen packs and photograph the shelf again.

    Returns:
        The second photo's file, and where on it the erased packs would be.
    """
    photo = looked_at.photo
    box_of = {state.id: state.box_xyxy_px for state in looked_at.states}
    boxes: list[Box] = []
    for place in looked_at.choice.erased:
        box = box_of[place]
        assert box is not None, "only positions in view are chosen"
        boxes.append(_scaled(box, photo.scale))
    second = expose_again(erase_facings(photo.rgb, boxes, seed=seed), seed=seed)
    path = folder / "second-exposure-simulated.jpg"
    _write_picture(path, second.rgb)
    return path, tuple(map_boxes(boxes, second.homography))


def _scaled(box: Box, scale: float) -> Box:
    return (box[0] * scale, box[1] * scale, box[2] * scale, box[3] * scale)


def erased_found(findings: Iterable[dict[str, object]], erased_px: Sequence[Box]) -> int:
    """How many of the erased packs the node calls missing: by place on the photo, each once."""
    told = [finding["box_xyxy_px"] for finding in findings if finding["kind"] == "missing"]
    return sum(
        any(_overlap(box, tuple(one)) >= _OVERLAP_FOUND for one in told)  # type: ignore[arg-type]
        for box in erased_px
    )


def _overlap(a: Box, b: Box) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or tall <= 0:
        return 0.0
    both = wide * tall
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def _write_picture(path: Path, rgb: np.ndarray) -> None:
    options = [cv2.IMWRITE_JPEG_QUALITY, 92] if path.suffix == ".jpg" else []
    if not cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]), options):
        raise StageFailed(f"{path} cannot be written")

"""Second photos with known truth, judged: simulated from one photo, or a real pair. Scores none.

Simulated: both photos are views of one shelf picture, so both cut packs at their edges; shelves,
goods, light and camera move between them (`storepulse.simulated.second_photos`). Real: two photos
of one shelf, the second one also with some facings erased.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from planograms.compare import Comparison
from planograms.errors import NoShelf
from planograms.findings import Finding
from planograms.from_photo import planogram_from_photo, rows_for
from planograms.judge import Prepared, compare_observation, prepare
from planograms.model import Planogram
from storepulse.eval.exposures import Eyes
from storepulse.simulated.second_photos import (
    CONDITIONS,
    Changes,
    Condition,
    second_photo,
    view_of,
)
from vision.geometry import Boxes, boxes_of, iou, mapped_boxes
from vision.observation import Observation
from vision.photos import Photo

Ints = npt.NDArray[np.int64]

ERASED: Final = 4
SCORE_MIN: Final = 0.4
FACINGS_MIN: Final = 15
HIDDEN_MAX: Final = 0.1
"""Only facings that the second photo shows to nine tenths are changed."""
_CHANGED: Final = ERASED + 3
MADE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A planogram has a date; no figure depends on it."""


@dataclass(frozen=True)
class Case:
    """One second photo, judged, and what is true of it."""

    photo: str
    condition: str
    planogram: Planogram
    told: Comparison
    facing_of: Ints
    """(n,) the true facing of each planned position, in order; -1 where none is known."""
    erased: frozenset[int]
    """Facings that are gone."""
    replaced: frozenset[int]
    """Facings in whose place another product stands."""
    doubtful: frozenset[int]
    """Facings in whose place a look-alike of another place stands: neither right nor wrong."""
    places_px: Boxes
    """(m, 4) where each facing's place is on the second photo."""

    @property
    def changed(self) -> frozenset[int]:
        """Facings of which something should be said."""
        return self.erased | self.replaced

    def right(self, finding: Finding) -> bool | None:
        """Whether a finding is right; None where the truth does not tell.

        Within a run of one product any position may count as the missing one.
        """
        plan = self.planogram
        if finding.position is None:
            near = self._near(finding, self.replaced | self.doubtful, 0.3)
            return None if near else False
        order = [position.id for position in plan.in_order]
        at = order.index(finding.position)
        facing = int(self.facing_of[at])
        if facing in self.changed:
            return True
        if facing in self.doubtful:
            return None
        if self._run_lost_one(at):
            return True
        return None if self._near(finding, self.changed | self.doubtful, 0.4) else False

    def found(self) -> frozenset[int]:
        """Changed facings of which something is said, at their place or within their run."""
        order = self.planogram.in_order
        told = {f.position for f in self.told.findings if f.position is not None}
        out = set()
        for at, facing in enumerate(self.facing_of.tolist()):
            if facing not in self.changed:
                continue
            run = {order[k].id for k in self._run(at)} if facing in self.erased else set()
            if order[at].id in told or run & told:
                out.add(facing)
        return frozenset(out)

    def asked(self) -> frozenset[int]:
        """Changed facings that the planogram has a position for."""
        return frozenset(self.facing_of.tolist()) & self.changed

    def _run(self, at: int) -> list[int]:
        order = self.planogram.in_order
        out = [at]
        for step in (-1, 1):
            k = at + step
            while (
                0 <= k < len(order)
                and order[k].row == order[at].row
                and order[k].product == order[at].product
            ):
                out.append(k)
                k += step
        return out

    def _run_lost_one(self, at: int) -> bool:
        return any(int(self.facing_of[k]) in self.erased for k in self._run(at))

    def _near(self, finding: Finding, facings: frozenset[int], least: float) -> bool:
        if not facings:
            return False
        boxes = self.places_px[sorted(facings)]
        return bool(iou(boxes_of([finding.box_xyxy_px]), boxes).max() >= least)


def simulated_cases(
    photo: Photo,
    seen: Observation,
    looker: Eyes,
    *,
    seed: int,
    conditions: Mapping[str, Condition] = CONDITIONS,
    reference: bool = True,
) -> Iterator[Case]:
    """For each condition an untouched second photo and one with changes.

    Changes: four facings erased, one replaced by another product, two exchanged. Nothing comes of
    a photo with too few facings.

    Args:
        reference: whether the planogram keeps its reference photo; else it is drawn.
    """
    sure = replace(seen, facings=tuple(f for f in seen.facings if f.score >= SCORE_MIN))
    boxes = boxes_of([facing.box_xyxy_px for facing in sure.facings]) * photo.scale
    if len(boxes) < FACINGS_MIN:
        return
    rows = rows_for(boxes / photo.scale, sure).tolist()
    facings = [(float(a), float(b), float(c), float(d)) for a, b, c, d in boxes]
    view, plane = view_of(photo.rgb, CONDITIONS["a step aside"], seed=seed)
    first = _photo(view, photo.file)
    ready = _planogram(first, looker.look(first), reference=reference)
    if ready is None:
        return
    plan = ready.planogram
    facing_of = _nearest(boxes_of([p.box_xyxy for p in plan.in_order]), mapped_boxes(boxes, plane))
    for number, (name, condition) in enumerate(conditions.items(), 1):
        rng = np.random.default_rng([seed, number])
        calm = second_photo(photo.rgb, facings, rows, condition, seed=seed + number)
        known = set(facing_of.tolist()) - {-1}
        shown = [j for j in sorted(known) if calm.hidden[j] < HIDDEN_MAX]
        if len(shown) < _CHANGED + 5:
            continue
        yield _judged(ready, looker, calm.rgb, photo.file, name, facing_of, calm.places_px)
        chosen = [int(j) for j in rng.permutation(shown)[:_CHANGED]]
        others = [j for j in shown if j not in chosen]
        replaced = {
            chosen[ERASED]: int(rng.choice(others)),
            chosen[ERASED + 1]: chosen[ERASED + 2], chosen[ERASED + 2]: chosen[ERASED + 1],
        }  # fmt: skip
        changes = Changes(erased=chosen[:ERASED], replaced=replaced)
        told = second_photo(
            photo.rgb, facings, rows, condition, seed=seed + number, changes=changes
        )
        yield _judged(
            ready, looker, told.rgb, photo.file, name, facing_of, told.places_px,
            erased=chosen[:ERASED], replaced=replaced,
        )  # fmt: skip


def _photo(rgb: npt.NDArray[np.uint8], name: str) -> Photo:
    return Photo(name, rgb.shape[1], rgb.shape[0], rgb, 1.0)


def _planogram(photo: Photo, seen: Observation, *, reference: bool = True) -> Prepared | None:
    try:
        plan = planogram_from_photo(photo, seen, id="eval", bay="eval", made_at=MADE_AT)
    except NoShelf:
        return None
    return prepare(plan if reference else replace(plan, reference=None))


def _nearest(positions: Boxes, facings: Boxes) -> Ints:
    """The facing at each position, by an overlap of at least one half; -1 for none."""
    if not len(positions) or not len(facings):
        return np.full(len(positions), -1, dtype=np.int64)
    shared = iou(positions, facings)
    out: Ints = np.where(shared.max(axis=1) >= 0.5, shared.argmax(axis=1), -1)
    return out


def _judged(
    ready: Prepared,
    looker: Eyes,
    rgb: npt.NDArray[np.uint8],
    file: str,
    condition: str,
    facing_of: Ints,
    places_px: Boxes,
    *,
    erased: Sequence[int] = (),
    replaced: Mapping[int, int] | None = None,
) -> Case:
    photo = _photo(rgb, file)
    told = compare_observation(photo, looker.look(photo), ready).told
    order = ready.planogram.in_order
    product = {int(j): order[i].product for i, j in enumerate(facing_of) if j >= 0}
    put = dict(replaced or {})
    alike = {a for a, b in put.items() if a in product and product.get(b) == product[a]}
    return Case(
        photo=file, condition=condition, planogram=ready.planogram, told=told,
        facing_of=facing_of, erased=frozenset(erased), replaced=frozenset(put) - alike,
        doubtful=frozenset(alike), places_px=places_px,
    )  # fmt: skip


def real_cases(
    first: tuple[Photo, Observation],
    second: tuple[Photo, Observation],
    plane: npt.NDArray[np.float64],
    looker: Eyes,
    *,
    seed: int,
) -> Iterator[Case]:
    """A real second photo as it is, and with four facings erased.

    Args:
        plane: takes pixels of the first full photo to those of the second.
    """
    from storepulse.simulated.exposures import erase_facings

    ready = _planogram(*first)
    photo, seen = second
    boxes = boxes_of([facing.box_xyxy_px for facing in seen.facings])
    if ready is None or len(boxes) < ERASED:
        return
    planned = boxes_of([p.box_xyxy for p in ready.planogram.in_order])
    facing_of = _nearest(mapped_boxes(planned, plane), boxes)
    edge = np.array([5, 5, photo.width - 5, photo.height - 5])
    whole = [
        j for j in sorted(set(facing_of.tolist()) - {-1})
        if (boxes[j, :2] > edge[:2]).all() and (boxes[j, 2:] < edge[2:]).all()
    ]  # fmt: skip
    if len(whole) < 2 * ERASED:
        return
    name = f"{first[0].file} > {photo.file}"
    scaled = boxes * photo.scale
    yield _judged(ready, looker, photo.rgb, name, "real", facing_of, scaled)
    chosen = np.random.default_rng(seed).permutation(whole)[:ERASED].tolist()
    bare = erase_facings(photo.rgb, [tuple(scaled[j].tolist()) for j in chosen], seed=seed)
    yield _judged(ready, looker, bare, name, "real, erased", facing_of, scaled, erased=chosen)

"""Draw bays without pixels: a planogram, and what eyes would say of a shelf that differs from it.

Runs of one product, products that stand twice, mirrored and repeated shelves, stacked goods, holes;
then a view of it: often partial, with other bays beside it or a row that is none. Judges nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from planograms.model import Planogram, Position, Product, Shelf
from planograms.unfold import planned_position, unfolded
from storepulse.checklists import FindingKind
from vision.geometry import (
    Boxes,
    PlaneMap,
    areas,
    boxes_of,
    inverse,
    mapped_boxes,
    overlaps,
    visible_share,
)

Ints = npt.NDArray[np.int64]
Reals = npt.NDArray[np.float64]

SHELVES: Final = (2, 8)
FACINGS: Final = (20, 300)
ROW_MM: Final = 320.0
STRANGER: Final = -1
"""A product that the planogram does not know."""
NOBODY: Final = -2
_BESIDE: Final = -(10**6)
"""What is no part of the bay: nothing about it is right or wrong."""
_MADE_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SURELY_SEEN: Final = 0.9
_HARDLY_SEEN: Final = 0.75
"""Between these shares in view a place may be told or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How often the eyes are wrong, as shares of the facings."""

    missed: float = 0.0
    false: float = 0.0
    wrong_product: float = 0.0


CLEAN: Final = Noise()
NOISY: Final = Noise(missed=0.05, false=0.03, wrong_product=0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One thing that differs."""

    kind: FindingKind
    position: int | None
    """Number of the facing's place, in order; None for what stands at none."""
    box_px: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shown:
    """What eyes say of a bay, and what is true of it."""

    plan: Planogram
    """With one position for each facing."""
    boxes_px: Boxes
    """(m, 4)."""
    rows: Ints
    """(m,) counted from the lowest that is seen."""
    products: Ints
    """(m,) which product each seems to be: a number of the planogram's, or `STRANGER`."""
    scores: Reals
    width: float
    height: float
    plane: PlaneMap
    """Planogram's frame to photo."""
    asked: npt.NDArray[np.bool_]
    """(n,) places that are surely in view: what differs there must be told."""
    spared: npt.NDArray[np.bool_]
    """(n,) places half in view: nothing about them counts."""
    planted: tuple[Deviation, ...]
    """What was changed on the shelf."""
    seen: tuple[Deviation, ...]
    """What differs from the planogram in what the eyes say, their own errors included."""
    spared_px: Boxes
    """(k, 4) surplus boxes that may be told or not: they cover planned places."""


def draw_plan(rng: np.random.Generator, *, facings: int | None = None) -> Planogram:
    """A planogram in mm; half of them name runs, half each facing."""
    shelves = int(rng.integers(SHELVES[0], SHELVES[1] + 1))
    total = facings or int(rng.integers(max(FACINGS[0], 6 * shelves), FACINGS[1] + 1))
    count = max(4, int(total / rng.uniform(2.0, 6.0)))
    wide = rng.uniform(45, 140, count)
    high = rng.uniform(0.3, 0.85, count) * ROW_MM
    per_shelf = np.full(shelves, total // shelves)
    per_shelf[: total % shelves] += 1
    rows: list[list[tuple[int, int, int]]] = []
    for row in range(shelves):
        rows.append(_runs(rows, int(per_shelf[row]), high, rng))
    joint = rng.uniform(2, 8)
    hole = rng.uniform(0.0, 0.12)
    positions: list[Position] = []
    ends = []
    for row, runs in enumerate(rows):
        x, index = 20.0, 0
        for product, across, layers in runs:
            if rng.random() < hole:
                x += rng.uniform(60, 150)
            foot = (shelves - row) * ROW_MM - 20
            box = (x, foot - layers * high[product], x + across * wide[product], foot)
            positions.append(
                Position(id=f"s{row}-{index:03d}", row=row, index=index, product=f"p{product}",
                         box_xyxy=box, facings=across, facings_high=layers)
            )  # fmt: skip
            x, index = box[2] + joint, index + 1
        ends.append(x)
    used = sorted({position.product for position in positions})
    width = max(ends) + rng.uniform(10, 150)
    plan = Planogram(
        id="drawn", name="drawn", bay="drawn", version=1, made_at=_MADE_AT, source="plan",
        unit="mm", width=width, height=shelves * ROW_MM,
        shelves=tuple(
            Shelf(row=row, line_xyxy=(0, (shelves - row) * ROW_MM - 20, width,
                                      (shelves - row) * ROW_MM - 20), height=0.7 * ROW_MM)
            for row in range(shelves)
        ),
        products=tuple(Product(id=name, sku=name, name=name) for name in used),
        positions=tuple(positions),
    )  # fmt: skip
    return plan if rng.random() < 0.5 else _by_facing(plan)


def _runs(
    before: Sequence[list[tuple[int, int, int]]],
    facings: int,
    high: Reals,
    rng: np.random.Generator,
) -> list[tuple[int, int, int]]:
    """(product, across, layers) of one shelf, from the left; now and then the last one mirrored."""
    kind = rng.random()
    if before and kind < 0.2:
        return before[-1][::-1]
    if before and kind < 0.3:
        return list(before[-1])
    out: list[tuple[int, int, int]] = []
    left = facings
    while left > 0:
        product = int(rng.integers(len(high)))
        layers = 2 if high[product] < 0.42 * ROW_MM and rng.random() < 0.4 else 1
        across = max(1, min(int(rng.integers(1, 6)), left // layers))
        out.append((product, across, layers))
        left -= across * layers
    return out


def _by_facing(plan: Planogram) -> Planogram:
    """Each facing a position of its own, as in planograms made from photos."""
    plan = unfolded(plan)
    named = tuple(replace(each, id=f"f{k}") for k, each in enumerate(plan.in_order))
    return replace(plan, positions=named)


@dataclass
class _Shelf:
    """What is being put onto the shelf: the product at each place, and what stands at none."""

    at: Ints
    more: list[tuple[int, tuple[float, float, float, float], int]]
    """Product, box in the frame, row."""


def show(plan: Planogram, rng: np.random.Generator, *, noise: Noise) -> Shown:
    """Stock the bay with deviations of every kind, and look at it."""
    plan = unfolded(plan)
    order = plan.in_order
    planned = boxes_of([each.box_xyxy for each in order])
    rows = np.array([each.row for each in order])
    number = {product.id: k for k, product in enumerate(plan.products)}
    wanted = np.array([number[each.product] for each in order])
    plane, window = _view(plan, rng)
    size = (window[2] - window[0], window[3] - window[1])
    asked, spared = _in_view(planned, plane, size)
    shelf = _Shelf(wanted.copy(), [])
    _plant(plan, shelf, planned, rows, np.flatnonzero(asked), rng)
    stood = shelf.at >= STRANGER
    boxes = [*planned[stood], *(box for _, box, _ in shelf.more)]
    products = [*shelf.at[stood], *(product for product, _, _ in shelf.more)]
    lines = [*rows[stood], *(row for _, _, row in shelf.more)]
    of = [*np.flatnonzero(stood), *[NOBODY - k for k in range(len(shelf.more))]]
    asides = _beside(plan, planned, rows, rng)
    boxes += [box for _, box, _ in asides]
    products += [product for product, _, _ in asides]
    lines += [row for _, _, row in asides]
    of += [_BESIDE] * len(asides)
    in_frame = boxes_of(np.array(boxes))
    wobble = rng.normal(0, 0.02, in_frame.shape) * np.tile(in_frame[:, 2:] - in_frame[:, :2], 2)
    px = mapped_boxes(in_frame + wobble, plane)
    seen_share = visible_share(px, width=size[0], height=size[1])
    kept = (seen_share >= 0.6) & (rng.random(len(px)) >= noise.missed)
    products_seen = _read(np.array(products), len(plan.products), noise, rng)
    px, products_seen, lines_seen, of_seen = (
        px[kept], products_seen[kept], np.array(lines)[kept], np.array(of)[kept],
    )  # fmt: skip
    false_px, false_products, false_lines = _false(plan, plane, len(planned), noise, rng)
    inside = visible_share(false_px, width=size[0], height=size[1]) >= 0.9
    px = np.concatenate([px, false_px[inside]])
    products_seen = np.concatenate([products_seen, false_products[inside]])
    lines_seen = np.concatenate([lines_seen, false_lines[inside]])
    of_seen = np.concatenate([of_seen, np.full(int(inside.sum()), NOBODY)])
    px, products_seen, lines_seen = _stray_row(px, products_seen, lines_seen, size, rng)
    of_seen = np.concatenate([of_seen, np.full(len(px) - len(of_seen), _BESIDE)])
    px = px.clip(0, np.tile(np.array(size), 2))
    mixed = rng.permutation(len(px))
    places = mapped_boxes(planned, plane)
    surplus = _surplus(px, products_seen, of_seen, places, plan, plane)
    perceived = np.full(len(order), NOBODY)
    there = of_seen >= 0
    perceived[of_seen[there]] = products_seen[there]
    _, names = np.unique(lines_seen, return_inverse=True)
    return Shown(
        plan=plan, boxes_px=px[mixed], rows=np.asarray(names, np.int64)[mixed],
        products=products_seen[mixed], scores=rng.uniform(0.8, 0.99, len(px)),
        width=size[0], height=size[1], plane=plane, asked=asked, spared=spared,
        planted=(*_deviations(plan, wanted, shelf.at, asked, asked | spared, places),
                 *_stood_more(shelf.more, plane, size)),
        seen=(*_deviations(plan, wanted, perceived, asked, perceived == wanted, places),
              *surplus[0]),
        spared_px=surplus[1],
    )  # fmt: skip


def _view(
    plan: Planogram, rng: np.random.Generator
) -> tuple[PlaneMap, tuple[float, float, float, float]]:
    """The map from frame to photo, and the frame's window that the photo shows, in its pixels."""
    if rng.random() < 0.4:
        wide, high = rng.uniform(0.5, 0.9) * plan.width, rng.uniform(0.75, 1.0) * plan.height
        left = rng.uniform(0, plan.width - wide)
        top = rng.uniform(0, plan.height - high)
    else:
        more = rng.uniform(0.02, 0.3) * plan.width
        left, top = -rng.uniform(0.2, 0.8) * more, -40.0
        wide, high = plan.width + more, plan.height + 80
    scale = rng.uniform(0.8, 2.5)
    tilt = np.array(
        [[1, rng.normal(0, 0.015), 0], [rng.normal(0, 0.01), 1, 0],
         [rng.normal(0, 0.03) / plan.width, rng.normal(0, 0.02) / plan.height, 1]]
    )  # fmt: skip
    plane = np.diag([scale, scale, 1.0]) @ tilt @ np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
    return np.asarray(plane, np.float64), (0.0, 0.0, wide * scale, high * scale)


def _in_view(
    planned: Boxes, plane: PlaneMap, size: tuple[float, float]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    share = visible_share(mapped_boxes(planned, plane), width=size[0], height=size[1])
    return share >= _SURELY_SEEN, (share >= _HARDLY_SEEN) & (share < _SURELY_SEEN)


def _plant(
    plan: Planogram,
    shelf: _Shelf,
    planned: Boxes,
    rows: Ints,
    where: Ints,
    rng: np.random.Generator,
) -> None:
    """Change about one place in sixteen, and put a few goods where none are planned."""
    if len(where) < 6:
        return
    products = len(plan.products)
    picked = rng.permutation(where)[: max(6, round(len(where) / 16))].tolist()
    while picked:
        i = picked.pop()
        kind = rng.random()
        if kind < 0.4:
            run = planned_position(plan.in_order[i].id)
            same = [k for k in where.tolist() if planned_position(plan.in_order[k].id) == run]
            gone = same if rng.random() < 0.3 else [i]
            shelf.at[gone] = NOBODY
        elif kind < 0.55:
            shelf.at[i] = STRANGER
        elif kind < 0.7 and products > 1:
            shelf.at[i] = int(rng.choice([k for k in range(products) if k != shelf.at[i]]))
        elif picked:
            j = picked.pop()
            shelf.at[[i, j]] = shelf.at[[j, i]]
    for _ in range(int(rng.integers(0, 4))):
        near = int(rng.choice(where))
        x1, y1, x2, y2 = planned[near]
        wide, high = x2 - x1, y2 - y1
        # Into a hole, at the end of the shelf, or on top of what stands there.
        for box in ((x2 + 2, y1, x2 + 2 + wide, y2), (x1, y1 - 0.8 * high, x2, y1)):
            taken = overlaps(boxes_of([box]), planned).max()
            more = [other for _, other, _ in shelf.more]
            taken = max(taken, overlaps(boxes_of([box]), boxes_of(more)).max() if more else 0.0)
            if taken < 0.05 * wide * high and box[0] >= 0 and box[2] <= plan.width and box[1] >= 0:
                known = int(rng.integers(products)) if rng.random() < 0.5 else STRANGER
                shelf.more.append((known, box, int(rows[near])))
                break


def _beside(
    plan: Planogram, planned: Boxes, rows: Ints, rng: np.random.Generator
) -> list[tuple[int, tuple[float, float, float, float], int]]:
    """Goods of the bays to the left and right, some of the same products."""
    out = []
    for row in np.unique(rows):
        for side in (-1, 1):
            x = 0.0 if side < 0 else plan.width
            for _ in range(int(rng.integers(0, 6))):
                like = planned[int(rng.choice(np.flatnonzero(rows == row)))]
                wide, high = like[2] - like[0], like[3] - like[1]
                left = x - wide - 6 if side < 0 else x + 6
                product = int(rng.integers(len(plan.products))) if rng.random() < 0.3 else STRANGER
                out.append((product, (left, like[3] - high, left + wide, like[3]), int(row)))
                x = left if side < 0 else left + wide
    return out


def _read(products: Ints, known: int, noise: Noise, rng: np.random.Generator) -> Ints:
    """Which product each facing seems to be."""
    wrong = rng.random(len(products)) < noise.wrong_product
    other = rng.integers(STRANGER, known, len(products))
    out: Ints = np.where(wrong, other, products).astype(np.int64)
    return out


def _false(
    plan: Planogram, plane: PlaneMap, facings: int, noise: Noise, rng: np.random.Generator
) -> tuple[Boxes, Ints, Ints]:
    """Boxes where nothing stands."""
    count = int(rng.binomial(facings, noise.false))
    boxes, rows = [], []
    for _ in range(count):
        like = plan.in_order[int(rng.integers(facings))]
        x1, _, x2, foot = like.box_xyxy
        wide, high = (x2 - x1) * rng.uniform(0.6, 1.4), rng.uniform(0.4, 0.9) * ROW_MM
        left = rng.uniform(0, plan.width - wide)
        boxes.append((left, foot - high, left + wide, foot))
        rows.append(like.row)
    px = mapped_boxes(boxes_of(boxes), plane)
    return px, rng.integers(STRANGER, len(plan.products), count), np.array(rows, np.int64)


def _stray_row(
    px: Boxes, products: Ints, lines: Ints, size: tuple[float, float], rng: np.random.Generator
) -> tuple[Boxes, Ints, Ints]:
    """A row that is none: a strip of leaflets or tags told as facings, between two shelves."""
    if rng.random() >= 0.3 or not len(px):
        return px, products, lines
    above = int(rng.choice(np.unique(lines)))
    top = float(px[lines == above, 3].max())
    count = int(rng.integers(4, 12))
    lefts = np.sort(rng.uniform(0, 0.9 * size[0], count))
    stray = np.stack([lefts, np.full(count, top + 1), lefts + 0.03 * size[0],
                      np.full(count, top + 19)], axis=1)  # fmt: skip
    if top + 19 > size[1]:
        return px, products, lines
    doubled = np.concatenate([2 * lines, np.full(count, 2 * above - 1)])
    strangers = np.full(count, STRANGER)
    return np.concatenate([px, stray]), np.concatenate([products, strangers]), doubled


def _deviations(
    plan: Planogram,
    wanted: Ints,
    held: Ints,
    asked: npt.NDArray[np.bool_],
    shown: npt.NDArray[np.bool_],
    places: Boxes,
) -> list[Deviation]:
    """What differs at planned places, named as a judgement should name it.

    Args:
        shown: (n,) places that say whether any facing of their position is right.
    """
    order = plan.in_order
    wrong = np.flatnonzero((held != wanted) & asked)
    lacking = {int(wanted[i]) for i in wrong}
    right = {planned_position(order[i].id) for i in np.flatnonzero((held == wanted) & shown)}
    out = []
    for i in wrong.tolist():
        kind: FindingKind = "wrong_product"
        if held[i] < STRANGER:
            kind = "short" if planned_position(order[i].id) in right else "missing"
        elif int(held[i]) in lacking:
            kind = "misplaced"
        x1, y1, x2, y2 = places[i].tolist()
        out.append(Deviation(kind=kind, position=i, box_px=(x1, y1, x2, y2)))
    return out


def _stood_more(
    more: Sequence[tuple[int, tuple[float, float, float, float], int]],
    plane: PlaneMap,
    size: tuple[float, float],
) -> list[Deviation]:
    out = []
    boxes = mapped_boxes(boxes_of([box for _, box, _ in more]), plane)
    share = visible_share(boxes, width=size[0], height=size[1]) if len(boxes) else np.zeros(0)
    for (product, _, _), box, seen in zip(more, boxes, share, strict=True):
        if seen >= _SURELY_SEEN:
            kind: FindingKind = "unexpected" if product == STRANGER else "extra"
            x1, y1, x2, y2 = box.tolist()
            out.append(Deviation(kind=kind, position=None, box_px=(x1, y1, x2, y2)))
    return out


def _surplus(
    px: Boxes, products: Ints, of: Ints, places: Boxes, plan: Planogram, plane: PlaneMap
) -> tuple[list[Deviation], Boxes]:
    """Seen facings at no planned place: what must be told, and what may be."""
    told, spared = [], []
    shared = overlaps(px, places).sum(axis=1) / np.maximum(areas(px), 1e-9)
    frame = visible_share(mapped_boxes(px, inverse(plane)), width=plan.width, height=plan.height)
    for box, product, who, cover, inside in zip(px, products, of, shared, frame, strict=True):
        x1, y1, x2, y2 = box.tolist()
        if who == _BESIDE:
            if inside > 0.5:
                spared.append((x1, y1, x2, y2))  # a row that is none: told or not, both are true
        elif who <= NOBODY:
            if cover >= 0.4 or inside < 0.9:
                spared.append((x1, y1, x2, y2))
            else:
                kind: FindingKind = "unexpected" if product == STRANGER else "extra"
                told.append(Deviation(kind=kind, position=None, box_px=(x1, y1, x2, y2)))
    return told, boxes_of(spared)

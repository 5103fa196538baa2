"""Generated bays without pixels: planograms, the facings that a perfect photo would show, and how
unlike they look. Drawn here, for the laws that matching and comparing must keep."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from planograms.claims import Facings, NoPixels
from planograms.compare import Comparison, Distances, compare
from planograms.matching import Match, match
from planograms.model import Planogram, Position, Product, Shelf
from planograms.placing import Planned, Seen
from vision.geometry import Boxes, PlaneMap

WIDTH, HEIGHT = 2000.0, 1600.0
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
IDENTITY: PlaneMap = np.eye(3)
SAME, OTHER = 0.08, 0.75
"""Distances of two pictures of one product and of two products, as in `vision.appearance`."""


def bay(rows: list[list[int]], *, width: float = WIDTH, main_push: int | None = None) -> Planogram:
    """A bay with these products on its shelves, the lowest first; facings fill each shelf."""
    positions, shelves = [], []
    high = HEIGHT / len(rows)
    for row, products in enumerate(rows):
        foot = HEIGHT - row * high - 0.1 * high
        wide = width / len(products)
        for index, product in enumerate(products):
            left = index * wide + 0.04 * wide
            box = (left, foot - 0.7 * high, left + 0.92 * wide, foot)
            positions.append(
                Position(id=f"r{row}-p{index + 1:02d}", row=row, index=index,
                         product=f"p{product}", box_xyxy=box)
            )  # fmt: skip
        shelves.append(Shelf(row=row, line_xyxy=(0, foot, width, foot), height=0.7 * high))
    return Planogram(
        id="plan", name="plan", bay="b1", version=1, made_at=NOON, source="photo", unit="px",
        width=width, height=HEIGHT, shelves=tuple(shelves), positions=tuple(positions),
        products=tuple(
            Product(id=f"p{k}", sku=f"p{k}", name=f"p{k}", main_push=k == main_push)
            for k in sorted({product for products in rows for product in products})
        ),
    )  # fmt: skip


@st.composite
def row_lists(draw: st.DrawFn) -> list[list[int]]:
    """2 to 5 shelves of 4 to 12 facings: runs of products, some of which stand twice."""
    rows = []
    for _ in range(draw(st.integers(2, 5))):
        row: list[int] = []
        for _ in range(draw(st.integers(2, 5))):
            row += [draw(st.integers(1, 9))] * draw(st.integers(1, 3))
        rows.append(row if len(row) >= 4 else row * 2)
    return rows


@dataclass(frozen=True)
class Shown:
    """What a photo shows: facings in any order, which product each is, and its row."""

    boxes: Boxes
    products: tuple[str, ...]
    rows: npt.NDArray[np.int64]
    width: float = WIDTH
    height: float = HEIGHT


def as_planned(planogram: Planogram, *, without: frozenset[str] = frozenset()) -> Shown:
    """Each planned facing in its place, except some positions."""
    there = [position for position in planogram.in_order if position.id not in without]
    return Shown(
        np.array([position.box_xyxy for position in there], dtype=np.float64).reshape(-1, 4),
        tuple(position.product for position in there),
        np.array([position.row for position in there], dtype=np.int64),
    )


def distances(planogram: Planogram, shown: Shown) -> Distances:
    """As a perfect eye would tell them."""
    planned = np.array([position.product for position in planogram.in_order], dtype=object)
    products = np.array([product.id for product in planogram.products], dtype=object)
    seen = np.array(shown.products, dtype=object)
    return Distances(
        np.where(planned[:, None] == seen[None], SAME, OTHER).astype(np.float64),
        np.where(products[:, None] == seen[None], SAME, OTHER).astype(np.float64),
    )


def matched(planogram: Planogram, shown: Shown, *, plane: PlaneMap | None) -> Match:
    """Match what is shown."""
    boxes = np.array([position.box_xyxy for position in planogram.in_order], dtype=np.float64)
    rows = np.array([position.row for position in planogram.in_order], dtype=np.int64)
    return match(
        Planned(boxes, rows), Seen(shown.boxes, shown.rows),
        distances(planogram, shown).to_positions, plane=plane,
    )  # fmt: skip


def compared(planogram: Planogram, shown: Shown, *, plane: PlaneMap | None) -> Comparison:
    """Match and compare what is shown."""
    return compare(
        planogram,
        Facings(shown.boxes, np.full(len(shown.boxes), 0.9), shown.width, shown.height),
        distances(planogram, shown),
        matched(planogram, shown, plane=plane),
        NoPixels(),
    )

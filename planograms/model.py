"""The planogram: what a bay should show, as values that check themselves. Reads no file.

Boxes are x1, y1, x2, y2, x to the right and y down, in the unit of the frame: pixels of the
upright photo that the planogram was made from, or millimetres. Rows count from 0 at the lowest
shelf, positions from 0 at the left end of their row. A position made from a photo is the place of
one facing; one drawn by head office may be several facings wide, high and deep (`unfolded` makes
facings of it before a photo is judged). A run is the adjacent positions of one product.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import groupby
from math import isfinite
from typing import Final, Literal

from pydantic import TypeAdapter

from planograms.trade_numbers import check_gtin

Box = tuple[float, float, float, float]

POSITIONS_MAX: Final = 5_000
PRODUCTS_MAX: Final = 5_000
FACINGS_MAX: Final = 500
"""In one direction, at one position."""
PICTURE_BYTES_MAX: Final = 8 * 1024 * 1024

MediaType = Literal["image/webp", "image/jpeg", "image/png"]


def _check_box(what: str, box: Box) -> None:
    x1, y1, x2, y2 = box
    if not all(isfinite(value) for value in box) or x2 <= x1 or y2 <= y1:
        raise ValueError(f"{what} must be [x1, y1, x2, y2] with x1 < x2 and y1 < y2, got {box}")


def _check_name(what: str, name: str) -> None:
    if not name.strip() or len(name) > 200:
        raise ValueError(f"{what} must have 1 to 200 characters, got {name!r}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A small picture inside the planogram: its bytes as base64."""

    base64: str
    media_type: MediaType = "image/webp"

    def __post_init__(self) -> None:
        if not self.base64 or len(self.base64) > PICTURE_BYTES_MAX * 4 // 3 + 4:
            raise ValueError(f"a picture must have 1 to {PICTURE_BYTES_MAX} bytes")
        try:
            base64.b64decode(self.base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("a picture must be base64") from error

    @property
    def content(self) -> bytes:
        """The bytes of the picture file."""
        return base64.b64decode(self.base64)


def picture_of(content: bytes, media_type: MediaType = "image/webp") -> Picture:
    """Wrap the bytes of a picture file."""
    return Picture(base64=base64.b64encode(content).decode("ascii"), media_type=media_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What can stand at a position."""

    id: str
    sku: str
    name: str
    main_push: bool = False
    """Head office wants it seen first: exposure is counted on these."""
    width: float | None = None
    height: float | None = None
    """Of one facing, in the unit of the frame; None where not known."""
    pictures: tuple[Picture, ...] = ()
    gtin: str | None = None
    """What its barcode says: 8, 12, 13 or 14 digits, the last a check digit."""
    brand: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """Its name by language ("en", "zh-Hans"); `name` where a language is not among them."""
    width_mm: float | None = None
    height_mm: float | None = None
    depth_mm: float | None = None
    price: float | None = None
    currency: str | None = None
    """Three letters (ISO 4217), of the price and of the value a day."""
    value_a_day: float | None = None
    """What it sells in a day, at its price: what an empty place costs."""

    def __post_init__(self) -> None:
        _check_name("product id", self.id)
        _check_name(f"sku of product {self.id}", self.sku)
        for value in (self.width, self.height, self.width_mm, self.height_mm, self.depth_mm):
            if value is not None and not (isfinite(value) and value > 0):
                raise ValueError(f"size of product {self.id} must be above 0, got {value}")
        for value in (self.price, self.value_a_day):
            if value is not None and not (isfinite(value) and value >= 0):
                raise ValueError(f"price and value of product {self.id} must be 0 or above")
        if self.gtin is not None:
            check_gtin(self.gtin, f"gtin of product {self.id}")
        if self.brand is not None:
            _check_name(f"brand of product {self.id}", self.brand)
        if self.currency is not None and not _CURRENCY.fullmatch(self.currency):
            raise ValueError(
                f"currency of product {self.id} must be three letters, got {self.currency!r}"
            )
        for language, name in self.names.items():
            if not _LANGUAGE.fullmatch(language):
                raise ValueError(
                    f"names of product {self.id}: {language!r} is no language code such as zh"
                )
            _check_name(f"name of product {self.id} in {language}", name)

    def name_in(self, language: str) -> str:
        """Its name in a language, else in that language's base, else `name`."""
        return self.names.get(language) or self.names.get(language.split("-")[0]) or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One row: the line on which its products stand."""

    row: int
    line_xyxy: Box
    height: float
    """Typical height of its facings, unit of the frame."""
    main_visual: bool = False
    """At eye level, where goods are seen first."""

    def __post_init__(self) -> None:
        if self.row < 0:
            raise ValueError(f"shelf row must be 0 (the lowest) or above, got {self.row}")
        if not (isfinite(self.height) and self.height > 0):
            raise ValueError(f"height of shelf {self.row} must be above 0, got {self.height}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where one facing of a product should stand."""

    id: str
    row: int
    index: int
    product: str
    box_xyxy: Box
    facings: int = 1
    """Facings wide; 1 in planograms made from photos, which name each facing."""
    facings_high: int = 1
    facings_deep: int = 1
    x_mm: float | None = None
    """Of its left edge, from the left end of the bay."""
    y_mm: float | None = None
    """Of its foot, from the foot of the bay."""

    def __post_init__(self) -> None:
        _check_name("position id", self.id)
        if self.index < 0 or self.row < 0:
            raise ValueError(f"row and index of position {self.id} must be 0 or above")
        for count in (self.facings, self.facings_high, self.facings_deep):
            if not 1 <= count <= FACINGS_MAX:
                raise ValueError(f"facings of position {self.id} must be 1 to {FACINGS_MAX}")
        for place in (self.x_mm, self.y_mm):
            if place is not None and not isfinite(place):
                raise ValueError(f"x_mm and y_mm of position {self.id} must be numbers")
        _check_box(f"box_xyxy of position {self.id}", self.box_xyxy)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferencePhoto:
    """The photo that other photos are registered to, small and with faces blurred."""

    picture: Picture
    scale: float
    """Pixels of the picture for one unit of the frame."""
    blurred: tuple[Box, ...] = ()
    """Where it was blurred, in the unit of the frame: what stands there cannot be compared."""

    def __post_init__(self) -> None:
        if not (isfinite(self.scale) and 0 < self.scale <= 16):
            raise ValueError(f"scale must lie above 0 and at most 16, got {self.scale}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What another system's file says beside what we know, so that it can be written back."""

    format: str
    packed: str
    """Text, zstandard, base64."""

    def __post_init__(self) -> None:
        _check_name("format of what is kept", self.format)
        if len(self.packed) > KEPT_BYTES_MAX:
            raise ValueError(f"what is kept of {self.format} must be below {KEPT_BYTES_MAX} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Where a planogram holds: in one shop, in these bays."""

    shop: str
    bays: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_name("shop of an assignment", self.shop)
        if not self.bays:
            raise ValueError(f"assignment to shop {self.shop}: bays must not be empty")
        for bay in self.bays:
            _check_name(f"bay of shop {self.shop}", bay)
        _refuse_doubles(f"bay of shop {self.shop}", self.bays)


@dataclass(frozen=True, kw_only=True)
class Planogram:
    """What one bay should show. Immutable: a change is a new version.

    Raises:
        ValueError: a field contradicts another or leaves its range; the text says where.
    """

    format: Literal["storepulse.planogram/1"] = "storepulse.planogram/1"
    id: str
    name: str
    bay: str
    version: int
    made_at: datetime
    source: Literal["photo", "plan"]
    unit: Literal["px", "mm"]
    width: float
    height: float
    shelves: tuple[Shelf, ...]
    products: tuple[Product, ...]
    positions: tuple[Position, ...]
    reference: ReferencePhoto | None = field(default=None)
    starts_on: date | None = None
    """The first day on which it holds; None: at once."""
    assigned: tuple[Assignment, ...] = ()
    """Shops and bays where it holds; none: in `bay`, wherever it is loaded."""
    published_at: datetime | None = None
    """From then on nothing in it changes; None: a draft."""
    kept: Kept | None = None

    def __post_init__(self) -> None:
        _check_name("id", self.id)
        _check_name("bay", self.bay)
        if self.version < 1:
            raise ValueError(f"version must be 1 or more, got {self.version}")
        if self.made_at.tzinfo is None:
            raise ValueError("made_at needs a time zone, e.g. 2026-11-20T10:00:00+08:00")
        if self.published_at is not None and self.published_at.tzinfo is None:
            raise ValueError("published_at needs a time zone, e.g. 2026-11-20T10:00:00+08:00")
        _refuse_doubles("shop", (assignment.shop for assignment in self.assigned))
        for name in ("width", "height"):
            if not (isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        if not self.positions:
            raise ValueError("positions must not be empty")
        if len(self.positions) > POSITIONS_MAX or len(self.products) > PRODUCTS_MAX:
            raise ValueError(
                f"at most {POSITIONS_MAX} positions and {PRODUCTS_MAX} products, got "
                f"{len(self.positions)} and {len(self.products)}"
            )
        _refuse_doubles("position id", (position.id for position in self.positions))
        _refuse_doubles("product id", (product.id for product in self.products))
        _refuse_doubles("shelf row", (str(shelf.row) for shelf in self.shelves))
        _refuse_doubles("place", (f"row {p.row} index {p.index}" for p in self.positions))
        self._refuse_dangling()

    def _refuse_dangling(self) -> None:
        products = {product.id for product in self.products}
        rows = {shelf.row for shelf in self.shelves}
        for position in self.positions:
            if position.product not in products:
                raise ValueError(
                    f"position {position.id} names product {position.product!r}, "
                    "which is not among products"
                )
            if position.row not in rows:
                raise ValueError(
                    f"position {position.id} names row {position.row}, which is not among shelves"
                )

    @cached_property
    def product_by_id(self) -> Mapping[str, Product]:
        """Products by their id."""
        return {product.id: product for product in self.products}

    @cached_property
    def position_by_id(self) -> Mapping[str, Position]:
        """Positions by their id."""
        return {position.id: position for position in self.positions}

    @cached_property
    def in_order(self) -> tuple[Position, ...]:
        """Positions row by row from the lowest, each from the left."""
        return tuple(sorted(self.positions, key=lambda p: (p.row, p.index)))

    def product_at(self, position: Position) -> Product:
        """The product planned there."""
        return self.product_by_id[position.product]

    @property
    def main_push(self) -> frozenset[str]:
        """Ids of the products marked as main push."""
        return frozenset(product.id for product in self.products if product.main_push)

    @cached_property
    def main_visual(self) -> frozenset[str]:
        """Ids of the positions on shelves at eye level."""
        rows = {shelf.row for shelf in self.shelves if shelf.main_visual}
        return frozenset(position.id for position in self.positions if position.row in rows)

    def bays_in(self, shop: str) -> tuple[str, ...]:
        """The bays of a shop in which it holds; none where it is not assigned to that shop."""
        if not self.assigned:
            return (self.bay,)
        return next((each.bays for each in self.assigned if each.shop == shop), ())

    def runs(self) -> tuple[tuple[Position, ...], ...]:
        """Adjacent positions of one product in one row, from the lowest row and the left."""
        return tuple(
            tuple(run) for _, run in groupby(self.in_order, key=lambda p: (p.row, p.product))
        )


def _refuse_doubles(what: str, names: Iterable[str]) -> None:
    double = [name for name, times in Counter(names).items() if times > 1]
    if double:
        raise ValueError(f"{what} {double[0]!r} is there twice; each may be there once")


_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
KEPT_BYTES_MAX: Final = 32 * 1024 * 1024

PLANOGRAM_JSON: TypeAdapter[Planogram] = TypeAdapter(Planogram)

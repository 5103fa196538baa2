"""All shops' figures of one day with their intervals, as stored. Computes none."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from hub.codes.colours import WORST_FIRST, Shown
from hub.codes.sentences import unit_of
from hub.codes.store import StoredCode, codes_of_days
from hub.store.database import Connection
from storepulse.actions import DIMENSIONS, Dimension

_KNOWN: Final[dict[str, Shown]] = {str(one): one for one in WORST_FIRST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One dimension of one shop; `low` and `high` are the 5th and 95th percentile."""

    dimension: Dimension
    colour: Shown
    probability: float | None
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopFigures:
    """One shop's figures of the day, in the order of the dimensions; those without a code miss."""

    shop: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """All shops that have a code of the day; without a day, empty."""

    day: date | None = None
    units: dict[str, str]
    shops: tuple[ShopFigures, ...] = ()


def read_figures(connection: Connection, day: date) -> DayFigures:
    """Every shop's stored figures of a day, by shop."""
    found: dict[str, list[StoredCode]] = {}
    for code in codes_of_days(connection, day, day):
        found.setdefault(code.shop, []).append(code)
    return DayFigures(
        day=day, units=units(),
        shops=tuple(
            ShopFigures(shop=shop, figures=tuple(_figures(found[shop]))) for shop in sorted(found)
        ),
    )  # fmt: skip


def units() -> dict[str, str]:
    """The unit of each dimension's figure."""
    return {str(one): unit_of(one) for one in DIMENSIONS}


def _figures(codes: list[StoredCode]) -> list[Figure]:
    by_name = {code.dimension: code for code in codes}
    return [
        Figure(
            dimension=name, colour=_KNOWN[code.colour], probability=code.probability,
            value=code.value, low=code.low, high=code.high,
        )
        for name in DIMENSIONS
        if (code := by_name.get(name)) is not None
    ]  # fmt: skip

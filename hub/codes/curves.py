"""A shop's figures of its last days, with intervals, as its codes were stored. Computes none."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from hub.codes.sentences import unit_of
from hub.codes.store import codes_of_days
from hub.store.database import Connection
from storepulse.actions import DIMENSIONS, Dimension

CURVE_DAYS_MAX: Final = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One dimension's figure day by day, oldest first; None where there was none.

    `low` and `high` are the 5th and 95th percentile.
    """

    dimension: Dimension
    unit: str
    value: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The four dimensions of one shop over the same days; without any day, empty."""

    days: tuple[date, ...] = ()
    curves: tuple[Curve, ...] = ()


def read_curves(connection: Connection, shop: str, last: date, days: int) -> Curves:
    """The figures of so many local days of a shop, the last one included."""
    wanted = tuple(last - timedelta(days=n) for n in reversed(range(days)))
    found = {
        (code.dimension, code.day): code
        for code in codes_of_days(connection, wanted[0], last, shops=[shop])
    }

    def curve(dimension: Dimension) -> Curve:
        codes = [found.get((dimension, day)) for day in wanted]
        return Curve(
            dimension=dimension, unit=unit_of(dimension),
            value=tuple(None if code is None else code.value for code in codes),
            low=tuple(None if code is None else code.low for code in codes),
            high=tuple(None if code is None else code.high for code in codes),
        )  # fmt: skip

    return Curves(days=wanted, curves=tuple(curve(one) for one in DIMENSIONS))

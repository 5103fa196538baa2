"""The colours of the days behind a board, as they were stored. Computes none."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from hub.codes.colours import WORST_FIRST, Shown
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import DIMENSIONS

DAYS_MAX: Final = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class DimensionHistory:
    """The colours of one dimension, oldest day first; None where no code was stored."""

    dimension: str
    colours: tuple[Shown | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopHistory:
    """A shop's own colour and its four dimensions, a colour for each day of the history."""

    shop: str
    own: tuple[Shown | None, ...]
    """The worst of the day's four."""
    dimensions: tuple[DimensionHistory, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every shop that has a stored code in these days; without any day, empty."""

    days: tuple[date, ...] = ()
    """Oldest first."""
    shops: tuple[ShopHistory, ...] = ()


def read_history(
    connection: Connection, last: date, days: int, *, shops: Sequence[str] | None = None
) -> History:
    """The colours of so many days, the last one included; `shops` None for all."""
    wanted = tuple(last - timedelta(days=n) for n in reversed(range(days)))
    found: dict[str, dict[tuple[str, date], Shown]] = {}
    known = {str(one): one for one in WORST_FIRST}
    asked = {
        "first": wanted[0], "last": last, "shops": None if shops is None else list(shops),
    }  # fmt: skip
    for row in connection.execute(question("colours"), asked):
        found.setdefault(row["shop"], {})[row["dimension"], row["day"]] = known[row["colour"]]
    return History(
        days=wanted,
        shops=tuple(_of_shop(shop, found[shop], wanted) for shop in sorted(found)),
    )


def _of_shop(
    shop: str, colours: dict[tuple[str, date], Shown], days: tuple[date, ...]
) -> ShopHistory:
    own: list[Shown | None] = []
    for day in days:
        four = [colours[name, day] for name in DIMENSIONS if (name, day) in colours]
        own.append(min(four, key=WORST_FIRST.index) if four else None)
    return ShopHistory(
        shop=shop,
        own=tuple(own),
        dimensions=tuple(
            DimensionHistory(
                dimension=name, colours=tuple(colours.get((name, day)) for day in days)
            )
            for name in DIMENSIONS
        ),
    )

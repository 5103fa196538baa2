"""Read what `hub.why.why` needs from the database, and ask it. Stores nothing.

The shop's own facts, whose ids the answer names, are read as the session that asks. The figures of
the shops that it is compared with are read as the owner: in the answer they are nothing but a count
and the width of an interval, and no foreign shop is named or can be read out of it (ADR 0030).
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

import numpy as np

from hub.codes.computing import UnknownShop, day_shown
from hub.codes.days import shop_days
from hub.codes.touched import known_shops
from hub.ingest.facts_store import facts_of_days
from hub.metrics import CATALOGUE
from hub.people.roles import Session
from hub.store.database import Connection, Database
from hub.store.queries import question
from hub.why.answer import Why
from hub.why.causes import CAUSE_KINDS, COVERAGE, CauseName
from hub.why.panel import OUTCOME_METRICS, Daily
from hub.why.why import PANEL_DAYS, days_looked_at, why
from storepulse.actions import Dimension
from storepulse.errors import BadInput

SHOPS_COMPARED: Final = 60
"""Of chains of 40 shops `storepulse eval why` finds as much as of 200; more make it slower."""
_FACTS_MAX: Final = 40
"""Ids of facts a cause: enough to look at, not a listing."""
_COVERED: Final = ("visitors", "dwell_mean")
"""The node's facts whose coverage says for how much of the day it was there."""
_METRICS: Final = sorted(
    {name for names in OUTCOME_METRICS.values() for name in names}
    | {name for kind in CAUSE_KINDS.values() for name in kind.metrics if name != COVERAGE}
    | set(_COVERED)
)


class NoDayToExplain(BadInput):
    """No day was named, and the shop has no fact to take one from."""


def read_why(
    database: Database, shop: str, dimension: Dimension, day: date | None,
    *, session: Session | None = None,
) -> Why:  # fmt: skip
    """Why a dimension of a shop is worse on a day (default: its newest day with facts).

    Args:
        session: whose shops may be asked for; None: the machine's own user, who may see all.
    Raises:
        UnknownShop: there is no such shop, or none of the session's.
        NoDayToExplain: no day given, and none to be found.
    """
    asks = database.connection() if session is None else database.of_session(session)
    with asks as connection:
        if shop not in known_shops(connection, [shop]):
            raise UnknownShop(f"shop {shop!r} is not known")
        shown = day or day_shown(connection, shops=[shop])
        if shown is None:
            raise NoDayToExplain(f"shop {shop} has no facts yet; name a day with facts")
        facts = _facts_behind(connection, shop, dimension, shown)
    with database.connection() as connection:
        daily = read_daily(connection, shop, days_looked_at(dimension, shown)[1])
    return why(daily, shop, dimension, shown, facts=facts)


def read_daily(connection: Connection, shop: str, last: date, *, days: int = PANEL_DAYS) -> Daily:
    """The figures of a shop and those it is compared with, for so many days up to `last`."""
    rows = connection.execute(
        question("shops_to_compare"), {"shop": shop, "most": SHOPS_COMPARED + 1}
    )
    kinds = {row["shop"]: (row["region"], row["format"]) for row in rows}
    return daily_of(connection, kinds, last, days=days)


def shops_with_kinds(
    connection: Connection, shops: Sequence[str] | None, *, most: int
) -> dict[str, tuple[str, str]]:
    """Region and format of shops (None: all), by shop, in order; no more than `most`."""
    rows = connection.execute(question("shops"), {"shops": None if shops is None else list(shops)})
    return {row["shop"]: (row["region"], row["format"]) for row in rows.fetchmany(most)}


def daily_of(
    connection: Connection, kinds: Mapping[str, tuple[str, str]], last: date, *, days: int
) -> Daily:
    """The figures of shops, given with region and format, for so many days up to `last`."""
    first = last - timedelta(days=days - 1)
    shops = list(kinds)
    told = connection.execute(
        question("daily_figures"),
        {
            "shops": shops, "first": first, "last": last, "metrics": _METRICS,
            "catalogue": list(CATALOGUE),
            "sums": [name for name in _METRICS if CATALOGUE[name].adds_up == "sum"],
            "anys": [name for name in _METRICS if CATALOGUE[name].adds_up == "any"],
            "people": [name for name in _METRICS if CATALOGUE[name].unit == "people"],
        },
    )  # fmt: skip
    metrics: dict[str, np.ndarray] = {}
    coverage: dict[str, np.ndarray] = {}
    place = {name: number for number, name in enumerate(shops)}
    for row in told:
        columns = [(one - first).days for one in row["days"]]
        shape = (len(shops), days)
        values = metrics.setdefault(row["metric"], np.full(shape, np.nan))
        values[place[row["shop"]], columns] = [
            np.nan if value is None else value for value in row["values"]
        ]
        if row["metric"] in _COVERED:
            seen = coverage.setdefault(row["metric"], np.full(shape, np.nan))
            seen[place[row["shop"]], columns] = row["coverages"]
    for name in reversed(_COVERED):
        if name in coverage:
            known = metrics.get(COVERAGE, np.full((len(shops), days), np.nan))
            metrics[COVERAGE] = np.where(np.isfinite(coverage[name]), coverage[name], known)
    return Daily(
        shops=tuple(shops), region=_numbered([region for region, _ in kinds.values()]),
        format=_numbered([kind for _, kind in kinds.values()]),
        days=tuple(first + timedelta(days=number) for number in range(days)), metrics=metrics,
    )  # fmt: skip


def _numbered(names: Sequence[str]) -> np.ndarray:
    return np.unique(np.array(names, dtype=np.str_), return_inverse=True)[1].astype(np.int64)


def _facts_behind(
    connection: Connection, shop: str, dimension: Dimension, day: date
) -> dict[CauseName, list[str]]:
    """Ids of the shop's facts that tell of each cause on the days looked at."""
    first, last = days_looked_at(dimension, day)
    timezone = known_shops(connection, [shop])[shop].timezone
    dated = facts_of_days(connection, first, last, shops=[shop], metrics=_METRICS)
    here = shop_days(shop, [one.fact for one in dated], timezone)
    found: dict[CauseName, list[str]] = {}
    for name, kind in CAUSE_KINDS.items():
        metrics = [one for one in kind.metrics if one != COVERAGE] or list(_COVERED)
        ids = [
            fact.id for metric in metrics for fact in here.between(metric, first, last)
        ]  # fmt: skip
        found[name] = ids[:_FACTS_MAX]
    return found

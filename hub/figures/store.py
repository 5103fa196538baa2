"""Kept day figures in the database: read, write, what was touched. Adds nothing up."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from hub.codes.draws import Doubt, Spread
from hub.figures.windows import Window
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.facts import Fact

Windows = dict[tuple[str, date], Window]
"""By metric and local day."""


def take_touched(connection: Connection, *, before: datetime) -> tuple[str, list[date]] | None:
    """Take one shop's days to be added up again; None when nothing was touched before then.

    They are gone only if this transaction commits.
    """
    row = connection.execute(question("take_touched_figures"), {"before": before}).fetchone()
    return None if row is None else (row["shop"], row["days"])


def touched_days_of(connection: Connection, shop: str, first: date, last: date) -> set[date]:
    """The days of a shop whose kept figures are older than their facts."""
    asked = {"shop": shop, "first": first, "last": last}
    return {row["day"] for row in connection.execute(question("touched_figures"), asked)}


def kept_windows(
    connection: Connection, shop: str, metrics: Sequence[str], first: date, last: date
) -> tuple[Windows, Windows]:
    """The kept figures of a shop's days, and what of them stems from facts that were removed."""
    rows = connection.execute(
        question("day_figures"),
        {"shop": shop, "metrics": list(metrics), "first": first, "last": last},
    ).fetchall()
    kept = {(row["metric"], row["day"]): _window(row) for row in rows}
    removed = {
        (row["metric"], row["day"]): window_from(row["removed"])
        for row in rows
        if row["removed"] is not None
    }
    return kept, removed


def removed_windows(connection: Connection, shop: str, days: Sequence[date]) -> Windows:
    """What the facts that retention removed gave, on these days of a shop."""
    asked = {"shop": shop, "days": list(days)}
    rows = connection.execute(question("removed_figures"), asked)
    return {(row["metric"], row["day"]): window_from(row["removed"]) for row in rows}


def put_windows(
    connection: Connection, shop: str, touched: Sequence[date], windows: Windows, *, at: datetime
) -> int:
    """Keep the figures of the touched days; those of metrics not told any more go.

    Returns:
        How many rows were new or differed.
    """
    told = sorted(windows.items())
    return connection.execute(
        question("put_day_figures"),
        {
            "shop": shop, "touched": list(touched), "at": at,
            "metrics": [metric for (metric, _), _ in told],
            "days": [day for (_, day), _ in told],
            "values": [one.value for _, one in told], "lows": [one.low for _, one in told],
            "highs": [one.high for _, one in told], "ns": [one.n for _, one in told],
            "coverages": [one.coverage for _, one in told],
            "hours": [one.hours for _, one in told],
            "ended": [one.ended_at for _, one in told], "facts": [one.facts for _, one in told],
            "doubts": [Jsonb(_doubt_json(one.doubt)) for _, one in told],
        },
    ).rowcount  # fmt: skip


def put_window(
    connection: Connection, shop: str, metric: str, day: date, removed: Window, *, at: datetime
) -> None:
    """Keep what facts that are removed gave of a day: from now on the day's figure begins there."""
    connection.execute(
        question("put_removed_figure"),
        {
            "shop": shop, "metric": metric, "day": day, "value": removed.value, "low": removed.low,
            "high": removed.high, "n": removed.n, "coverage": removed.coverage,
            "hours": removed.hours, "ended_at": removed.ended_at, "facts": removed.facts,
            "doubt": Jsonb(_doubt_json(removed.doubt)), "removed": Jsonb(window_json(removed)),
            "at": at,
        },
    )  # fmt: skip


def touch_figures(connection: Connection, shop: str, day: date) -> None:
    """Have a day of a shop added up again."""
    connection.execute(question("touch_figures"), {"shop": shop, "day": day})


def facts_of_metrics(
    connection: Connection, shop: str, metrics: Sequence[str], first: date, last: date
) -> list[Fact]:
    """One shop's facts of these metrics that start on its local days first..last, oldest first."""
    rows = connection.execute(
        question("metric_facts"),
        {"shop": shop, "metrics": list(metrics), "first": first, "last": last},
    )
    return [Fact(start=row.pop("started_at"), end=row.pop("ended_at"), **row) for row in rows]


def window_json(window: Window) -> dict[str, Any]:
    """A window as JSON values."""
    return {
        "value": window.value, "n": window.n, "coverage": window.coverage, "hours": window.hours,
        "ended_at": window.ended_at.isoformat(), "facts": window.facts,
        "doubt": _doubt_json(window.doubt),
    }  # fmt: skip


def window_from(told: Mapping[str, Any]) -> Window:
    """The window of its JSON values."""
    return _window({**told, "ended_at": datetime.fromisoformat(told["ended_at"])})


def _window(row: Mapping[str, Any]) -> Window:
    doubt = row["doubt"]
    return Window(
        value=row["value"], n=row["n"], coverage=row["coverage"], hours=row["hours"],
        ended_at=row["ended_at"], facts=row["facts"],
        doubt=Doubt(
            shared={name: Spread(*sides) for name, sides in doubt["shared"].items()},
            own=Spread(*doubt["own"]),
        ),
    )  # fmt: skip


def _doubt_json(doubt: Doubt) -> dict[str, Any]:
    return {
        "shared": {name: [one.below, one.above] for name, one in doubt.shared.items()},
        "own": [doubt.own.below, doubt.own.above],
    }

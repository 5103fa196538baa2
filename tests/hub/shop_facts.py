"""Facts of a shop for the hub's tests, a day at a time. Draws nothing at random."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from storepulse.facts import Fact

DAY = date(2026, 11, 20)
LATER = datetime(2026, 11, 25, tzinfo=UTC)
"""When the day the tests look at is over."""
SHOP = "17"
NODE = "/storepulse/demo/17/n1"


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def day_fact(metric: str, day: date, value: float | None, **changes: Any) -> Fact:
    """A fact of a whole UTC day, its id made from what it is of."""
    dims = changes.get("dims", {})
    given: dict[str, Any] = {
        "id": f"{metric}|{day}|{sorted(dims.items())}", "shop": SHOP, "metric": metric,
        "start": midnight(day), "end": midnight(day + timedelta(days=1)), "value": value,
        "method": "test/1", "source": NODE,
    }  # fmt: skip
    return Fact(**(given | changes))


def window_fact(metric: str, start: datetime, value: float | None, **changes: Any) -> Fact:
    """A fact of one hour."""
    given: dict[str, Any] = {
        "id": f"{metric}|{start.isoformat()}|{sorted(changes.get('dims', {}).items())}",
        "shop": SHOP, "metric": metric, "start": start, "end": start + timedelta(hours=1),
        "value": value, "method": "test/1", "source": NODE,
    }  # fmt: skip
    return Fact(**(given | changes))


def people(day: date, a_head: float, *, heads: float = 4.0) -> list[Fact]:
    return [
        day_fact("receptions", day, a_head * heads),
        day_fact("staff_on_duty", day, heads),
    ]


def goods(day: date, share: float, *, doubt: float = 0.0, **changes: Any) -> Fact:
    return day_fact(
        "exposure_main_push", day, share, low=max(share - doubt, 0), high=min(share + doubt, 1),
        **({"n": 40, "dims": {"bay": "b1"}} | changes),
    )  # fmt: skip


def dwell(day: date, minutes: float, *, doubt: float = 0.0, **changes: Any) -> Fact:
    return day_fact(
        "dwell_mean", day, minutes, low=max(minutes - doubt, 0), high=minutes + doubt,
        **({"n": 120} | changes),
    )  # fmt: skip


def experiences(day: date, begun: int, dealt: int) -> list[Fact]:
    return [day_fact("experiences", day, begun), day_fact("experience_deals", day, dealt)]


def back(days: int) -> date:
    """So many days before the day the tests look at."""
    return DAY - timedelta(days=days)

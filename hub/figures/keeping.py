"""Keep the day figures up with the facts: what was touched is added up again, and no more.

One shop at a time and some days at a time, so that a shop that comes back after weeks takes no more
memory than one that was never away.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Final

from hub.codes.days import ShopDays, local_day, shop_days
from hub.codes.touched import known_shops
from hub.errors import DatabaseUnavailable
from hub.figures.store import Windows, put_windows, removed_windows, take_touched
from hub.figures.windows import is_correction, together, window_of, windows_of_days
from hub.ingest.facts_store import facts_of_days
from hub.store.database import Connection, Database

_DAYS_AT_ONCE: Final = 3
_SETTLE_S: Final = 30.0
"""A shop's day is added up so long after it was touched: most of what is to come is there then.
Who reads meanwhile gets it from the facts."""
_TICK_S: Final = 5.0

log = logging.getLogger(__name__)


def refresh_one(database: Database, *, now: datetime, settle_s: float = _SETTLE_S) -> int | None:
    """Add up again what was touched of one shop; returns how many figures changed.

    None: nothing was touched so long ago.

    Raises:
        DatabaseUnavailable: it is done the next time.
    """
    with database.connection() as connection:
        taken = take_touched(connection, before=now - timedelta(seconds=settle_s))
        if taken is None:
            return None
        shop, days = taken
        known = known_shops(connection, [shop]).get(shop)
        if known is None:
            return 0
        return sum(_add_up(connection, shop, known.timezone, some, now) for some in _portions(days))


def _portions(days: list[date]) -> Iterator[list[date]]:
    """Days that lie near each other, a few at a time."""
    some: list[date] = []
    for day in days:
        if some and (day - some[0]).days >= _DAYS_AT_ONCE:
            yield some
            some = []
        some.append(day)
    if some:
        yield some


def _add_up(
    connection: Connection, shop: str, timezone: str, touched: Iterable[date], now: datetime
) -> int:
    starts = sorted(set(touched))
    one = timedelta(days=1)
    dated = facts_of_days(connection, starts[0] - one, starts[-1] + one, shops=[shop])
    days = shop_days(shop, (each.fact for each in dated), timezone)
    # A whole day of UTC begins on one local day and may stand for the next.
    wanted = sorted({*starts, *(day + one for day in starts if _reaches_into(days, day + one))})
    windows = {
        place: window
        for place, window in windows_of_days(days, wanted[0], wanted[-1]).items()
        if place[1] in set(wanted)
    }
    windows |= with_removed(days, removed_windows(connection, shop, wanted))
    return put_windows(connection, shop, wanted, windows, at=now)


def _reaches_into(days: ShopDays, day: date) -> bool:
    return any(
        local_day(fact.start, days.timezone) < day
        for told in days.facts.values()
        for fact in told.get(day, ())
    )


def with_removed(days: ShopDays, removed: Windows) -> Windows:
    """What retention removed, together with what has come since.

    A correction of something that was removed cannot be told from it, and is left out.
    """
    found: Windows = {}
    for (metric, day), before in removed.items():
        since = window_of([f for f in days.on(metric, day) if not is_correction(f)], metric)
        both = together([before] if since is None else [before, since], metric)
        assert both is not None
        found[metric, day] = both
    return found


async def keep_figures(
    database: Database, *, now: Callable[[], datetime], tick_s: float = _TICK_S
) -> None:
    """Add up what was touched until cancelled."""
    while True:
        try:
            changed = await asyncio.to_thread(refresh_one, database, now=now())
        except DatabaseUnavailable as error:
            log.warning("day figures wait: %s", error)
            changed = None
        except Exception:
            # What was taken is taken again. Codes and ingest go on whatever is wrong here.
            log.exception("day figures could not be added up; trying again")
            changed = None
        await asyncio.sleep(tick_s if changed is None else 0)

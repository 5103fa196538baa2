"""Keep the hub's codes and actions up to date with its facts. Judges nothing: the pure modules do.

One step, in a transaction for each part, all of it safe to do again:

1. taps whose day is final become facts (`hub.taps.tickets`);
2. the codes of touched shops and days are computed again, and stored where they differ;
3. the codes of each shop's today call for actions (`hub.actions.pushes`), which playbook each says
   is chosen by trials (`hub.actions.choosing`); as many as there is room for are stored, once
   (`hub.actions.plate`); the layouts of trials are told (`hub.experiments.layouts`);
4. actions past their due time become overdue, done ones are confirmed by later words;
5. what met with silence goes one level up, once (`hub.actions.silence`), and what nobody need do
   any more is withdrawn (`hub.actions.withdrawing`).

The couriers bring actions down; a step that failed is done again by the next.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from heapq import nsmallest
from typing import Final

import psycopg

from hub.actions.escalating import confirm, escalate, open_weekdays, withdraw
from hub.actions.following import follow_checklists
from hub.actions.overdue import count_overdue, facts_of_overdue, told_before
from hub.actions.pushing import handed_out_now, may_wait_for_checklist, pushes_of_today
from hub.actions.store import (
    NewAction,
    due_actions,
    insert_actions,
    move_action,
)
from hub.codes.code import Code
from hub.codes.computing import (
    as_stored,
    compute_codes,
    ensure_default_policy,
    read_policies,
)
from hub.codes.days import local_day
from hub.codes.store import insert_codes
from hub.codes.touched import (
    CHANNEL,
    known_shops,
    take_touched_days,
    take_touched_taps,
    touched_shops,
)
from hub.errors import DatabaseUnavailable
from hub.experiments.layouts import tell_layouts
from hub.experiments.store import experiments
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.notices.telling import tell_pushed
from hub.playbooks.store import playbooks_in_force
from hub.store.database import Connection, Database
from hub.taps.experiences import EXPERIENCE_DAYS
from hub.taps.tapping import facts_of_taps

_REACH_DAYS: Final = 27
"""A fact's own day and this many after it: the fold over days begins so far back."""
_SHOPS_AT_ONCE: Final = 100
_TOUCHED_AT_ONCE: Final = 10
"""So many shops' codes are committed, and so shown, together: who waits does not wait for more."""
_PORTIONS_A_STEP: Final = 20
_NEW_DAYS_EVERY: Final = timedelta(seconds=5)
_FOLLOW_UP_EVERY: Final = timedelta(seconds=2)
_FOLLOW_ALL_EVERY: Final = timedelta(minutes=1)
_SILENCE_EVERY: Final = timedelta(seconds=30)
_ROOM_EVERY: Final = timedelta(minutes=1)
_WEIGH_EVERY: Final = timedelta(hours=1)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Done:
    """What one step did."""

    tap_facts: int = 0
    codes: int = 0
    actions: int = 0
    moves: int = 0
    escalated: int = 0
    computed: list[tuple[str, date]] = field(default_factory=list)
    """The shops and days whose codes were computed."""
    more: bool = False
    """Some of what was touched is left for the next step."""

    @property
    def anything(self) -> bool:
        """Whether the step changed the database."""
        return bool(self.tap_facts or self.codes or self.actions or self.moves or self.escalated)


@dataclass(slots=True)
class Scheduler:
    """Works through what was touched. What it holds may be lost: the next one starts over."""

    database: Database
    today_of: dict[str, date] = field(default_factory=dict)
    """The local day up to which each shop's codes and taps have been worked out."""
    waiting: set[str] = field(default_factory=set)
    """Shops whose goods push waits a moment for the node's checklist."""
    held: set[str] = field(default_factory=set)
    """Shops whose codes call for more than there was room for."""
    looked_for_room_at: datetime | None = None
    followed_up_at: datetime | None = None
    followed_all_at: datetime | None = None
    heard_of: set[str] = field(default_factory=set)
    """Shops with new facts since checklists were last followed up."""
    weighed_at: datetime | None = None
    """When it was last looked at what trials have shown."""
    layouts_told_at: datetime | None = None
    overdue_told: dict[str, tuple[date, int]] | None = None
    """Of each shop with overdue checklists the day and number that were told as a fact; None: not
    looked up yet."""
    listened_at: datetime | None = None
    """When silence was last looked for."""
    looked_for_days_at: datetime | None = None
    computed_at: dict[str, float] = field(default_factory=dict)
    """When the codes of each touched shop were last computed, by the monotonic clock."""

    def step(self, now: datetime) -> Done:
        """Do what there is to do at this moment.

        Raises:
            DatabaseUnavailable: what was not committed is done by the next step.
        """
        done = Done()
        new_day = self._new_days(now)
        self._tell_taps(new_day, now, done)
        self._tell_overdue(now)
        self._heed_trials(now, done)
        for some in _portions(sorted(new_day | self.waiting | self._held_for_long(now))):
            self._compute(some, now, done)
        for _ in range(_PORTIONS_A_STEP):
            done.more = self._compute([], now, done)
            if not done.more:
                break
        self._move_actions(now, done)
        self._notice_silence(now, done)
        return done

    def _new_days(self, now: datetime) -> set[str]:
        """The shops for which a day has begun since they were looked at; looks now and then."""
        if not _is_time(self.looked_for_days_at, now, _NEW_DAYS_EVERY):
            return set()
        with self.database.connection() as connection:
            ensure_default_policy(connection)
            shops = known_shops(connection)
        self.looked_for_days_at = now
        return {
            shop
            for shop, known in shops.items()
            if self.today_of.get(shop) != local_day(now, known.timezone)
        }

    def _held_for_long(self, now: datetime) -> set[str]:
        if not _is_time(self.looked_for_room_at, now, _ROOM_EVERY):
            return set()
        self.looked_for_room_at = now
        return set(self.held)

    def _notice_silence(self, now: datetime, done: Done) -> None:
        if _is_time(self.listened_at, now, _SILENCE_EVERY):
            self.listened_at = now
            with self.database.connection() as connection:
                done.escalated += len(escalate(connection, now=now))
                done.moves += confirm(connection, now=now)
                done.moves += withdraw(connection, now=now)

    def _tell_taps(self, new_day: set[str], now: datetime, done: Done) -> None:
        # A new day makes older ones final, without any tap. Two months of taps of ten thousand
        # shops, whose day begins in the same moment, would not fit into memory at once.
        since = now - timedelta(days=EXPERIENCE_DAYS)
        for some in _portions(sorted(new_day)):
            with self.database.connection() as connection:
                done.tap_facts += _tell(connection, dict.fromkeys(some, since), now)
        for _ in range(_PORTIONS_A_STEP):
            with self.database.connection() as connection:
                touched = take_touched_taps(connection, most=_SHOPS_AT_ONCE)
                done.tap_facts += _tell(connection, touched, now)
            if not touched:
                break

    def _tell_overdue(self, now: datetime) -> None:
        with self.database.connection() as connection:
            before = self.overdue_told
            if before is None:
                before = told_before(connection, now=now)
            facts, told = facts_of_overdue(count_overdue(connection), before, now=now)
            insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=now)
        self.overdue_told = told

    def _heed_trials(self, now: datetime, done: Done) -> None:
        """Before the codes: what is pushed by them is chosen by what trials have shown."""
        if _is_time(self.weighed_at, now, _WEIGH_EVERY):
            self.weighed_at = now
            _weigh(self.database, now)
        if _is_time(self.layouts_told_at, now, _ROOM_EVERY):
            self.layouts_told_at = now
            with self.database.connection() as connection:
                told = tell_layouts(connection, playbooks_in_force(connection), now=now)
                tell_pushed(connection, told, now=now)
                done.actions += len(told)

    def _compute(self, also: Sequence[str], now: datetime, done: Done) -> bool:
        """Compute some touched days and today of these shops; False if nothing was touched."""
        with self.database.connection() as connection:
            touched = take_touched_days(connection, self._longest_waiting(connection))
            shops = known_shops(connection, sorted({*touched, *also}))
            todays = {shop: local_day(now, known.timezone) for shop, known in shops.items()}
            wanted = {
                shop: _days_to_compute(
                    touched.get(shop, []), todays[shop], also=shop in also,
                    known_since=local_day(known.since, known.timezone),
                )
                for shop, known in shops.items()
            }  # fmt: skip
            codes = [
                code
                for four in compute_codes(connection, wanted, read_policies(connection), now=now)
                for code in four
            ]
            stored = insert_codes(connection, [as_stored(one, computed_at=now) for one in codes])
            done.codes += len(stored)
            done.computed += sorted({(code.shop, code.day) for code in codes})
            done.actions += self._push(connection, codes, todays, now)
        self.today_of |= {shop: todays[shop] for shop in also if shop in todays}
        self.computed_at |= dict.fromkeys(touched, time.monotonic())
        return bool(touched)

    def _longest_waiting(self, connection: Connection) -> list[str]:
        """Some touched shops, those first whose codes are oldest.

        A node that speaks every second cannot hold up the one that speaks for the first time
        today, and what it says meanwhile is computed once.
        """
        touched = touched_shops(connection)
        return nsmallest(
            _TOUCHED_AT_ONCE, touched, key=lambda shop: self.computed_at.get(shop, 0.0)
        )

    def _push(
        self,
        connection: Connection,
        codes: Sequence[Code],
        todays: Mapping[str, date],
        now: datetime,
    ) -> int:
        by_shop: dict[str, list[Code]] = {}
        for code in codes:
            if code.day == todays[code.shop]:
                by_shop.setdefault(code.shop, []).append(code)
        books = playbooks_in_force(connection)
        called_for = pushes_of_today(connection, by_shop, now=now, playbooks=books)
        waiting = {
            one.shop for one in called_for if may_wait_for_checklist(connection, one, now=now)
        }
        self.waiting = (self.waiting - set(by_shop)) | waiting
        ready = [
            one for one in called_for if not (one.shop in waiting and one.dimension == "goods")
        ]
        weekdays = open_weekdays(read_policies(connection), now)
        chosen = handed_out_now(connection, ready, weekdays=weekdays, now=now)
        self.held = (self.held - set(by_shop)) | (
            {one.shop for one in ready} if len(chosen) < len(ready) else set()
        )
        new = [NewAction(action=one, subject=one.checklist or "") for one in chosen]
        inserted = insert_actions(connection, new)
        tell_pushed(connection, inserted, now=now)
        return len(inserted)

    def _move_actions(self, now: datetime, done: Done) -> None:
        self.heard_of |= {shop for shop, _ in done.computed}
        with self.database.connection() as connection:
            for action in due_actions(connection, now=now):
                if move_action(connection, action, "due_time_passed", at=now) is not None:
                    done.moves += 1
            if _is_time(self.followed_up_at, now, _FOLLOW_UP_EVERY):
                self.followed_up_at = now
                # Now and then all: what was done may be told after the photo that shows it.
                is_whole = _is_time(self.followed_all_at, now, _FOLLOW_ALL_EVERY)
                self.followed_all_at = now if is_whole else self.followed_all_at
                heard_of = None if is_whole else frozenset(self.heard_of)
                done.moves += follow_checklists(connection, heard_of, now=now)
                self.heard_of.clear()


def _tell(connection: Connection, oldest: Mapping[str, datetime], now: datetime) -> int:
    """Tell the facts that these shops' taps make since a moment each; returns how many."""
    facts = facts_of_taps(connection, oldest, now=now)
    insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=now)
    return len(facts)


def _weigh(database: Database, now: datetime) -> None:
    with database.connection() as connection:
        if not any(one.starts_on is not None for one in experiments(connection)):
            return
    # Only where there is a trial: loading what estimates takes seconds on a small machine.
    from hub.experiments.running import tell_worths

    tell_worths(database, now=now)


def _is_time(last: datetime | None, now: datetime, every: timedelta) -> bool:
    """Also when the clock was put back."""
    return last is None or now - last >= every or now < last


def _portions(shops: Sequence[str]) -> Iterator[Sequence[str]]:
    """Some shops at a time: a transaction of ten thousand would hold up everybody."""
    for first in range(0, len(shops), _SHOPS_AT_ONCE):
        yield shops[first : first + _SHOPS_AT_ONCE]


def _days_to_compute(
    touched: Iterable[date], today: date, *, also: bool, known_since: date
) -> list[date]:
    """The days whose codes a fact of the touched days can change, up to the shop's today.

    Facts of days to come (a clock that is wrong, or a forecast) change nothing yet.
    """
    past = [day for day in touched if day <= today]
    days = {today} if also or past else set()
    yesterday = today - timedelta(days=1)
    if also and known_since <= yesterday:
        # While it ran it was not judged by half; now that it is over it is, without a new fact.
        days.add(yesterday)
    for day in past:
        # Conversion looks back 28 days, and the fold over days as many again.
        reach = min(today, day + timedelta(days=_REACH_DAYS + EXPERIENCE_DAYS))
        days |= {day + timedelta(days=n) for n in range((reach - day).days + 1)}
    return sorted(days)


async def schedule(
    database: Database,
    *,
    now: Callable[[], datetime],
    tick_s: float = 1.0,
    retry_s: float = 5.0,
    after_step: Callable[[Done], None] | None = None,
    scheduler: Scheduler | None = None,
) -> None:
    """Step whenever the database says that something was touched, and every `tick_s` anyway."""
    scheduler = scheduler or Scheduler(database)
    while True:
        try:
            done = await asyncio.to_thread(scheduler.step, now())
            if after_step is not None:
                after_step(done)
            if not done.more:
                await asyncio.to_thread(_wait_for_touch, database, tick_s)
        except DatabaseUnavailable as error:
            log.warning("codes wait: %s", error)
            await asyncio.sleep(retry_s)
        except Exception:
            # What the step took is taken again. Ingest must go on whatever is wrong with codes.
            log.exception("codes could not be computed; trying again in %s s", retry_s)
            await asyncio.sleep(retry_s)


def _wait_for_touch(database: Database, at_most_s: float) -> None:
    """Return when something was touched, or after `at_most_s`."""
    with database.connection() as connection:
        connection.commit()
        connection.autocommit = True
        try:
            connection.execute(f"listen {CHANNEL}")
            if touched_shops(connection):
                return  # between the step and `listen`
            for _ in connection.notifies(timeout=at_most_s, stop_after=1):
                pass
        finally:
            _stop_listening(connection)


def _stop_listening(connection: Connection) -> None:
    if not connection.closed:
        try:
            connection.execute("unlisten *")
            connection.autocommit = False
        except psycopg.Error:
            connection.close()

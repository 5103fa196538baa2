"""What access points and a door counter told, gathered by day until it may be told on. Pure.

Of sightings only the first and the last quarter of an hour of a day are kept: nothing of any phone.
Of passages the number of people by quarter of an hour. A day is told when it is over, and with the
next one where fewer than five people came in.
"""

from collections.abc import Iterable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from probes.facts import day_of
from probes.modes import Listening
from probes.replay import FINEST_S
from probes.sighting_facts import facts_of_passages, facts_of_sightings
from probes.sources.port import Evidence, Hearing, Passage, Sighting
from storepulse.facts import Fact

GRACE_S: Final = 900.0
"""Counters that tell each quarter of an hour tell the day's last one after midnight."""


class ToldDays:
    """The days that have begun and are not told yet, of one source of one shop."""

    def __init__(
        self, listening: Listening, *, shop: str, source: str, door_error: float | None = None
    ) -> None:
        self._listening = listening
        self._shop = shop
        self._source = source
        self._door_error = door_error
        self._seen: dict[date, tuple[float, float, Evidence]] = {}
        self._entered: dict[int, int] = {}
        self.told_through: date | None = None
        """The last day of passages that was told: what comes of it later comes too late."""
        self.late = 0
        """People whose day was told already."""

    def hear(self, hearings: Iterable[Hearing]) -> list[Passage]:
        """Take what was heard in; return the passages that count, for whoever keeps them."""
        kept = []
        for one in hearings:
            if isinstance(one, Sighting):
                self._see(one)
            elif isinstance(one, Passage):
                day = self._day(one.time_s)
                if self.told_through is not None and day <= self.told_through:
                    self.late += one.entered
                    continue
                quarter = int(one.time_s // FINEST_S * FINEST_S)
                self._entered[quarter] = self._entered.get(quarter, 0) + one.entered
                kept.append(one)
        return kept

    def due(self, now_s: float) -> list[Fact]:
        """The facts of all days that are over, each told once. Empty when there is none."""
        today = self._day(now_s - GRACE_S)
        return self._sightings_before(today) + self._passages_before(today)

    def leave(self) -> list[Fact]:
        """Listening ends: what was seen today is told as far as it goes, passages stay untold."""
        return self._sightings_before(date.max)

    def untold(self, passages: Iterable[Passage]) -> list[Passage]:
        """Those whose day is not told yet."""
        through = self.told_through
        return [one for one in passages if through is None or self._day(one.time_s) > through]

    def _see(self, one: Sighting) -> None:
        # To the quarter of an hour, here already: the moment of one phone is nobody's business.
        quarter = one.time_s // FINEST_S * FINEST_S
        day = self._day(quarter)
        first, last, _ = self._seen.get(day, (quarter, quarter, one.evidence))
        self._seen[day] = min(first, quarter), max(last, quarter), one.evidence

    def _sightings_before(self, day: date) -> list[Fact]:
        found: list[Fact] = []
        for over in sorted(one for one in self._seen if one < day):
            first, last, evidence = self._seen.pop(over)
            bare = (Sighting(at, 0, False, None, None, None, evidence) for at in (first, last))
            found += facts_of_sightings(
                bare, listening=self._listening, shop=self._shop, source=self._source
            )
        return found

    def _passages_before(self, day: date) -> list[Fact]:
        over = {at: n for at, n in sorted(self._entered.items()) if self._day(at) < day}
        if not over or self._door_error is None:
            return []
        found = facts_of_passages(
            [Passage(float(at), entered, 0) for at, entered in over.items()],
            error_share=self._door_error, timezone=self._listening.timezone, shop=self._shop,
            source=self._source,
        )  # fmt: skip
        if found:
            self.told_through = max(self._day(at) for at in over)
            self._entered = {at: n for at, n in self._entered.items() if at not in over}
        return found

    def _day(self, time_s: float) -> date:
        return day_of(time_s, ZoneInfo(self._listening.timezone))

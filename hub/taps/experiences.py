"""Which experiences are ripe to be counted on a day, and how many had a deal. Pure.

Ripe: begun 72 h to 28 days before the end of the shop's day. A deal counts for its experience when
it was made within 72 h of it; the facts say so (`experience_deals`), `hub.taps.tickets` makes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum
from typing import Final

import numpy as np

from hub.codes.days import ShopDays, coverage_of, day_start, figure_of, hours_of, totals
from hub.codes.draws import Draws, estimate
from hub.codes.policy import WEEKDAYS, open_days
from storepulse.facts import Fact

DEAL_WITHIN_HOURS: Final = 72
"""An experience counts once it is this old; a deal counts for it until then."""
EXPERIENCE_DAYS: Final = 28
"""Experiences older than this are no longer counted."""


@dataclass(frozen=True, slots=True)
class ExperienceDay:
    """One local day's experiences and their deals."""

    begun: Sequence[Fact]
    dealt: Sequence[Fact]
    ends: datetime
    experiences: float
    deals: float
    coverage: float
    exact: bool
    facts: tuple[str, ...]


ExperienceDays = Mapping[date, ExperienceDay]


def experience_days(days: ShopDays) -> ExperienceDays:
    """The local days that have word of both: no word of deals is not "no deals"."""
    found: dict[date, ExperienceDay] = {}
    for day in days.facts.get("experiences", {}):
        begun, dealt = totals(days.on("experiences", day)), totals(days.on("experience_deals", day))
        facts = [*begun, *dealt]
        if not dealt or any(fact.value is None for fact in facts):
            continue
        found[day] = ExperienceDay(
            begun=begun,
            dealt=dealt,
            ends=max(fact.end for fact in facts),
            experiences=fsum(fact.value or 0.0 for fact in begun),
            deals=fsum(fact.value or 0.0 for fact in dealt),
            coverage=min(coverage_of(begun, hours_of), coverage_of(dealt, hours_of)),
            exact=all(fact.exact for fact in facts),
            facts=tuple(fact.id for fact in facts),
        )
    return found


def ripe_days(by_day: ExperienceDays, days: ShopDays, day: date) -> list[ExperienceDay]:
    """The days whose experiences are ripe as of the end of a day, oldest first."""
    end = day_start(day + timedelta(days=1), days.timezone)
    ripe_until = end - timedelta(hours=DEAL_WITHIN_HOURS)
    window = (by_day.get(at) for at in open_days(WEEKDAYS, until=day, count=EXPERIENCE_DAYS))
    return [one for one in window if one is not None and one.ends <= ripe_until]


def drawn_counts(ripe: Sequence[ExperienceDay], day: date) -> tuple[Draws, Draws]:
    """Draws of experiences and deals where a count is an estimate itself; deals stay below."""
    begun = [fact for one in ripe for fact in one.begun]
    dealt = [fact for one in ripe for fact in one.dealt]
    drawn = []
    for name, facts in (("experiences", begun), ("deals", dealt)):
        figure = figure_of(facts, [1.0] * len(facts), facts, coverage=1.0)
        drawn.append(estimate(figure.value, figure.doubt, name=f"{name}|{day}").sample())
    n, k = np.broadcast_arrays(*drawn)
    return n, np.minimum(k, n)

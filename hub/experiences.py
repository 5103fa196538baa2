"""Which experiences are ripe to be counted on a day, and how many had a deal. Pure.

Ripe: begun 72 h to 28 days before the end of the shop's day. A deal counts for its experience when
it was made within 72 h of it; the facts say so (`experience_deals`), `hub.tickets` makes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum
from typing import Final

from hub.days import Figure, ShopDays, Unseen, coverage_of, day_start, figure_of, hours_of, totals
from hub.draws import Doubt
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
        )
    return found


def ripe_counts(
    by_day: ExperienceDays, days: ShopDays, day: date
) -> tuple[Figure, Figure] | Unseen:
    """The ripe experiences as of the end of a day, and their deals.

    Returns:
        (experiences, deals), or why not.
    """
    first = day - timedelta(days=EXPERIENCE_DAYS - 1)
    end = day_start(day + timedelta(days=1), days.timezone)
    ripe_until = end - timedelta(hours=DEAL_WITHIN_HOURS)
    window = (first + timedelta(days=n) for n in range(EXPERIENCE_DAYS))
    ripe = [by_day[at] for at in window if at in by_day and by_day[at].ends <= ripe_until]
    if not ripe:
        return Unseen(
            f"no experiences with their deals from {first.isoformat()} to 72 h before the end of "
            f"{day.isoformat()}"
        )
    coverage = fsum(one.coverage for one in ripe) / len(ripe)
    begun = [fact for one in ripe for fact in one.begun]
    dealt = [fact for one in ripe for fact in one.dealt]
    if all(one.exact for one in ripe):
        return (
            _counted(begun, fsum(one.experiences for one in ripe), coverage),
            _counted(dealt, fsum(one.deals for one in ripe), coverage),
        )
    return (
        figure_of(begun, [1.0] * len(begun), begun, coverage=coverage),
        figure_of(dealt, [1.0] * len(dealt), dealt, coverage=coverage),
    )


def _counted(facts: Sequence[Fact], value: float, coverage: float) -> Figure:
    # The common case, spared the work of adding up doubt that is not there.
    ids = tuple(sorted(fact.id for fact in facts))
    return Figure(value, Doubt(), ids, coverage, n=None, span_hours=24.0 * EXPERIENCE_DAYS)

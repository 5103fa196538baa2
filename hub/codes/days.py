"""From a shop's facts to the figures of its local days, with their doubt. Pure: no clock, no store.

How facts add up (the catalogue says which way a metric goes):

* A sum adds its windows; a mean weighs them by n, else by length, else evenly; people of two zones
  are added.
* Errors of one source and method are one error, fully correlated, but for the share that a fact
  calls independent.
* Hour and day estimates are facts of their own: of one source and place, a fact whose window lies
  inside another one's is left out, and a fact of the whole day takes the place of all others.
* Where facts without dims exist, they are taken in place of those that break the figure down.
* A corrected fact carries a version at the end of its id ("...~2"): the highest one counts.
* Photos: the newest fact of each place (its dims) counts, however many were taken that day, and a
  place that a round asked for and no photo showed counts as planned and not seen.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import fsum, hypot, sqrt
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.codes.draws import Doubt, Spread
from hub.codes.reasons import (
    facts_without_value,
    facts_without_value_up_to,
    no_facts,
    no_facts_between,
)
from hub.metrics import CATALOGUE
from storepulse.checklists import Sentence
from storepulse.errors import BadInput
from storepulse.facts import Fact
from storepulse.units import Z90

DAY_WINDOW_HOURS_MIN: Final = 20
"""A fact this long is a day's own: a day of clock change has 23 hours, a feed may round."""
_MIDDAY: Final = time(15, 30)
"""The middle of usual opening hours. A node tells days of UTC: such a day is that of the shop's
local day whose midday it holds, wherever on earth the shop is."""
ANNOTATIONS: Final = frozenset(
    {
        "basis", "calibrated", "mode", "planned", "planogram", "planogram_version", "replayed",
        "round", "unknown_because",
    }
)  # fmt: skip
"""Dims that say how a figure came about. All others say what part of the shop it is of."""
_VERSION = re.compile(r"(.+)~(\d{1,9})")
_Place = tuple[tuple[str, str], ...]


class UnknownTimezone(BadInput):
    """A shop's time zone that the tz database does not know."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A figure that cannot be said, why, and the facts that were looked at."""

    reason: Sentence
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric of one day (or of the newest photos), added up."""

    value: float
    doubt: Doubt
    facts: tuple[str, ...]
    coverage: float
    n: int | None
    """Observations behind it; None where a fact did not say."""
    span_hours: float
    """From the first window's start to the last one's end; 24 for a fact of the whole day."""


@dataclass(frozen=True, slots=True)
class ShopDays:
    """A shop's facts by metric and local day, each once, replaced ones left out."""

    shop: str
    timezone: str
    facts: Mapping[str, Mapping[date, tuple[Fact, ...]]]
    first: date | None
    """The local day of the oldest fact; None without facts."""

    def on(self, metric: str, day: date) -> tuple[Fact, ...]:
        """The facts of one metric that started on this local day, oldest first."""
        return self.facts.get(metric, {}).get(day, ())

    def between(self, metric: str, first: date, last: date) -> list[Fact]:
        """The facts of one metric of the local days from `first` to `last`, oldest first."""
        days = self.facts.get(metric, {})
        if not days:
            return []
        span = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [fact for day in span if day in days for fact in days[day]]


@lru_cache(maxsize=512)
def zone(timezone: str) -> ZoneInfo:
    """The time zone of this name. Raises UnknownTimezone."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimezone(
            f"time zone {timezone!r} is not known; use a name such as Europe/Berlin"
        ) from error


def local_day(moment: datetime, timezone: str) -> date:
    """The shop's date at this moment."""
    return moment.astimezone(zone(timezone)).date()


def day_start(day: date, timezone: str) -> datetime:
    """The moment at which a shop's local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone(timezone))


def shop_days(shop: str, facts: Iterable[Fact], timezone: str) -> ShopDays:
    """Sort a shop's facts into local days. Facts of other shops are an error of the caller.

    Neither the order of the facts nor a fact given twice makes a difference.

    Raises:
        ValueError: a fact is of another shop.
        UnknownTimezone: the time zone is none.
    """
    here = zone(timezone)
    once = {fact.id: fact for fact in sorted(facts, key=_order)}
    sorted_in: dict[str, dict[date, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    of_window: dict[tuple[datetime, datetime], date] = {}
    for fact in once.values():
        if fact.shop != shop:
            raise ValueError(f"fact {fact.id} is of shop {fact.shop}, not {shop}")
        # Many facts share few windows, and a time zone takes long to ask.
        window = (fact.start, fact.end)
        day = of_window.get(window)
        if day is None:
            day = of_window[window] = _day_of(fact, here)
        sorted_in[fact.metric][day].append(fact)
    kept = {
        metric: {day: _not_replaced(found) for day, found in days.items()}
        for metric, days in sorted_in.items()
    }
    return ShopDays(shop, timezone, kept, min(of_window.values(), default=None))


def _order(fact: Fact) -> tuple[datetime, datetime, str]:
    return (fact.start, fact.end, fact.id)


def hours_of(fact: Fact) -> float:
    """How long a fact's window is."""
    return (fact.end - fact.start).total_seconds() / 3600


def _day_of(fact: Fact, here: ZoneInfo) -> date:
    """The local day a fact is of: that of its start, for a whole day that of its midday."""
    start = fact.start.astimezone(here)
    day = start.date()
    if hours_of(fact) < DAY_WINDOW_HOURS_MIN or start.time() <= _MIDDAY:
        return day
    after = day + timedelta(days=1)
    return after if datetime.combine(after, _MIDDAY, here) < fact.end else day


def _place(fact: Fact) -> _Place:
    """What part of the shop a fact is of; empty for all of it."""
    return _place_of(tuple(fact.dims.items())) if fact.dims else ()


@lru_cache(maxsize=4096)
def _place_of(dims: _Place) -> _Place:
    # A shop's facts have few different ones, and each fact is asked several times.
    return tuple(sorted(item for item in dims if item[0] not in ANNOTATIONS))


def version_of(fact_id: str) -> tuple[str, int]:
    """Split an id into its series and version; 1 where none is said."""
    found = _VERSION.fullmatch(fact_id)
    return (found[1], int(found[2])) if found else (fact_id, 1)


def _not_replaced(facts: list[Fact]) -> tuple[Fact, ...]:
    """One metric's facts of one day without those that another takes the place of."""
    if len(facts) == 1:
        return tuple(facts)
    series: dict[tuple[str, _Place], list[Fact]] = defaultdict(list)
    for fact in _highest_versions(facts):
        series[fact.source, _place(fact)].append(fact)
    return tuple(sorted((fact for some in series.values() for fact in _widest(some)), key=_order))


def _widest(facts: list[Fact]) -> list[Fact]:
    """What one source says of one place on one day, each stretch once."""
    newest_first = sorted(facts, key=_newer, reverse=True)
    # A day of UTC may begin on the day before: it stands for the local day, wherever it lies.
    whole_day = [fact for fact in newest_first if hours_of(fact) >= DAY_WINDOW_HOURS_MIN]
    if whole_day:
        # One source cannot mean two whole days: the newer method's word counts.
        return whole_day[:1]
    kept: list[Fact] = []
    for fact in sorted(newest_first, key=lambda fact: (fact.start, -fact.end.timestamp())):
        # Of those kept the last one ends last. Two moments are two, even at the same second.
        if not kept or fact.start >= kept[-1].end or fact.end > kept[-1].end:
            kept.append(fact)
    return kept


def _newer(fact: Fact) -> tuple[str, datetime, datetime, str]:
    return (fact.method, fact.end, fact.start, fact.id)


def _highest_versions(facts: list[Fact]) -> list[Fact]:
    if not any("~" in fact.id for fact in facts):
        return facts
    highest: dict[tuple[str, str], tuple[int, Fact]] = {}
    for fact in facts:
        series, version = version_of(fact.id)
        key = (fact.source, series)
        if key not in highest or version > highest[key][0]:
            highest[key] = (version, fact)
    return [fact for _, fact in highest.values()]


def totals(facts: Sequence[Fact]) -> Sequence[Fact]:
    """The facts that are not broken down, where there are any."""
    return [fact for fact in facts if not _place(fact)] or facts


def day_figure(days: ShopDays, metric: str, day: date) -> Figure | Unseen:
    """One metric of one local day, by the catalogue's way of adding up."""
    told = days.on(metric, day)
    figure = added_up(told, metric)
    if figure is not None:
        return figure
    found = totals(told)
    if not found:
        return Unseen(no_facts(metric, day))
    return Unseen(facts_without_value(metric, day), _ids(found))


def added_up(told: Sequence[Fact], metric: str) -> Figure | None:
    """The facts of one metric and window by the catalogue's way; None without a known value.

    Args:
        told: each stretch once, replaced facts left out (`shop_days` sees to it).
    """
    if len(told) == 1 and told[0].value is not None:
        return _figure_of_one(told[0])
    found = totals(told)
    known = [fact for fact in found if fact.value is not None]
    if not known:
        return None
    described = CATALOGUE[metric]
    match described.adds_up:
        case "sum":
            weights = [1.0] * len(known)
        case "mean" if described.unit == "people":
            weights = _shares_of_places(known)
        case "mean":
            weights = _shares(known)
        case "last":
            known = [max(known, key=lambda fact: (fact.end, fact.start, fact.id))]
            weights = [1.0]
        case "any":
            known = [max(known, key=lambda fact: (fact.value or 0.0, fact.id))]
            weights = [1.0]
    return figure_of(known, weights, found, coverage=coverage_of(found, hours_of))


def newest_photos(days: ShopDays, metric: str, first: date, last: date) -> Figure | Unseen:
    """A mean over places by the newest fact of each, weighted by n (facings seen).

    The coverage is the share of what was planned that was seen, over all places: one whose newest
    fact is unknown lowers it; it is not zero. A fact whose dims say that another metric stood in
    for this one (`basis`) is none of this metric.
    """
    return of_places(days.between(metric, first, last), metric, first, last)


def of_places(facts: Iterable[Fact], metric: str, first: date, last: date) -> Figure | Unseen:
    """As `newest_photos`, of facts of one metric from `first` to `last`."""
    told = [fact for fact in facts if _own_basis(fact)]
    newest = {_place(fact): fact for fact in sorted(told, key=_ended)}
    found = [fact for place, fact in newest.items() if not _overtaken(place, fact, newest)]
    if not found:
        return Unseen(no_facts_between(metric, first, last))
    known = [fact for fact in found if fact.value is not None]
    if not known:
        return Unseen(facts_without_value_up_to(metric, last), _ids(found))
    counted = all(fact.n is not None for fact in found) and any(fact.n for fact in known)
    weights = _normalised([float(fact.n or 0) if counted else 1.0 for fact in known])
    coverage = coverage_of(found, _planned if counted else lambda _: 1.0)
    return figure_of(known, weights, found, coverage=coverage)


def _planned(fact: Fact) -> float:
    """How many things were planned there: as the fact says, else what it saw by its coverage."""
    said = fact.dims.get("planned", "")
    if said.isascii() and said.isdigit():
        return float(said)
    return (fact.n or 0) / fact.coverage if fact.coverage > 0 else 0.0


def _own_basis(fact: Fact) -> bool:
    return fact.dims.get("basis", "") not in CATALOGUE or fact.dims["basis"] == fact.metric


def _ended(fact: Fact) -> tuple[datetime, datetime, str]:
    return (fact.end, fact.start, fact.id)


def _overtaken(place: _Place, fact: Fact, newest: Mapping[_Place, Fact]) -> bool:
    """Whether a fact over a wider place, or a newer one of a part of it, says the same already.

    Both "bay 1" and "bay 1, product 3" would count bay 1 twice.
    """
    here = set(place)
    for other_place, other in newest.items():
        there = set(other_place)
        if there < here and other.end >= fact.end:
            return True
        if here < there and other.end > fact.end:
            return True
    return False


def _ids(facts: Iterable[Fact]) -> tuple[str, ...]:
    return tuple(sorted(fact.id for fact in facts))


def _normalised(weights: list[float]) -> list[float]:
    total = fsum(weights)
    return [weight / total for weight in weights]


def _shares(facts: Sequence[Fact]) -> list[float]:
    """Weights of a mean, adding up to 1: by n, else by length, else even."""
    if all(fact.n is not None for fact in facts) and any(fact.n for fact in facts):
        return _normalised([float(fact.n or 0) for fact in facts])
    if any(fact.end > fact.start for fact in facts):
        return _normalised([hours_of(fact) for fact in facts])
    return _normalised([1.0] * len(facts))


def _shares_of_places(facts: Sequence[Fact]) -> list[float]:
    """Weights that add up the means of the places: two here and three there are five people."""
    by_place: dict[_Place, list[int]] = defaultdict(list)
    for number, fact in enumerate(facts):
        by_place[_place(fact)].append(number)
    weights = [0.0] * len(facts)
    for numbers in by_place.values():
        for number, share in zip(numbers, _shares([facts[n] for n in numbers]), strict=True):
            weights[number] = share
    return weights


def coverage_of(facts: Sequence[Fact], weight: Callable[[Fact], float]) -> float:
    """Mean coverage; an unknown window covers nothing, unless nobody was there to be seen."""
    weights = [weight(fact) for fact in facts]
    if not any(weights):
        weights = [1.0] * len(facts)
    seen = [
        w * (fact.coverage if fact.value is not None or fact.n == 0 else 0.0)
        for w, fact in zip(weights, facts, strict=True)
    ]
    return fsum(seen) / fsum(weights)


def _figure_of_one(fact: Fact) -> Figure:
    """What every way of adding up gives for a single fact; most days of a feed hold no more."""
    return Figure(
        value=fact.value or 0.0,
        doubt=_doubt([fact], [1.0]),
        facts=(fact.id,),
        coverage=fact.coverage,
        n=fact.n,
        span_hours=hours_of(fact),
    )


def figure_of(
    known: Sequence[Fact], weights: Sequence[float], found: Sequence[Fact], *, coverage: float
) -> Figure:
    """Add up facts that have a value; `found` are all that were looked at."""
    values = [w * (fact.value or 0.0) for w, fact in zip(weights, known, strict=True)]
    span = max(fact.end for fact in found) - min(fact.start for fact in found)
    counted = all(fact.n is not None for fact in known)
    return Figure(
        value=fsum(values),
        doubt=_doubt(known, weights),
        facts=_ids(found),
        coverage=coverage,
        n=sum(fact.n or 0 for fact in known) if counted else None,
        span_hours=span.total_seconds() / 3600,
    )


_NO_DOUBT: Final = Doubt()


def _doubt(facts: Sequence[Fact], weights: Sequence[float]) -> Doubt:
    if all(fact.low is None for fact in facts):
        return _NO_DOUBT
    shared: dict[str, list[tuple[float, float]]] = defaultdict(list)
    own_below: list[float] = []
    own_above: list[float] = []
    for fact, weight in zip(facts, weights, strict=True):
        if fact.value is None or fact.low is None or fact.high is None:
            continue
        below = weight * (fact.value - fact.low) / Z90
        above = weight * (fact.high - fact.value) / Z90
        if not below and not above:
            continue
        together, alone = sqrt(1 - fact.independent), sqrt(fact.independent)
        if together:
            shared[f"{fact.source}|{fact.method}"].append((below * together, above * together))
        if alone:
            own_below.append(below * alone)
            own_above.append(above * alone)
    return Doubt(
        shared={
            name: Spread(fsum(b for b, _ in sides), fsum(a for _, a in sides))
            for name, sides in sorted(shared.items())
        },
        own=Spread(hypot(*own_below), hypot(*own_above)),
    )

"""Turn a replay into facts for the wire. Nothing about fewer than five visitors leaves. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor, sqrt
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from probes.dwell import DwellEstimate, estimate_dwell
from probes.occupancy import Occupancy, merged
from probes.replay import BOUNCE_UNKNOWN, HOUR_S, METHOD, Replay
from probes.visits import Visit
from storepulse.facts import Fact
from storepulse.units import Z90

VISITORS_MIN: Final = 5
"""k: a figure about fewer visitors is a figure about persons."""
MODE: Final = "standard"
"""State of a phone lives in memory until its visit closes (docs/privacy.md)."""
DAY_S: Final = 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of hours, and the visits that began in it."""

    start_s: int
    end_s: int
    count: int
    visits: tuple[Visit, ...]
    """A fair sample, at most some hundreds."""


def merge_until_enough(hours: Sequence[Stretch], k: int = VISITORS_MIN) -> list[Stretch]:
    """Merge neighbouring stretches, in order, until each holds at least k visits.

    No visit is dropped: what is left over at the end joins the last stretch. Empty when all
    together hold fewer than k.
    """
    done: list[Stretch] = []
    growing: Stretch | None = None
    for hour in hours:
        growing = hour if growing is None else _joined(growing, hour)
        if growing.count >= k:
            done.append(growing)
            growing = None
    if growing is not None and done:
        done[-1] = _joined(done[-1], growing)
    return done


def _joined(first: Stretch, second: Stretch) -> Stretch:
    return Stretch(
        first.start_s,
        second.end_s,
        first.count + second.count,
        _fair(first, second) + _fair(second, first),
    )


def _fair(one: Stretch, other: Stretch) -> tuple[Visit, ...]:
    """As many of one's kept visits as the other's share of kept ones allows.

    Two samples of hours that were not equally busy would else give the quiet hour too much weight.
    """
    kept, count = len(one.visits), one.count
    if not kept or not other.count or kept * other.count <= len(other.visits) * count:
        return one.visits
    wanted = round(len(other.visits) * count / other.count)
    return tuple(one.visits[number * kept // wanted] for number in range(wanted))


def facts_of(replay: Replay, *, shop: str, source: str) -> list[Fact]:
    """Facts by hour (or more hours, until five visitors are reached) and by day, all of them UTC.

    Args:
        shop: whose they are; source: who says so, e.g. a node's path.
    Returns:
        dwell_mean, bounce_45s (unknown, with its reason in dims), visitors, occupancy. Empty when
        fewer than five visitors were heard in all. The share of frames lost is not among them: a
        capture file does not say it.
    """
    hours = [
        Stretch(hour, hour + HOUR_S, sample.count, tuple(sample.kept))
        for hour, sample in sorted(replay.by_hour.items())
    ]
    found: list[Fact] = []
    for stretch in merge_until_enough(hours):
        found += _facts(replay, stretch, shop, source)
    by_day: dict[int, Stretch] = {}
    for hour in hours:
        day = floor(hour.start_s / DAY_S) * DAY_S
        whole = Stretch(day, day + DAY_S, hour.count, hour.visits)
        by_day[day] = _joined(by_day[day], whole) if day in by_day else whole
    for stretch in merge_until_enough([by_day[day] for day in sorted(by_day)]):
        found += _facts(replay, stretch, shop, source)
    # One hour that is the whole day's stretch would be said twice otherwise.
    return list({fact.id: fact for fact in found}.values())


def _facts(replay: Replay, stretch: Stretch, shop: str, source: str) -> Iterator[Fact]:
    start = datetime.fromtimestamp(stretch.start_s, UTC)
    end = datetime.fromtimestamp(stretch.end_s, UTC)
    inside = [w for w in replay.occupancy if stretch.start_s <= w.start_s < stretch.end_s]
    known = sum(w.covered for w in inside if w.people is not None)
    coverage = min(1.0, known / ((stretch.end_s - stretch.start_s) / 600))

    def fact(
        metric: str, figure: tuple[float | None, float | None, float | None], reason: str | None
    ) -> Fact:
        value, low, high = figure
        said = f"{source}|{METHOD}|{shop}|{metric}|{start.isoformat()}|{end.isoformat()}"
        dims = {"mode": MODE, "calibrated": replay.calibration.learnt_on}
        if reason is not None:
            dims["unknown_because"] = reason[:200]
        return Fact(
            id=str(uuid5(NAMESPACE_URL, said)), shop=shop, metric=metric, start=start, end=end,
            value=value, low=low, high=high, n=stretch.count, coverage=coverage, dims=dims,
            method=METHOD, source=source,
        )  # fmt: skip

    dwell = estimate_dwell(
        stretch.visits,
        replay.calibration.paces,
        error_share=replay.calibration.dwell_error_share,
    )
    yield fact("dwell_mean", (dwell.mean, dwell.low, dwell.high), dwell.reason)
    yield fact("bounce_45s", (None, None, None), BOUNCE_UNKNOWN)
    yield fact("visitors", _visitors(stretch.count, dwell), dwell.reason)
    people: Occupancy | None = merged(inside)
    if people is not None:
        yield fact("occupancy", (people.people, people.low, people.high), None)


def _visitors(heard: int, dwell: DwellEstimate) -> tuple[float | None, float | None, float | None]:
    """Phones in all, the unheard among them, with the luck of being heard as the spread."""
    if dwell.unheard_share is None:
        return None, None, None
    unheard = min(dwell.unheard_share, 0.95)
    value = heard / (1 - unheard)
    half = Z90 * sqrt(heard * unheard) / (1 - unheard)
    return value, max(float(heard), value - half), value + half

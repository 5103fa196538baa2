"""Turn a replay into facts for the wire. Nothing about fewer than five visitors leaves. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import reduce
from math import floor, sqrt
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from probes.dwell import DwellEstimate, estimate_dwell
from probes.occupancy import WINDOW_S, Occupancy, merged
from probes.replay import BOUNCE_UNKNOWN, HOUR_S, METHOD, Replay
from probes.visits import Visit
from storepulse.facts import Fact
from storepulse.units import Z90

VISITORS_MIN: Final = 5
"""k: a figure about fewer visitors is a figure about persons."""
MODE: Final = "standard"
"""State of a phone lives in memory until its visit closes (docs/privacy.md)."""


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


def facts_of(replay: Replay, *, shop: str, source: str, timezone: str = "UTC") -> list[Fact]:
    """Facts by hour (or more hours, until five visitors are reached) and by day of the shop.

    Each spans from the first to the last window in which the radio heard anything: its coverage is
    about the hours in which somebody listened, not about the nights between them.

    Args:
        shop: whose they are; source: who says so, e.g. a node's path.
        timezone: of the shop; its days begin with the hour of UTC that holds its midnight.
    Returns:
        dwell_mean, bounce_45s (unknown, with its reason in dims), visitors, occupancy. Empty when
        fewer than five visitors were heard in all. The share of frames lost is not among them: a
        capture file does not say it.
    Raises:
        ZoneInfoNotFoundError: no such time zone.
    """
    here = ZoneInfo(timezone)
    hours = [
        Stretch(hour, hour + HOUR_S, sample.count, tuple(sample.kept))
        for hour, sample in sorted(replay.by_hour.items())
    ]
    by_day: dict[date, list[Stretch]] = {}
    for hour in hours:
        by_day.setdefault(_day_of(hour.start_s, here), []).append(hour)
    heard: dict[date, list[Occupancy]] = {}
    for window in replay.occupancy:
        if window.people is not None:
            heard.setdefault(_day_of(window.start_s, here), []).append(window)
    found: list[Fact] = []
    days = [_whole(some, heard.get(day, [])) for day, some in by_day.items()]
    for whole in merge_until_enough(days):
        # Within the day, and all of its visits: what its hours leave out would be told by taking
        # them from the day's own figure.
        for stretch in merge_until_enough(
            [hour for hour in hours if whole.start_s <= hour.start_s < whole.end_s]
        ):
            found += _facts(replay, stretch, heard, shop, source)
        found += _facts(replay, whole, heard, shop, source)
    # One hour that is the whole day's stretch would be said twice otherwise.
    return list({fact.id: fact for fact in found}.values())


def _day_of(time_s: float, here: ZoneInfo) -> date:
    """The shop's date at the start of this hour of UTC: hours are not cut."""
    hour = floor(time_s / HOUR_S) * HOUR_S
    return datetime.fromtimestamp(hour, UTC).astimezone(here).date()


def _whole(hours: Sequence[Stretch], heard: Sequence[Occupancy]) -> Stretch:
    """All visits of a day, and all of its windows, those without a visitor too."""
    starts = [window.start_s for window in heard]
    return replace(
        reduce(_joined, hours),
        start_s=min([hours[0].start_s, *starts]),
        end_s=max([hours[-1].end_s, *(start + WINDOW_S for start in starts)]),
    )


def _facts(
    replay: Replay, stretch: Stretch, heard: Mapping[date, Sequence[Occupancy]], shop: str,
    source: str,
) -> Iterator[Fact]:  # fmt: skip
    parts = [
        [w for w in windows if stretch.start_s <= w.start_s < stretch.end_s]
        for windows in heard.values()
    ]
    parts = [part for part in parts if part]
    inside = [window for part in parts for window in part]
    starts = [window.start_s for window in inside] or [stretch.start_s]
    start = datetime.fromtimestamp(starts[0], UTC)
    end = datetime.fromtimestamp(starts[-1] + WINDOW_S, UTC)
    # Day by day: the night between two days is none of their time.
    due = sum((part[-1].start_s - part[0].start_s) / WINDOW_S + 1 for part in parts)
    coverage = min(1.0, sum(window.covered for window in inside) / max(due, 1.0))

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

"""Turn a replay into facts for the wire. Nothing about fewer than five visitors leaves. Pure.

Windows are merged in three steps, a quarter of an hour, hours and days, each a partition of the
next coarser one, so that no difference between two figures is about fewer than five either.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import reduce
from math import floor, sqrt
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo

from probes.between import gathered_together
from probes.dwell import DwellEstimate, estimate_dwell
from probes.dwell_pieces import estimate_dwell_of_pieces, visitors_of_pieces
from probes.modes import STRICT_S, STRICT_TOO_FEW, Mode
from probes.occupancy import WINDOW_S, Occupancy, merged
from probes.replay import BOUNCE_UNKNOWN, FINEST_S, HOUR_S, METHOD, VISITORS_MIN, Replay
from probes.visits import Visit
from storepulse.facts import Fact
from storepulse.units import Z90

_AGE: Final = "days_since_calibration"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of windows, and the visits that began in it."""

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
    """Facts by quarter of an hour, hour and day of the shop, each merged until five are reached.

    Each spans from the first to the last window in which the radio heard anything: its coverage is
    about the hours in which somebody listened, not about the nights between them.

    Args:
        shop: whose they are; source: who says so, e.g. a node's path.
        timezone: of the shop; its days begin with the hour of UTC that holds its midnight.
    Returns:
        dwell_mean, bounce_45s (unknown, with its reason in dims), visitors, occupancy. Empty when
        fewer than five visitors were heard in all. What the mode does not let be known is unknown,
        with the reason. In strict mode, where visitors are not counted one by one, they are told
        once a day, where five phones were there at once. The share of frames lost is not among
        them: a capture file does not say it.
    Raises:
        ZoneInfoNotFoundError: no such time zone.
    """
    here = ZoneInfo(timezone)
    quarters = [
        Stretch(start, start + FINEST_S, sample.count, tuple(sample.kept))
        for start, sample in sorted(replay.by_quarter.items())
    ]
    heard: dict[date, list[Occupancy]] = {}
    for window in replay.occupancy:
        if window.people is not None or replay.listening.unknown_because("occupancy"):
            heard.setdefault(day_of(window.start_s, here), []).append(window)
    told = _Told(replay, heard, shop, source)
    if replay.listening.mode is Mode.STRICT:
        days = [_uncounted(day) for day in heard.values()]
        return [
            fact
            for day in days
            for fact in (told.age(day), *told.facts(day, (day.start_s, day.end_s)))
        ]
    by_day: dict[date, list[Stretch]] = {}
    for quarter in quarters:
        by_day.setdefault(day_of(quarter.start_s, here), []).append(quarter)
    found: list[Fact] = []
    days = [_whole(some, heard.get(day, [])) for day, some in by_day.items()]
    for whole in merge_until_enough(days):
        # Within the day, and all of its visits: what its hours leave out would be told by taking
        # them from the day's own figure. The same of the quarters of an hour.
        hours = merge_until_enough(_by_hour(_inside(quarters, whole)))
        for hour in hours:
            first_s, end_s = told.span_s(hour)
            for quarter in merge_until_enough(_inside(quarters, hour)):
                span_s = max(quarter.start_s, first_s), min(quarter.end_s, end_s)
                found += told.facts(quarter, span_s)
            found += told.facts(hour, (first_s, end_s))
        found += [told.age(whole), *told.facts(whole, told.span_s(whole))]
    # One hour that is the whole day's stretch would be said twice otherwise.
    return list({fact.id: fact for fact in found}.values())


def partitions(quarters: Sequence[Stretch], whole: Stretch) -> list[Stretch]:
    """One stretch (five visitors or more) and its finer ones: parts of it, five in each."""
    found = []
    for hour in merge_until_enough(_by_hour(_inside(quarters, whole))):
        found += [*merge_until_enough(_inside(quarters, hour)), hour]
    return [*found, whole]


def _inside(quarters: Sequence[Stretch], outer: Stretch) -> list[Stretch]:
    return [one for one in quarters if outer.start_s <= one.start_s < outer.end_s]


def _by_hour(quarters: Sequence[Stretch]) -> list[Stretch]:
    """Whole hours of UTC, those without a visit left out."""
    by_hour: dict[int, list[Stretch]] = {}
    for one in quarters:
        by_hour.setdefault(one.start_s // HOUR_S * HOUR_S, []).append(one)
    return [
        replace(reduce(_joined, some), start_s=start, end_s=start + HOUR_S)
        for start, some in by_hour.items()
    ]


def _uncounted(windows: Sequence[Occupancy]) -> Stretch:
    return Stretch(windows[0].start_s, windows[-1].start_s + WINDOW_S, 0, ())


def day_of(time_s: float, here: ZoneInfo) -> date:
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


@dataclass(frozen=True, slots=True)
class _Told:
    """What the facts of one replay have in common."""

    replay: Replay
    heard: Mapping[date, Sequence[Occupancy]]
    shop: str
    source: str

    def _heard_in(self, stretch: Stretch) -> list[list[Occupancy]]:
        parts = [[w for w in windows if _overlap(w, stretch)] for windows in self.heard.values()]
        return [part for part in parts if part]

    def span_s(self, stretch: Stretch) -> tuple[int, int]:
        """From the first to the last window of the stretch in which anything was heard."""
        starts = [window.start_s for part in self._heard_in(stretch) for window in part]
        starts = starts or [stretch.start_s]
        return starts[0], starts[-1] + WINDOW_S

    def age(self, stretch: Stretch) -> Fact:
        """How old the calibration was, in days, when the stretch ended."""
        first_s, end_s = self.span_s(stretch)
        start, end = (datetime.fromtimestamp(time_s, UTC) for time_s in (first_s, end_s))
        learnt_on = self.replay.calibration.learnt_on
        said = f"{self.source}|{METHOD}|{self.shop}|{_AGE}|{start.isoformat()}|{end.isoformat()}"
        days = float(max((end.date() - date.fromisoformat(learnt_on)).days, 0))
        return Fact(
            id=str(uuid5(NAMESPACE_URL, said)), shop=self.shop, metric=_AGE, start=start, end=end,
            value=days, low=days, high=days, coverage=1.0,
            dims={"mode": str(self.replay.listening.mode), "calibrated": learnt_on},
            method=METHOD, source=self.source,
        )  # fmt: skip

    def facts(self, stretch: Stretch, span_s: tuple[int, int]) -> Iterator[Fact]:
        """The facts about one stretch, said of a span of time."""
        replay, listening = self.replay, self.replay.listening
        parts = self._heard_in(stretch)
        inside = [window for part in parts for window in part]
        start, end = (datetime.fromtimestamp(time_s, UTC) for time_s in span_s)
        # Day by day: the night between two days is none of their time.
        due = sum((part[-1].start_s - part[0].start_s) / WINDOW_S + 1 for part in parts)
        coverage = min(1.0, sum(window.covered for window in inside) / max(due, 1.0))
        strict = listening.mode is Mode.STRICT
        at_once = max((window.phones_at_once for window in inside), default=0.0)
        too_few = STRICT_TOO_FEW if strict and at_once < VISITORS_MIN else None

        def fact(
            metric: str, figure: tuple[float | None, float | None, float | None],
            reason: str | None,
        ) -> Fact:  # fmt: skip
            value, low, high = figure
            because = listening.unknown_because(metric) or too_few or reason
            if listening.unknown_because(metric) or too_few:
                value = low = high = None
            said = f"{self.source}|{METHOD}|{self.shop}|{metric}|{start.isoformat()}|"
            said += end.isoformat() + ("" if listening.mode is Mode.STANDARD else listening.mode)
            dims = {"mode": str(listening.mode), "calibrated": replay.calibration.learnt_on}
            if because is not None:
                dims["unknown_because"] = because[:200]
            if listening.mode is Mode.CONSENT:
                dims["of"] = "those who agreed"
            return Fact(
                id=str(uuid5(NAMESPACE_URL, said)), shop=self.shop, metric=metric, start=start,
                end=end, value=value, low=low, high=high, n=None if strict else stretch.count,
                coverage=coverage, dims=dims, method=METHOD, source=self.source,
            )  # fmt: skip

        if strict:
            dwell = self._dwell_of_pieces(stretch)
            visitors = visitors_of_pieces(dwell, slot_s=STRICT_S)
        else:
            dwell = estimate_dwell(
                stretch.visits,
                replay.calibration.paces,
                error_share=replay.calibration.dwell_error_share,
            )
            visitors = _visitors(stretch.count, dwell)
        yield fact("dwell_mean", (dwell.mean, dwell.low, dwell.high), dwell.reason)
        yield fact("bounce_45s", (None, None, None), BOUNCE_UNKNOWN)
        yield fact("visitors", visitors, dwell.reason)
        people: Occupancy | None = merged(inside)
        if people is not None:
            yield fact("occupancy", (people.people, people.low, people.high), None)
        elif listening.mode is Mode.CONSENT:
            yield fact("occupancy", (None, None, None), None)

    def _dwell_of_pieces(self, stretch: Stretch) -> DwellEstimate:
        replay = self.replay
        pieces = gathered_together(replay.pieces, start_s=stretch.start_s, end_s=stretch.end_s)
        return estimate_dwell_of_pieces(
            pieces, replay.calibration.paces, slot_s=STRICT_S,
            error_share=replay.calibration.dwell_error_share,
        )  # fmt: skip


def _overlap(window: Occupancy, stretch: Stretch) -> bool:
    """Most of the window lies inside: windows of ten minutes do not part at quarters of an hour."""
    inside_s = min(window.start_s + WINDOW_S, stretch.end_s) - max(window.start_s, stretch.start_s)
    half = 2 * inside_s == WINDOW_S and window.start_s >= stretch.start_s
    return half or 2 * inside_s > WINDOW_S


def _visitors(heard: int, dwell: DwellEstimate) -> tuple[float | None, float | None, float | None]:
    """Phones in all, the unheard among them, with the luck of being heard as the spread."""
    if dwell.unheard_share is None:
        return None, None, None
    unheard = min(dwell.unheard_share, 0.95)
    value = heard / (1 - unheard)
    half = Z90 * sqrt(heard * unheard) / (1 - unheard)
    return value, max(float(heard), value - half), value + half

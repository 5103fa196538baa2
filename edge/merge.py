"""Make coarser facts out of many, when the disk has no room for all. Pure: no disk, no clock.

Only facts that say the same thing of neighbouring windows become one: same shop, metric,
breakdown, method, source, length of window and clock. How they add up is the metric's: a metric
that is not in `ADDS_UP` is never merged, nor is an event.

What the coarser fact says:

- *sum*: values, and half-widths, added up. *mean*: weighted by n (by length where a window has no
  n). *last*: the newest one as it was.
- Its doubt: each side's half-width splits into the part that a window shares with its neighbours
  (their calibration error), which is added up as it stands, and the part that is its own, which is
  added up in squares (`Fact.independent`). Nothing shrinks that the parts do not say may shrink.
- Its window reaches from the first start to the last end; coverage counts what lies between the
  parts as not seen.
- Unknown windows merge only with unknown ones, into one that is unknown: never a zero.
- Its method says so: the parts' method and "+edge.merge/1".
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import sqrt
from typing import Final, Literal
from uuid import NAMESPACE_URL, uuid5

from storepulse.facts import Fact

AddsUp = Literal["sum", "mean", "last"]

ADDS_UP: Final[Mapping[str, AddsUp]] = {
    "dwell_mean": "mean", "bounce_45s": "mean", "occupancy": "mean", "visitors": "sum",
    "screen_touches": "sum", "photos_judged": "sum", "photos_refused": "sum",
    "judge_time": "mean", "outbox_age": "last", "frames_lost": "mean",
    "days_since_calibration": "last",
}  # fmt: skip
"""What a node says often enough to fill a disk. A test holds it against the hub's catalogue."""

MARK: Final = "+edge.merge/1"
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Told:
    """A fact and which clock told it: two clocks that were not set may not share a window."""

    number: int
    fact: Fact
    boot: str
    synchronised: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """A coarser fact and the numbers, ascending, of those it stands for (two or more)."""

    fact: Fact
    numbers: tuple[int, ...]


def merge_facts(told: Sequence[Told], *, window: timedelta) -> list[Merged]:
    """Merge what may be merged within each whole `window` (of UTC).

    Args:
        told: any facts, in any order; those that fit to no other are left out of the result.
    Returns:
        The coarser facts; empty when nothing can be made coarser.
    """
    alike: dict[tuple[object, ...], list[Told]] = defaultdict(list)
    for one in told:
        if one.fact.metric in ADDS_UP:
            alike[_likeness(one, window)].append(one)
    merged = []
    for group in alike.values():
        for run in _side_by_side(group):
            if len(run) > 1:
                merged.append(_merge(run))
    return merged


def _likeness(one: Told, window: timedelta) -> tuple[object, ...]:
    fact = one.fact
    # A quarter's fact and its hour's are facts of their own about the same people: adding one to
    # the other would count them twice, so the length is part of the likeness.
    length = None if fact.method.endswith(MARK) else fact.end - fact.start
    return (
        fact.shop, fact.metric, tuple(sorted(fact.dims.items())), fact.method, fact.source,
        fact.value is None, length, one.boot, one.synchronised, (fact.start - _EPOCH) // window,
    )  # fmt: skip


def _side_by_side(group: Sequence[Told]) -> list[list[Told]]:
    """Split into runs in which no window reaches into the next one's."""
    ordered = sorted(group, key=lambda one: (one.fact.start, one.fact.end, one.number))
    run: list[Told] = []
    left: list[Told] = []
    for one in ordered:
        (left if run and one.fact.start < run[-1].fact.end else run).append(one)
    return [run, *_side_by_side(left)] if left else [run]


def _merge(run: Sequence[Told]) -> Merged:
    facts = [one.fact for one in run]
    first, last = facts[0], facts[-1]
    numbers = tuple(sorted(one.number for one in run))
    method = first.method if first.method.endswith(MARK) else first.method + MARK
    seen_s = sum(fact.coverage * (fact.end - fact.start).total_seconds() for fact in facts)
    span_s = (last.end - first.start).total_seconds()
    coverage = min(1.0, seen_s / span_s) if span_s > 0 else min(fact.coverage for fact in facts)
    whole = replace(
        last,
        id=str(uuid5(NAMESPACE_URL, "\n".join(fact.id for fact in facts))),
        start=first.start,
        coverage=coverage,
        method=method,
    )
    adds_up = ADDS_UP[first.metric]
    if adds_up != "last" and last.value is not None:
        whole = _combined(whole, facts, adds_up)
    elif adds_up != "last":
        whole = replace(whole, n=_sum_of_n(facts))
    return Merged(whole, numbers)


def _sum_of_n(facts: Sequence[Fact]) -> int | None:
    counts = [fact.n for fact in facts if fact.n is not None]
    return sum(counts) if len(counts) == len(facts) else None


def _combined(whole: Fact, facts: Sequence[Fact], adds_up: AddsUp) -> Fact:
    n = _sum_of_n(facts)
    if adds_up == "sum":
        weights = [1.0] * len(facts)
    else:
        by_length = [(fact.end - fact.start).total_seconds() for fact in facts]
        by_n = [float(fact.n or 0) for fact in facts]
        parts = by_n if n else by_length if sum(by_length) else [1.0] * len(facts)
        weights = [part / sum(parts) for part in parts]
    ends = [_ends(fact) for fact in facts]
    value = sum(weight * middle for weight, (_, middle, _) in zip(weights, ends, strict=True))
    if all(fact.exact for fact in facts):
        return replace(whole, value=value, low=None, high=None, n=n, independent=0.0)
    own = [fact.independent for fact in facts]
    down, down_own = _half_width(weights, [middle - low for low, middle, _ in ends], own)
    up, up_own = _half_width(weights, [high - middle for _, middle, high in ends], own)
    return replace(
        whole,
        value=value,
        low=value - down,
        high=value + up,
        n=n,
        # One share has to do for both sides: the smaller, which widens and never narrows.
        independent=min(down_own, up_own),
    )


def _ends(fact: Fact) -> tuple[float, float, float]:
    """Low, value and high of a known fact; an exact one is all three."""
    assert fact.value is not None
    low = fact.value if fact.low is None else fact.low
    high = fact.value if fact.high is None else fact.high
    return low, fact.value, high


def _half_width(
    weights: Sequence[float], half_widths: Sequence[float], own: Sequence[float]
) -> tuple[float, float]:
    """The half-width of a weighted sum, and the share of its square that is independent."""
    terms = list(zip(weights, half_widths, own, strict=True))
    shared = sum(weight * half * sqrt(1 - share) for weight, half, share in terms)
    alone = sum((weight * half) ** 2 * share for weight, half, share in terms)
    total = shared**2 + alone
    return sqrt(total), (min(1.0, alone / total) if total > 0 else 0.0)

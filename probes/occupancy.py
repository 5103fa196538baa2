"""How many people are present in windows of ten minutes, from the visits that overlap them. Pure.

A phone is taken as present from shortly before its first burst to shortly after its last. Phones
that are only heard faintly are outside; things that stand there all day are left out by that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import floor
from typing import Final

from probes.calibration import Calibration
from probes.visits import Visit

WINDOW_S: Final = 600
SILENT_WINDOWS_MAX: Final = 144
EDGE_S: Final = 30.0
"""How long before its first and after its last burst a phone is taken to be there."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """People present on average in one window; `people` None where nothing at all was heard.

    `start_s` is a multiple of ten minutes of UTC; `visits` how many visits overlap the window.
    """

    start_s: int
    people: float | None
    low: float | None
    high: float | None
    visits: int = 0
    covered: float = 1.0
    """Share of the window that the capture covers."""


class PresenceCounter:
    """Adds up, window by window, the seconds that phones were present."""

    def __init__(self, signal_dbm_min: int) -> None:
        self._signal_dbm_min = signal_dbm_min
        self._phone_s: dict[int, float] = {}
        self._visits: dict[int, int] = {}
        self._alive: set[int] = set()

    def heard(self, time_s: float) -> None:
        """Something was heard at this time: the radio was on."""
        self._alive.add(floor(time_s / WINDOW_S))

    def add(self, visit: Visit) -> None:
        """Count a closed visit into the windows it overlaps, unless it is fixed or outside."""
        if visit.fixed:
            return
        if visit.signal_dbm is not None and visit.signal_dbm < self._signal_dbm_min:
            return
        begin, end = visit.first_s - EDGE_S, visit.last_s + EDGE_S
        for window in range(floor(begin / WINDOW_S), floor(end / WINDOW_S) + 1):
            inside = min(end, (window + 1) * WINDOW_S) - max(begin, window * WINDOW_S)
            self._phone_s[window] = self._phone_s.get(window, 0.0) + inside
            self._visits[window] = self._visits.get(window, 0) + 1

    def windows(self, first_s: float, last_s: float, calibration: Calibration) -> list[Occupancy]:
        """The windows that the capture (first to last frame) touches, in order.

        Silent ones come as unknown, up to a day in a row; a longer silence is a pause between
        captures and has no windows.
        """
        found: list[Occupancy] = []
        for window in self._touched(first_s, last_s):
            start_s = window * WINDOW_S
            covered_s = min(last_s, start_s + WINDOW_S) - max(first_s, start_s)
            covered = min(1.0, max(covered_s, 0.0) / WINDOW_S)
            if window not in self._alive:
                # Nobody there, or the radio off: nothing tells which.
                found.append(Occupancy(start_s, None, None, None, 0, covered))
                continue
            visits = self._visits.get(window, 0)
            # In a window that is barely touched the edges alone would make a crowd.
            phones = self._phone_s.get(window, 0.0) / max(covered_s, 2 * EDGE_S)
            people = calibration.people_per_phone * min(phones, float(visits))
            half = calibration.error_share * people + calibration.error_people
            found.append(
                Occupancy(start_s, people, max(0.0, people - half), people + half, visits, covered)
            )
        return found

    def _touched(self, first_s: float, last_s: float) -> Iterator[int]:
        before = floor(first_s / WINDOW_S)
        last = floor(last_s / WINDOW_S)
        for window in sorted(w for w in self._alive if before <= w <= last):
            if window - before <= SILENT_WINDOWS_MAX:
                yield from range(before, window)
            yield window
            before = window + 1


def merged(windows: Iterable[Occupancy]) -> Occupancy | None:
    """One figure for several windows, weighted by what the capture covers; None for none known.

    The error is one calibration's, so it is the same for all: half widths are averaged, not
    shrunk by their number.
    """
    known = [w for w in windows if w.people is not None and w.covered > 0]
    weight = sum(w.covered for w in known)
    if not known or weight <= 0:
        return None

    def mean(values: list[float]) -> float:
        return sum(v * w.covered for v, w in zip(values, known, strict=True)) / weight

    return Occupancy(
        known[0].start_s,
        mean([w.people or 0.0 for w in known]),
        mean([w.low or 0.0 for w in known]),
        mean([w.high or 0.0 for w in known]),
        sum(w.visits for w in known),
        weight / len(known),
    )

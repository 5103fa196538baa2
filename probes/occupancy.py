"""How many people are present in windows of ten minutes, from phones told apart within five. Pure.

In each five minutes of the clock the phones with made-up addresses are told apart
(`probes.tracing`) and counted by how strongly they were heard; a calibration says how many people
that is. Nothing of a phone is kept beyond its five minutes, so the figure is the same in strict and
in standard mode. Things with an address of their own do not count, nor do phones that keep theirs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import floor
from typing import Final

from probes.calibration import Calibration
from probes.frames import Frame
from probes.tracing import trace

WINDOW_S: Final = 600
SLOT_S: Final = 300
"""Phones are told apart within so long, on the clock: what may live in strict mode."""
_SLOTS: Final = WINDOW_S // SLOT_S
SILENT_WINDOWS_MAX: Final = 144
_NEAR_WINDOWS: Final = 2
"""A window is told from itself and so many on either side, each weighed by 1 / (1 + distance)."""
_FAINT_DB: Final = 7
"""Frames so much weaker than any that counts still help to tell phones apart; weaker ones would
only cost time."""
_HALF: Final = 0.5
"""What a phone between `signal_dbm_min` and `signal_dbm_sure` counts."""
FRAMES_A_SLOT_MAX: Final = 60_000
"""Two hundred frames a second: more is a flood, of which the rest of the five minutes is not
counted."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """People present on average in one window; `people` None where nothing at all was heard.

    `start_s` is a multiple of ten minutes of UTC; `phones` how many were told apart in five minutes
    of it, on average, before anything is made of their number.
    """

    start_s: int
    people: float | None
    low: float | None
    high: float | None
    phones: float = 0.0
    covered: float = 1.0
    """Share of the window that the capture covers."""
    phones_at_once: float = 0.0
    """The most in any five minutes of it, faint ones counted half."""


class PresenceCounter:
    """Counts the phones of each five minutes; what it heard of them goes with their end.

    Args:
        signal_dbm_sure: a phone heard so strongly counts whole;
        signal_dbm_min: one heard more weakly than this does not count, between them half.
    """

    def __init__(self, signal_dbm_min: int, signal_dbm_sure: int) -> None:
        self._signal_dbm_min = signal_dbm_min
        self._signal_dbm_sure = signal_dbm_sure
        self._slot: int | None = None
        self._frames: list[Frame] = []
        self._phones: dict[int, float] = {}
        """Phones by five minutes; with `_alive` of the windows that are not told yet, and of those
        that the next one is steadied by."""
        self._alive: set[int] = set()
        self._next: int | None = None
        """The window after the last one that was told."""

    @property
    def held(self) -> int:
        """How many frames of the five minutes at hand are kept."""
        return len(self._frames)

    def hear(self, frame: Frame) -> None:
        """Take one frame, in order of time."""
        slot = floor(frame.time_s / SLOT_S)
        if slot != self._slot:
            self._count()
            self._slot = slot
            self._alive.add(slot // _SLOTS)
        signal = frame.signal_dbm
        if (
            frame.random_address
            and (signal is None or signal >= self._signal_dbm_min - _FAINT_DB)
            and len(self._frames) < FRAMES_A_SLOT_MAX
        ):
            self._frames.append(frame)

    def pass_to(self, time_s: float) -> None:
        """Nothing is heard at this time: five minutes that are over by then are counted."""
        if self._slot is not None and floor(time_s / SLOT_S) != self._slot:
            self._count()

    def _count(self) -> None:
        if self._slot is None:
            return
        strongest: dict[int, int] = {}
        for frame, phone in zip(self._frames, trace(self._frames), strict=True):
            signal = 0 if frame.signal_dbm is None else frame.signal_dbm
            strongest[phone] = max(signal, strongest.get(phone, signal))
        self._frames = []
        counted = sum(
            1.0 if signal >= self._signal_dbm_sure else _HALF
            for signal in strongest.values()
            if signal >= self._signal_dbm_min
        )
        if counted:
            self._phones[self._slot] = self._phones.get(self._slot, 0.0) + counted
        self._slot = None

    def windows(self, first_s: float, last_s: float, calibration: Calibration) -> list[Occupancy]:
        """The windows that the capture (first to last frame) touches, in order. Ends the counting.

        Those that `windows_over` gave before are left out. Silent ones come as unknown, up to a day
        in a row; a longer silence is a pause between captures and has no windows.
        """
        self._count()
        return self._told(first_s, last_s, calibration, floor(last_s / WINDOW_S))

    def windows_over(
        self, first_s: float, now_s: float, calibration: Calibration
    ) -> list[Occupancy]:
        """The windows that nothing heard from now on can change, each given once.

        What only they needed is forgotten, so that memory does not grow with the days.
        """
        self.pass_to(now_s)
        settled = floor(now_s / WINDOW_S) - _NEAR_WINDOWS - 1
        return self._told(first_s, now_s, calibration, settled)

    def _told(
        self, first_s: float, last_s: float, calibration: Calibration, through: int
    ) -> list[Occupancy]:
        counted = {window: self._mean(window, first_s, last_s) for window in self._alive}
        found: list[Occupancy] = []
        for window in self._touched(floor(first_s / WINDOW_S), through):
            start_s = window * WINDOW_S
            covered_s = min(last_s, start_s + WINDOW_S) - max(first_s, start_s)
            covered = min(1.0, max(covered_s, 0.0) / WINDOW_S)
            if window not in counted:
                # Nobody there, or the radio off: nothing tells which.
                found.append(Occupancy(start_s, None, None, None, 0.0, covered))
                continue
            phones = _near(window, counted)
            people = calibration.people(start_s, phones)
            half = calibration.error_share * people + calibration.error_people
            most = max(self._phones.get(slot, 0.0) for slot in _slots_of(window))
            found.append(
                Occupancy(
                    start_s, people, max(0.0, people - half), people + half, phones, covered, most
                )
            )
        if found:
            self._next = found[-1].start_s // WINDOW_S + 1
            needed = self._next - _NEAR_WINDOWS
            self._alive = {window for window in self._alive if window >= needed}
            self._phones = {
                slot: phones for slot, phones in self._phones.items() if slot // _SLOTS >= needed
            }
        return found

    def _mean(self, window: int, first_s: float, last_s: float) -> float:
        """Phones in five minutes, on average over those that were listened to."""
        first, last = floor(first_s / SLOT_S), floor(last_s / SLOT_S)
        listened = [slot for slot in _slots_of(window) if first <= slot <= last]
        return sum(self._phones.get(slot, 0.0) for slot in listened) / max(len(listened), 1)

    def _touched(self, first: int, through: int) -> Iterator[int]:
        before = first if self._next is None else self._next
        for window in sorted(w for w in self._alive if before <= w <= through):
            if window - before <= SILENT_WINDOWS_MAX:
                yield from range(before, window)
            yield window
            before = window + 1


def _slots_of(window: int) -> range:
    return range(window * _SLOTS, (window + 1) * _SLOTS)


def _near(window: int, counted: dict[int, float]) -> float:
    """A window's phones, steadied by its neighbours'."""
    around = [
        (counted[other], 1.0 / (1 + abs(other - window)))
        for other in range(window - _NEAR_WINDOWS, window + _NEAR_WINDOWS + 1)
        if other in counted
    ]
    return sum(value * weight for value, weight in around) / sum(weight for _, weight in around)


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
        mean([w.phones for w in known]),
        weight / len(known),
        max(w.phones_at_once for w in known),
    )

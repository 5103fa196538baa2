"""Gather what strict mode leaves of visits: pieces within five minutes, counted by looks. Pure.

In strict mode a phone is forgotten at every turn of the key: what is left of a visit are pieces,
and nothing says which belong together. Of each piece only the cell is counted that it falls into,
by the hour. What goes on over a turn shows in one more count, which knows no phone: how long before
a first burst the last bursts of the five minutes before came, all of them, each with each. Pairs of
strangers fall there by chance, as many as follow from the cells; what is beyond are stays that went
on. For that the times of last bursts, to five seconds and nothing else, are held after the turn,
none for longer than five minutes after it was heard.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor, log
from typing import Final, NamedTuple

import numpy as np

from probes.burst_pace import Floats, Paces
from probes.bursts import Burst, BurstGatherer
from probes.frames import Frame
from probes.linking import Linker
from probes.modes import STRICT_S

CELL_S: Final = 5.0
"""Times within five minutes are kept so exactly."""
PAUSES_S: Final = tuple(3.0 * 1.25**step for step in range(22))
"""Pauses are told to an eighth of their length, from 3 s to five minutes."""
BURSTS_MAX: Final = 40
"""More pauses of one piece say nothing more about its pace."""
FRAMES_A_SLOT_MAX: Final = 60_000
"""Two hundred frames a second: more is a flood, of which the rest of the slot is not used."""
GAP_EDGES_S: Final[Floats] = np.array(
    [0.0, 10, 20, 30, 45, 60, 80, 110, 150, 200, 250, STRICT_S]
)  # fmt: skip
"""From a last burst to a first one after the turn, in seconds; (b + 1,)."""
_HOUR_S: Final = 3600
_SLOTS_AN_HOUR: Final = round(_HOUR_S / STRICT_S)
_CELLS_A_SLOT: Final = round(STRICT_S / CELL_S)


class Cell(NamedTuple):
    """What is counted of a piece; nothing says whose it is, nor in which five minutes it lay."""

    first: int
    """Of its first burst, in cells of `CELL_S` after the turn."""
    last: int
    pauses: tuple[int, ...] = ()
    """How long its pauses are, as places of `PAUSES_S`, shortest first: in what order they came is
    not kept."""


def cell_of(burst_s: Sequence[float], begin_s: float) -> Cell:
    """The cell of a piece whose bursts rise, in the five minutes from `begin_s`."""
    first, last = (int((time_s - begin_s) // CELL_S) for time_s in (burst_s[0], burst_s[-1]))
    step = log(PAUSES_S[1] / PAUSES_S[0])
    pauses = [
        min(max(round(log(max(after - before, 1.0) / PAUSES_S[0]) / step), 0), len(PAUSES_S) - 1)
        for before, after in pairwise(burst_s[: BURSTS_MAX + 1])
    ]
    return Cell(max(first, 0), max(last, 0), tuple(sorted(pauses)))


@dataclass(slots=True)
class HourOfPieces:
    """What was counted within one hour."""

    cells: Counter[Cell] = field(default_factory=Counter)
    gaps: Counter[int] = field(default_factory=Counter)
    """Pairs of a last burst and a first one after the turn, by the place of their gap."""
    slots: set[int] = field(default_factory=set)
    """In which of its twelve slots anything was heard, things included."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """All that is known of some hours' visits in strict mode."""

    cells: Mapping[Cell, int]
    gaps: Floats
    """(b,) pairs by gap, see `GAP_EDGES_S`."""
    by_chance: Floats
    """(b,) how many of them would be there if no stay went on over a turn."""

    @property
    def count(self) -> int:
        """How many pieces there are."""
        return sum(self.cells.values())


def gathered_pieces(by_hour: Mapping[int, HourOfPieces], within: Iterable[int]) -> Pieces:
    """Put the hours of these begins (UTC, seconds) together; no hour gives no piece."""
    cells: Counter[Cell] = Counter()
    gaps, by_chance = np.zeros((2, len(GAP_EDGES_S) - 1))
    for hour_s in within:
        hour = by_hour[hour_s]
        cells += hour.cells
        for place, number in hour.gaps.items():
            gaps[place] += number
        # At the ends of what was heard an hour may be listened to in part only.
        first = 0 if hour_s - _HOUR_S in by_hour else min(hour.slots, default=0)
        last = _SLOTS_AN_HOUR - 1
        if hour_s + _HOUR_S not in by_hour:
            last = max(hour.slots, default=last)
        by_chance += _pairs_by_chance(hour.cells) / (last - first + 1)
    return Pieces(cells, gaps, by_chance)


def _pairs_by_chance(cells: Mapping[Cell, int]) -> Floats:
    """(b,): every last burst with every first one, as if each slot came after each."""
    first, last = np.zeros((2, _CELLS_A_SLOT))
    for cell, number in cells.items():
        first[min(cell.first, _CELLS_A_SLOT - 1)] += number
        last[min(cell.last, _CELLS_A_SLOT - 1)] += number
    place = np.arange(_CELLS_A_SLOT)
    gap_s = STRICT_S + CELL_S * (place[None] - place[:, None])
    found, _ = np.histogram(gap_s, GAP_EDGES_S, weights=last[:, None] * first[None])
    return np.asarray(found, np.float64)


class PieceCounter:
    """Links the bursts of one slot, and of those before holds only the counts of `HourOfPieces`.

    Phones that send one address of their own are left out: things do, and over five minutes
    nothing tells a till from a visitor.
    """

    def __init__(self, paces: Paces) -> None:
        self._paces = paces
        self._last: Counter[float] = Counter()
        """Last bursts of the slot before: how many by the begin of their five seconds."""
        self.by_hour: dict[int, HourOfPieces] = {}
        """By the begin of the hour (UTC, seconds)."""
        self._forget()

    def _forget(self) -> None:
        self._bursts = BurstGatherer()
        self._linker = Linker(self._paces)
        self._over: list[Sequence[float]] = []
        self._frames = 0

    @property
    def held(self) -> int:
        """How many frames of the slot at hand have been used."""
        return self._frames

    @property
    def oldest_s(self) -> float | None:
        """Begin of the earliest five seconds of which a last burst is still held."""
        return min(self._last, default=None)

    def hear(self, frame: Frame) -> None:
        """Take one frame, in order of time."""
        self.pass_to(frame.time_s)
        self._hour(frame.time_s).slots.add(int(frame.time_s % _HOUR_S // STRICT_S))
        if not frame.random_address or self._frames >= FRAMES_A_SLOT_MAX:
            return
        self._frames += 1
        for burst in self._bursts.feed(frame):
            self._link(burst)

    def pass_to(self, time_s: float) -> None:
        """It is this time: what was heard five minutes before goes."""
        for burst in self._bursts.pass_to(time_s):
            self._link(burst)
        for begin_s in [one for one in self._last if time_s - one > STRICT_S]:
            del self._last[begin_s]

    def end(self, begin_s: float) -> None:
        """The slot that began then is over: count its pieces, and forget their phones."""
        for burst in self._bursts.finish():
            self._link(burst)
        pieces = [*self._over, *(visit.burst_s for visit in self._linker.finish())]
        self._forget()
        self._last.clear()
        for burst_s in pieces:
            self._hour(begin_s).cells[cell_of(burst_s, begin_s)] += 1
            self._last[burst_s[-1] // CELL_S * CELL_S] += 1

    def _link(self, burst: Burst) -> None:
        begun = self._linker.begun
        self._over += [visit.burst_s for visit in self._linker.feed(burst)]
        if self._linker.begun == begun:
            return
        gaps = self._hour(burst.start_s).gaps
        for last_s, number in self._last.items():
            gap_s = burst.start_s - last_s - CELL_S / 2
            if 0 < gap_s < STRICT_S:
                gaps[int(np.searchsorted(GAP_EDGES_S, gap_s, "right")) - 1] += number

    def _hour(self, time_s: float) -> HourOfPieces:
        return self.by_hour.setdefault(floor(time_s / _HOUR_S) * _HOUR_S, HourOfPieces())

"""Gather what strict mode leaves of visits: pieces within five minutes, counted by looks. Pure.

In strict mode a phone is forgotten at every turn of the key: what is left of a visit are pieces,
and nothing says which belong together. Of each piece only the cell is counted that it falls into,
by the hour. What goes on over a turn shows in one more count, which knows no phone: how long before
a first burst the last bursts of the five minutes before came, all of them, each with each. Pairs of
strangers fall there by chance, as many as follow from the cells; what is beyond are stays that went
on. For that the times of last bursts, to five seconds, and whether the address was made up, are
held after the turn, none for longer than five minutes after it was heard.

Phones that send an address of their own are counted apart, for things do, too, and over five
minutes nothing tells a till from a visitor. But things stand there: hours in which own addresses
were heard for four hours on end are without them (`with_things`).
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
from probes.visits import FIXED_S_MIN, Visit

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
BREAK_SLOTS: Final = 6
"""Own addresses silent for half an hour: whatever sent one before has gone. Slower things than that
send no more than two bursts an hour."""
_HOUR_S: Final = 3600
SLOTS_AN_HOUR: Final = round(_HOUR_S / STRICT_S)
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
class Counted:
    """What was counted of pieces within one hour."""

    cells: Counter[Cell] = field(default_factory=Counter)
    gaps: Counter[int] = field(default_factory=Counter)
    """Pairs of a last burst and a first one after the turn, by the place of their gap."""


@dataclass(slots=True)
class HourOfPieces:
    """One hour."""

    made_up: Counted = field(default_factory=Counted)
    """Of phones that make up their addresses."""
    own: Counted = field(default_factory=Counted)
    """Of what sends an address of its own."""
    slots: set[int] = field(default_factory=set)
    """In which of its twelve slots anything was heard, things included."""
    own_slots: set[int] = field(default_factory=set)
    """In which of them an own address was heard."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """All that is known of some hours' visits in strict mode."""

    cells: Mapping[Cell, int]
    gaps: Floats
    """(b,) pairs by gap, see `GAP_EDGES_S`."""
    by_chance: Floats
    """(b,) how many of them would be there if no stay went on over a turn."""
    counts: int = 1
    """In how many counts, of the same stays, the cells are: gaps are as many as in one."""

    @property
    def count(self) -> int:
        """How many pieces there are in one count."""
        return round(sum(self.cells.values()) / self.counts)


def gathered_pieces(by_hour: Mapping[int, HourOfPieces], within: Iterable[int]) -> Pieces:
    """Put the hours of these begins (UTC, seconds) together; no hour gives no piece.

    Own addresses are left out of the hours `with_things`, which are told from all of `by_hour`.
    """
    cells: Counter[Cell] = Counter()
    gaps, by_chance = np.zeros((2, len(GAP_EDGES_S) - 1))
    things = with_things(by_hour)
    for hour_s in within:
        hour = by_hour[hour_s]
        # At the ends of what was heard an hour may be listened to in part only.
        first = 0 if hour_s - _HOUR_S in by_hour else min(hour.slots, default=0)
        last = SLOTS_AN_HOUR - 1
        if hour_s + _HOUR_S not in by_hour:
            last = max(hour.slots, default=last)
        for counted in [hour.made_up] if hour_s in things else [hour.made_up, hour.own]:
            cells += counted.cells
            for place, number in counted.gaps.items():
                gaps[place] += number
            by_chance += _pairs_by_chance(counted.cells) / (last - first + 1)
    return Pieces(cells, gaps, by_chance)


def with_things(by_hour: Mapping[int, HourOfPieces]) -> set[int]:
    """Hours in which something with an address of its own stands there, or staff stay.

    That is where own addresses are heard for as long as makes a visit a fixed one, and are never
    silent for `BREAK_SLOTS` together. Which addresses those are is not known, and need not be.
    """
    heard = sorted(
        hour_s + slot * round(STRICT_S)
        for hour_s, hour in by_hour.items()
        for slot in hour.own_slots
    )
    things: set[int] = set()
    begun = 0
    for number, slot_s in enumerate(heard):
        ends = number + 1 == len(heard)
        if not ends and heard[number + 1] - slot_s <= BREAK_SLOTS * STRICT_S:
            continue
        if slot_s + STRICT_S - heard[begun] >= FIXED_S_MIN:
            things.update(one // _HOUR_S * _HOUR_S for one in heard[begun : number + 1])
        begun = number + 1
    return things


def _pairs_by_chance(cells: Mapping[Cell, int]) -> Floats:
    """(b,): every last burst with every first one, as if each slot came after each.

    Without those of one piece with itself: a stay that is in two slots has two pieces.
    """
    pairs = np.zeros((_CELLS_A_SLOT, _CELLS_A_SLOT))
    first, last = np.zeros((2, _CELLS_A_SLOT))
    for cell, number in cells.items():
        begun, ended = min(cell.first, _CELLS_A_SLOT - 1), min(cell.last, _CELLS_A_SLOT - 1)
        first[begun] += number
        last[ended] += number
        pairs[ended, begun] -= number
    pairs += last[:, None] * first[None]
    place = np.arange(_CELLS_A_SLOT)
    gap_s = STRICT_S + CELL_S * (place[None] - place[:, None])
    found, _ = np.histogram(gap_s, GAP_EDGES_S, weights=pairs)
    return np.asarray(found, np.float64)


class PieceCounter:
    """Links the bursts of one slot, and of those before holds only the counts of `HourOfPieces`."""

    def __init__(self, paces: Paces) -> None:
        self._paces = paces
        self._last: Counter[tuple[float, bool]] = Counter()
        """Last bursts of the slot before: how many by the begin of their five seconds, and whether
        the address was made up."""
        self.by_hour: dict[int, HourOfPieces] = {}
        """By the begin of the hour (UTC, seconds)."""
        self._forget()

    def _forget(self) -> None:
        self._bursts = BurstGatherer()
        self._linker = Linker(self._paces)
        self._over: list[Visit] = []
        self._frames = 0

    @property
    def held(self) -> int:
        """How many frames of the slot at hand have been used."""
        return self._frames

    @property
    def oldest_s(self) -> float | None:
        """Begin of the earliest five seconds of which a last burst is still held."""
        return min((begin_s for begin_s, _ in self._last), default=None)

    def hear(self, frame: Frame) -> None:
        """Take one frame, in order of time."""
        self.pass_to(frame.time_s)
        if self._frames >= FRAMES_A_SLOT_MAX:
            return
        hour, slot = self._hour(frame.time_s), int(frame.time_s % _HOUR_S // STRICT_S)
        hour.slots.add(slot)
        if not frame.random_address:
            hour.own_slots.add(slot)
        self._frames += 1
        for burst in self._bursts.feed(frame):
            self._link(burst)

    def pass_to(self, time_s: float) -> None:
        """It is this time: what was heard five minutes before goes."""
        for burst in self._bursts.pass_to(time_s):
            self._link(burst)
        for last in [one for one in self._last if time_s - one[0] > STRICT_S]:
            del self._last[last]

    def end(self, begin_s: float) -> None:
        """The slot that began then is over: count its pieces, and forget their phones."""
        for burst in self._bursts.finish():
            self._link(burst)
        pieces = [*self._over, *self._linker.finish()]
        self._forget()
        self._last.clear()
        hour = self._hour(begin_s)
        for piece in pieces:
            of = hour.made_up if piece.random_address else hour.own
            of.cells[cell_of(piece.burst_s, begin_s)] += 1
            self._last[piece.last_s // CELL_S * CELL_S, piece.random_address] += 1

    def _link(self, burst: Burst) -> None:
        begun = self._linker.begun
        self._over += self._linker.feed(burst)
        if self._linker.begun == begun:
            return
        hour = self._hour(burst.start_s)
        gaps = (hour.made_up if burst.random_address else hour.own).gaps
        for (last_s, made_up), number in self._last.items():
            gap_s = burst.start_s - last_s - CELL_S / 2
            if made_up == burst.random_address and 0 < gap_s < STRICT_S:
                gaps[int(np.searchsorted(GAP_EDGES_S, gap_s, "right")) - 1] += number

    def _hour(self, time_s: float) -> HourOfPieces:
        return self.by_hour.setdefault(floor(time_s / _HOUR_S) * _HOUR_S, HourOfPieces())

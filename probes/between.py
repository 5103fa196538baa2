"""Count strict mode's pieces again, in five minutes that begin between the first count's. Pure.

Turns of the key cut stays where chance has it, and one set of turns makes much of that chance: the
same stays cut at other places give another estimate, as good, and all together err less. So pieces
are counted several times, each time under a key of its own (`Turns.keys`), and nothing of a phone
lives for more than five minutes in any. No count knows of another: which piece of one is which of
the other is not looked for.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import floor
from typing import Final

from probes.burst_pace import Paces
from probes.frames import Frame
from probes.modes import STRICT_KEYS, STRICT_S
from probes.pieces import Cell, HourOfPieces, PieceCounter, Pieces, gathered_pieces

_HOUR_S: Final = 3600
Hours = Mapping[int, HourOfPieces]


class BetweenCounter:
    """Counts pieces under one of the keys beside the first.

    All of its times are early by as much as its five minutes begin later: so its turns and hours
    lie on the clock.

    Args:
        number: which of the keys beside the first, from 0.
    """

    def __init__(self, paces: Paces, number: int) -> None:
        self._counter = PieceCounter(paces)
        self._number = number
        self._later_s = STRICT_S * (number + 1) / STRICT_KEYS
        self._slot: int | None = None
        """The five minutes of which anything is held."""

    @property
    def by_hour(self) -> dict[int, HourOfPieces]:
        """By the begin of the hour (UTC, seconds), up to five minutes early."""
        return self._counter.by_hour

    @property
    def held(self) -> int:
        """How many frames of the five minutes at hand have been used."""
        return self._counter.held

    @property
    def oldest_s(self) -> float | None:
        """Begin of the earliest five seconds of which a last burst is still held."""
        oldest_s = self._counter.oldest_s
        return None if oldest_s is None else oldest_s + self._later_s

    @property
    def begun_s(self) -> float | None:
        """When the five minutes began of which anything is held."""
        return None if self._slot is None else self._slot * STRICT_S + self._later_s

    def hear(self, frame: Frame) -> None:
        """Take one frame, in order of time; one read under a single key keeps its hashes."""
        self.pass_to(frame.time_s)
        time_s = frame.time_s - self._later_s
        self._slot = floor(time_s / STRICT_S)
        sender, elements = frame.sender, frame.elements
        if frame.others:
            sender, elements = frame.others[self._number]
        self._counter.hear(
            frame._replace(time_s=time_s, sender=sender, elements=elements, others=())
        )

    def pass_to(self, time_s: float) -> None:
        """It is this time: five minutes that are over by then are counted, and go."""
        time_s -= self._later_s
        if self._slot is not None and floor(time_s / STRICT_S) != self._slot:
            self.end()
        self._counter.pass_to(time_s)

    def end(self) -> None:
        """Nothing more is heard: count what is held, and forget its phones."""
        if self._slot is not None:
            self._counter.end(self._slot * STRICT_S)
            self._slot = None


def gathered_together(counts: Sequence[Hours], *, start_s: float, end_s: float) -> Pieces:
    """Put the hours of all counts together that touch a stretch; all weigh as much as one."""
    some = list(_gathered(counts, start_s, end_s))
    cells: Counter[Cell] = Counter()
    for one in some:
        cells.update(one.cells)
    gaps, by_chance = some[0].gaps.copy(), some[0].by_chance.copy()
    for one in some[1:]:
        gaps += one.gaps
        by_chance += one.by_chance
    return Pieces(cells, gaps / len(some), by_chance / len(some), counts=len(some))


def _gathered(counts: Sequence[Hours], start_s: float, end_s: float) -> Iterator[Pieces]:
    for hours in counts:
        within = [hour_s for hour_s in hours if start_s - _HOUR_S < hour_s < end_s]
        yield gathered_pieces(hours, within)

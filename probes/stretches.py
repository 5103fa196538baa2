"""Gather a whole capture's frames into stretches that surely are of one phone each. Pure.

A stretch is a burst, or several where one address goes through them. `probes.tracing` links
stretches; `probes.bursts` is the same job as frames come, where nothing may be looked up later.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from probes.bursts import BURST_SILENCE_S, sequence_step
from probes.frames import Frame

STEP_MAX: Final = 130
"""Largest step of a count that goes on: what a phone sends between two bursts, on any channel."""
_STEP_WITHIN: Final = 12
_STEP_OTHER_ELEMENTS: Final = 3
_BEFORE: Final = 12
"""So many earlier pieces of its kind show whether a phone's count goes on."""


@dataclass(slots=True)
class Piece:
    """Frames of one address without a silence between them."""

    sender: int
    random_address: bool
    start_s: float
    end_s: float
    sequence_first: int
    sequence_last: int
    kinds: Counter[int] = field(default_factory=Counter)
    """Frames by `Frame.elements`."""
    exact: set[int] = field(default_factory=set)
    """`Frame.elements_exact`, all that were said."""
    signal_dbm: int | None = None
    """The strongest."""

    @property
    def kind(self) -> int:
        return self.kinds.most_common(1)[0][0]

    def add(self, frame: Frame) -> None:
        """Take a frame of this address that came within the silence allowed."""
        self.end_s = frame.time_s
        self.sequence_last = frame.sequence
        self.kinds[frame.elements] += 1
        self.exact.add(frame.elements_exact)
        self.signal_dbm = _stronger(self.signal_dbm, frame.signal_dbm)


@dataclass(slots=True)
class Stretch:
    """Bursts that surely are one phone's: what is known at either end of them."""

    random_address: bool
    start_s: float
    end_s: float
    burst_start_s: float
    """Of the last burst."""
    sequence_first: int
    sequence_last: int
    kinds: Counter[int]
    exact: set[int]
    signal_first_dbm: int | None
    signal_last_dbm: int | None
    kind: int


@dataclass(slots=True)
class _Open:
    """A burst that may still go on."""

    number: int
    random_address: bool
    end_s: float
    piece_end_s: float
    sequence_last: int
    kinds: Counter[int]
    exact: set[int]


def stretches_of(frames: Sequence[Frame]) -> tuple[list[Stretch], list[int]]:
    """Stretches of a capture, and for each frame the stretch that it is in.

    Args:
        frames: in order of time; none gives ([], []).
    """
    pieces, piece_of = _pieces(frames)
    burst_of = _bursts(pieces)
    stretches, stretch_of = _joined_by_address(pieces, burst_of)
    return stretches, [stretch_of[piece] for piece in piece_of]


def _pieces(frames: Sequence[Frame]) -> tuple[list[Piece], list[int]]:
    pieces: list[Piece] = []
    latest: dict[int, int] = {}
    piece_of = []
    for frame in frames:
        number = latest.get(frame.sender)
        if number is None or frame.time_s - pieces[number].end_s > BURST_SILENCE_S:
            number = latest[frame.sender] = len(pieces)
            pieces.append(
                Piece(
                    frame.sender, frame.random_address, frame.time_s, frame.time_s,
                    frame.sequence, frame.sequence,
                )
            )  # fmt: skip
        pieces[number].add(frame)
        piece_of.append(number)
    return pieces, piece_of


def _bursts(pieces: Sequence[Piece]) -> list[int]:
    """The burst of each piece: one of a kind at a time, unless counts or times say otherwise."""
    counts_on = _kinds_that_count_on(pieces)
    burst_of = [-1] * len(pieces)
    going: list[_Open] = []
    number = 0
    for place in sorted(range(len(pieces)), key=lambda n: pieces[n].start_s):
        piece = pieces[place]
        going = [one for one in going if piece.start_s - one.end_s <= BURST_SILENCE_S]
        fits = [(fit, -one.number) for one in going if (fit := _fit(one, piece, counts_on)) > 0]
        if fits:
            best = -max(fits)[1]
            one = next(one for one in going if one.number == best)
            one.end_s = max(one.end_s, piece.end_s)
            one.piece_end_s = piece.end_s
            one.sequence_last = piece.sequence_last
            one.kinds += piece.kinds
            one.exact |= piece.exact
        else:
            one = _Open(
                number, piece.random_address, piece.end_s, piece.end_s, piece.sequence_last,
                Counter(piece.kinds), set(piece.exact),
            )  # fmt: skip
            number += 1
            going.append(one)
        burst_of[place] = one.number
    return burst_of


def _kinds_that_count_on(pieces: Sequence[Piece]) -> set[int]:
    """Kinds of phones whose count goes on under the next address, more often than by chance."""
    before: dict[int, list[Piece]] = defaultdict(list)
    goes_on: dict[int, list[float]] = defaultdict(lambda: [0.5, 1.0])
    for piece in sorted(pieces, key=lambda one: one.start_s):
        if not piece.random_address:
            continue
        kind = piece.kind
        others = [one for one in before[kind] if one.sender != piece.sender]
        if others:
            met = any(0 < _step(one, piece) <= STEP_MAX for one in others)
            goes_on[kind][0] += max(met - STEP_MAX * len(others) / 4096, 0.0)
            goes_on[kind][1] += 1.0
        before[kind] = [*before[kind][1 - _BEFORE :], piece]
    return {kind for kind, (met, asked) in goes_on.items() if met > 0.5 * asked}


def _fit(one: _Open, piece: Piece, counts_on: set[int]) -> float:
    """How well a piece goes on an open burst; 0 and less: it does not.

    Only the order of the values matters: a count that goes on, then the same elements in full,
    then the shorter pause.
    """
    if not (one.random_address and piece.random_address) or piece.start_s < one.piece_end_s:
        return 0.0
    step = sequence_step(one.sequence_last, piece.sequence_first)
    if not one.kinds.keys() & piece.kinds.keys():
        return 0.5 if 0 < step <= _STEP_OTHER_ELEMENTS else 0.0
    if piece.kind in counts_on and not 0 < step <= STEP_MAX:
        return 0.0
    fit = 2.0 if 0 < step <= _STEP_WITHIN else 1.0
    fit += 1.0 if one.exact & piece.exact else -1.5
    return fit - 0.1 * max(piece.start_s - one.end_s, 0.0)


def _joined_by_address(
    pieces: Sequence[Piece], burst_of: Sequence[int]
) -> tuple[list[Stretch], list[int]]:
    """Bursts that one address goes through are one stretch."""
    leader = list(range(len(pieces)))

    def lead(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    first_with: dict[tuple[str, int], int] = {}
    for number, piece in enumerate(pieces):
        for sign in (("burst", burst_of[number]), ("sender", piece.sender)):
            leader[lead(number)] = lead(first_with.setdefault(sign, number))
    groups: dict[int, list[int]] = defaultdict(list)
    for number in sorted(range(len(pieces)), key=lambda n: pieces[n].start_s):
        groups[lead(number)].append(number)
    stretches: list[Stretch] = []
    stretch_of = [-1] * len(pieces)
    for members in groups.values():
        for number in members:
            stretch_of[number] = len(stretches)
        bursts: dict[int, list[Piece]] = defaultdict(list)
        for number in members:
            bursts[burst_of[number]].append(pieces[number])
        stretches.append(_stretch(list(bursts.values())))
    return stretches, stretch_of


def _stretch(bursts: Sequence[Sequence[Piece]]) -> Stretch:
    """One stretch out of its bursts, each a list of pieces by their start."""
    every = [piece for burst in bursts for piece in burst]
    first = min(every, key=lambda piece: piece.start_s)
    last = max(every, key=lambda piece: piece.end_s)
    opening = next(burst for burst in bursts if first in burst)
    closing = next(burst for burst in bursts if last in burst)
    kinds = sum((piece.kinds for piece in every), Counter[int]())
    return Stretch(
        all(piece.random_address for piece in every), first.start_s, last.end_s,
        min(piece.start_s for piece in closing), first.sequence_first, last.sequence_last,
        kinds, set().union(*(piece.exact for piece in every)), _strongest(opening),
        _strongest(closing), kinds.most_common(1)[0][0],
    )  # fmt: skip


def _step(earlier: Piece, later: Piece) -> int:
    return sequence_step(earlier.sequence_last, later.sequence_first)


def _strongest(pieces: Sequence[Piece]) -> int | None:
    return max((p.signal_dbm for p in pieces if p.signal_dbm is not None), default=None)


def _stronger(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)

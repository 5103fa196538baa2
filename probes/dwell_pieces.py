"""Estimate the mean dwell from pieces of visits, each within five minutes of the clock. Pure.

In strict mode a phone is forgotten at every turn of the key: what is left of a visit are pieces,
and nothing says which belong together. Of each piece only the cell is counted that it falls into:
when within the five minutes its first and its last burst came, to five seconds, and how many there
were. A stay that goes on over a turn reaches up to it, so from the numbers in the cells follows how
long stays are: each cell is weighed under every pace and every length that a stay may have,
wherever it lies.

That pieces of one long stay are of one phone is not known here, and they are not independent: the
interval allows for it (`PIECES_ERROR_SHARE`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import hypot, inf, sqrt
from typing import Final, NamedTuple

import numpy as np
from scipy.special import gammaincc

from probes.burst_pace import (
    PACE_MEAN_S,
    PACE_SHAPE,
    Floats,
    Paces,
    pauses_log_likelihood,
    unheard_probability,
)
from probes.bursts import BURST_SILENCE_S
from probes.dwell import LENGTH_S, VISITS_MIN, DwellEstimate, most_likely_mean, unknown_dwell
from probes.frames import Frame
from probes.tracing import trace
from storepulse.units import Z90

CELL_S: Final = 5.0
"""Times within five minutes are kept so exactly."""
BURSTS_MAX: Final = 40
"""More bursts of one piece say nothing more about its pace."""
PIECES_ERROR_SHARE: Final = 0.10
"""Standard deviation, as a share, beside the calibration's own: pieces of one stay are counted as
if they were of several phones. Chosen by hand from `storepulse eval dwell --mode strict`."""
_CELLS_MAX: Final = 400
_STEP_S: Final = CELL_S


FRAMES_A_SLOT_MAX: Final = 60_000
"""Two hundred frames a second: more is a flood, of which the rest of the slot is not used."""


class Cell(NamedTuple):
    """What is counted of a piece; nothing says whose it is, nor in which five minutes it lay."""

    first: int
    """Of its first burst, in cells of `CELL_S` after the turn."""
    last: int
    bursts: int


def cell_of(burst_s: Sequence[float], begin_s: float) -> Cell:
    """The cell of a piece whose bursts rise, in the five minutes from `begin_s`."""
    first, last = (int((time_s - begin_s) // CELL_S) for time_s in (burst_s[0], burst_s[-1]))
    return Cell(max(first, 0), max(last, 0), min(len(burst_s), BURSTS_MAX))


class PieceCounter:
    """Holds the frames of one slot, and of those before only how many pieces fell into each cell.

    Phones that send one address of their own are left out: things do, and over five minutes
    nothing tells a till from a visitor.
    """

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self.by_hour: dict[int, Counter[Cell]] = {}
        """Cells by the hour (UTC, seconds)."""

    @property
    def held(self) -> int:
        """How many frames of the slot at hand are kept."""
        return len(self._frames)

    def hear(self, frame: Frame) -> None:
        """Take one frame, in order of time."""
        if frame.random_address and len(self._frames) < FRAMES_A_SLOT_MAX:
            self._frames.append(frame)

    def end(self, begin_s: float) -> None:
        """The slot that began then is over: count its pieces, and forget its frames."""
        bursts: dict[int, list[float]] = {}
        ended_s: dict[int, float] = {}
        for frame, phone in zip(self._frames, trace(self._frames), strict=True):
            if frame.time_s - ended_s.get(phone, -inf) > BURST_SILENCE_S:
                bursts.setdefault(phone, []).append(frame.time_s)
            ended_s[phone] = frame.time_s
        self._frames = []
        hour_s = int(begin_s // 3600) * 3600
        for times_s in bursts.values():
            self.by_hour.setdefault(hour_s, Counter())[cell_of(times_s, begin_s)] += 1


def estimate_dwell_of_pieces(
    cells: Mapping[Cell, int], paces: Paces, *, slot_s: float, error_share: float = 0.0
) -> DwellEstimate:
    """Estimate the mean length of all stays from the pieces of those that were heard.

    Args:
        cells: how many pieces fell into each.
        slot_s: the time from turn to turn.
        error_share: as for whole visits (`estimate_dwell`).
    Returns:
        With `n` the pieces; `unheard_share` of all pieces those in which nothing was sent.
    """
    count = sum(cells.values())
    if count < VISITS_MIN:
        return unknown_dwell(
            count, f"{count} pieces of visits heard; at least {VISITS_MIN} are needed"
        )
    # Every so manieth in order: the commonest alone would be those that fill their slot.
    some = sorted(cells.items())[:: -(-len(cells) // _CELLS_MAX)]
    kept = np.array([number for _, number in some], np.float64)
    evidence = np.stack([_fits(cell, slot_s) for cell, _ in some])
    return most_likely_mean(
        evidence, kept * (count / kept.sum()), _heard(slot_s), slot_s, paces, count=count,
        error_share=hypot(error_share, PIECES_ERROR_SHARE),
    )  # fmt: skip


def visitors_of_pieces(
    dwell: DwellEstimate, *, slot_s: float
) -> tuple[float | None, float | None, float | None]:
    """How many stays the pieces are of, with the 90 % interval; unknown where the dwell is.

    A stay of w seconds lies in 1 + w / slot_s slots, on average. The longer it is the fewer there
    were, so the interval is that of the mean length, and of the luck of the count.
    """
    if dwell.mean is None or dwell.low is None or dwell.high is None:
        return None, None, None
    heard = 1.0 - min(dwell.unheard_share or 0.0, 0.95)
    value, low, high = (
        dwell.n / heard / (1.0 + 60.0 * minutes / slot_s)
        for minutes in (dwell.mean, dwell.high, dwell.low)
    )
    luck = Z90 * sqrt(value / heard)
    return value, max(0.0, value - hypot(value - low, luck)), value + hypot(high - value, luck)


@lru_cache(maxsize=2)
def _heard(slot_s: float) -> Floats:
    """(m, g): for how many seconds a stay of each length may begin and be heard in one slot."""
    inside_s = np.arange(0.0, slot_s + _STEP_S, _STEP_S)
    heard = 1.0 - unheard_probability(inside_s)
    edge = np.concatenate(
        (np.zeros((len(heard), 1)), np.cumsum((heard[:, 1:] + heard[:, :-1]) / 2, 1) * _STEP_S), 1
    )
    shorter = np.minimum(LENGTH_S, slot_s)
    at_edges = np.stack([np.interp(shorter, inside_s, row) for row in edge])
    whole = np.stack([np.interp(shorter, inside_s, row) for row in heard])
    return np.asarray(abs(slot_s - LENGTH_S) * whole + 2 * at_edges, np.float64)


def _silent(at_s: Floats) -> Floats:
    """(m, *at_s.shape): probability that a pause lasts longer; 0 where negative time is asked."""
    shape = (-1,) + (1,) * at_s.ndim
    mean, gamma = PACE_MEAN_S.reshape(shape), PACE_SHAPE.reshape(shape)
    lasting = gammaincc(gamma, gamma * np.maximum(at_s, 0.0)[None] / mean)
    return np.asarray(np.where(at_s[None] >= 0, lasting, 0.0), np.float64)


@lru_cache(maxsize=8192)
def _fits(cell: Cell, slot_s: float) -> Floats:
    """(m, g): density of such a piece under each pace and length, integrated over where it lies."""
    first_s = (cell.first + 0.5) * CELL_S
    last_s = min((cell.last + 0.5) * CELL_S, slot_s)
    before_s, after_s, heard_s = first_s, slot_s - last_s, last_s - first_s
    # A stay that begins and ends inside: its rest is shared between before and after.
    before = np.arange(_STEP_S / 2, max(before_s, _STEP_S), _STEP_S)
    rest_s = LENGTH_S[:, None] - heard_s - before[None]
    ends_inside = (rest_s >= 0) & (rest_s <= after_s)
    lasting = _silent(before)
    inside = (lasting[:, None] * np.where(ends_inside[None], _silent(rest_s), 0.0)).sum(2) * _STEP_S
    # One that was there before the turn, one that stays on after it, one that does both.
    from_turn = _silent(np.array([before_s]))
    to_turn = _silent(np.array([after_s]))
    cut_before = from_turn * _lasting_for(np.clip(LENGTH_S - last_s, 0.0, after_s))
    cut_after = to_turn * _lasting_for(np.clip(LENGTH_S - (slot_s - first_s), 0.0, before_s))
    both = from_turn * to_turn * np.maximum(LENGTH_S - slot_s, 0.0)
    pauses = cell.bursts - 1
    pace = pauses_log_likelihood([max(heard_s, 1.0) / pauses] * pauses if pauses else [])
    share = np.exp(pace - pace.max()) / PACE_MEAN_S
    return np.asarray(share[:, None] * (inside + cut_before + cut_after + both), np.float64)


@lru_cache(maxsize=1)
def _lasting() -> tuple[Floats, Floats]:
    at_s = np.arange(0.0, 1201.0, _STEP_S)
    silent = _silent(at_s)
    summed = np.cumsum((silent[:, 1:] + silent[:, :-1]) / 2, 1) * _STEP_S
    return at_s, np.concatenate((np.zeros((len(silent), 1)), summed), 1)


def _lasting_for(until_s: Floats) -> Floats:
    """(m, g): the integral of `_silent` from 0 to these times."""
    at_s, summed = _lasting()
    return np.stack([np.interp(until_s, at_s, row) for row in summed])

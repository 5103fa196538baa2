"""Estimate the mean dwell from pieces of visits, each within five minutes of the clock. Pure.

Two things are weighed together. Each piece, by the cell it fell into: a stay that goes on over a
turn reaches up to it, so from the numbers in the cells follows how long stays are, under every pace
and every length, wherever the stay lies. And how many last bursts before a turn and first bursts
after it lie how far apart (`probes.pieces`), beyond what chance alone gives: those are stays that
went on. Cells alone cannot tell short stays from slow phones, of which a piece is a single burst,
either; the gaps over the turns tell.

Pieces of one long stay are not independent, and are counted as if they were: the interval allows
for it (`PIECES_ERROR_SHARE`).
"""

from functools import lru_cache
from math import hypot, sqrt
from typing import Final

import numpy as np
from scipy.special import gammainc, gammaincc

from probes.burst_pace import (
    PACE_MEAN_S,
    PACE_SHAPE,
    Floats,
    Paces,
    pauses_log_likelihood,
    unheard_probability,
)
from probes.dwell import (
    LENGTH_S,
    MEAN_S,
    VISITS_MIN,
    DwellEstimate,
    estimate_of,
    length_priors,
    unknown_dwell,
)
from probes.modes import STRICT_S
from probes.pieces import CELL_S, GAP_EDGES_S, PAUSES_S, SLOTS_AN_HOUR, Cell, Pieces
from storepulse.units import Z90

PIECES_ERROR_SHARE: Final = 0.10
"""Standard deviation, as a share, beside the calibration's own: pieces of one stay are counted as
if they were of several phones. Chosen by hand from `storepulse eval dwell --mode strict`."""
_PRIOR_PHONES: Final = 3.0
"""What the learnt shares of paces weigh, in phones. Less than for whole visits: of 1, 3, 8, 25 and
60 the figures fell from 60 down to 3, and moved little below (`storepulse eval dwell`)."""
_ROUNDS: Final = 12
_CELLS_MAX: Final = 400
_STEP_S: Final = CELL_S
_FINER_S: Final = 2.5
"""Gaps are integrated in steps so fine."""
_STRAY_SHARE: Final = 0.02
_STRAY_S: Final = 600.0
"""As in `probes.burst_pace`: one pause in fifty is of any length."""
_CHANCE_MIN: Final = 0.05
"""Pairs that chance gives at any gap, at the least: nothing is impossible."""


def estimate_dwell_of_pieces(
    pieces: Pieces, paces: Paces, *, slot_s: float, error_share: float = 0.0
) -> DwellEstimate:
    """Estimate the mean length of all stays from the pieces of those that were heard.

    Args:
        slot_s: the time from turn to turn.
        error_share: as for whole visits (`estimate_dwell`).
    Returns:
        With `n` the pieces; `unheard_share` of all pieces those in which nothing was sent.
    """
    count = pieces.count
    if count < VISITS_MIN:
        return unknown_dwell(
            count, f"{count} pieces of visits heard; at least {VISITS_MIN} are needed"
        )
    # Every so manieth in order: the commonest alone would be those that fill their slot.
    some = sorted(pieces.cells.items())[:: -(-len(pieces.cells) // _CELLS_MAX)]
    times = np.array([number for _, number in some], np.float64)
    times *= count / times.sum()
    evidence = np.stack([_fits(cell, slot_s) for cell, _ in some])
    lengths, means, _ = length_priors()
    score, unheard = np.empty((2, len(means)))
    for begun in range(0, len(means), MEAN_S.size):
        block = slice(begun, begun + MEAN_S.size)  # one shape at a time, in bounded memory
        score[block], unheard[block] = _scores(
            evidence, times, lengths[block], pieces, np.array(paces.share), slot_s
        )
    return estimate_of(
        score, unheard, count=count, error_share=hypot(error_share, PIECES_ERROR_SHARE)
    )


def _scores(
    evidence: Floats, times: Floats, lengths: Floats, pieces: Pieces, prior: Floats, slot_s: float
) -> tuple[Floats, Floats]:
    """Log evidence of cells and gaps for each distribution of lengths, the paces fitted beside.

    Args:
        evidence: (n, m, g) density of each cell under each pace and length; times: (n,) how many.
        lengths: (c, g) shares; prior: (m,) shares of the paces.
    Returns:
        (c,) log evidence; (c,) share of the pieces in which nothing was sent.
    """
    # Stays that overlap a slot of s: those that begin in it, and in their length before it.
    whole_s = slot_s + lengths @ LENGTH_S
    fits = np.einsum("nmg,cg->cnm", evidence, lengths, optimize=True) / whole_s[:, None, None]
    heard_s = lengths @ _heard(slot_s).T
    silent = 1.0 - heard_s / whole_s[:, None]
    over = _over_turns(lengths)
    chance = pieces.by_chance + _CHANCE_MIN
    count = float(times.sum())
    share = np.repeat(prior[None], len(lengths), 0)
    for _ in range(_ROUNDS):
        fitted = np.maximum((fits @ share[:, :, None])[:, :, 0], 1e-300)
        believed = ((times / fitted)[:, None] @ fits)[:, 0] * share
        heard = np.maximum(1.0 - (share * silent).sum(1), 1e-6)
        missing = share * silent * (count / heard)[:, None]
        going_on = _going_on(share, heard_s, over, count)
        explained = going_on / (chance + going_on.sum(1))[:, None]
        mixed = believed + missing + _PRIOR_PHONES * prior
        mixed += explained @ pieces.gaps
        share = mixed / mixed.sum(1, keepdims=True)
    heard = np.maximum(1.0 - (share * silent).sum(1), 1e-6)
    expected = chance + _going_on(share, heard_s, over, count).sum(1)
    fitted = np.maximum((fits @ share[:, :, None])[:, :, 0], 1e-300)
    score = np.log(fitted) @ times - count * np.log(heard)
    score += _PRIOR_PHONES * (np.log(np.maximum(share, 1e-12)) @ prior)
    score += np.log(expected) @ pieces.gaps - expected.sum(1)
    return np.asarray(score, np.float64), 1.0 - heard


def _going_on(share: Floats, heard_s: Floats, over: Floats, count: float) -> Floats:
    """(c, m, b): gaps of stays that go on over a turn, of as many as give so many pieces."""
    stays_a_s = count / np.maximum((share * heard_s).sum(1), 1e-6)
    return np.asarray((stays_a_s[:, None] * share)[:, :, None] * over, np.float64)


def _over_turns(lengths: Floats) -> Floats:
    """(c, m, b): for how many seconds a stay may begin so that its bursts lie so around a turn."""
    gaps_s, place, pause = _gaps()
    still_there_s = lengths @ np.maximum(LENGTH_S[:, None] - gaps_s, 0.0)
    by_gap = pause[None] * (still_there_s * _beyond_chance(lengths)[:, None])[:, None]
    bins = [by_gap[:, :, place == number].sum(2) for number in range(len(GAP_EDGES_S) - 1)]
    return np.stack(bins, axis=2)


def _beyond_chance(lengths: Floats) -> Floats:
    """(c,): what is left of stays that go on where by chance is taken from the same hour's pieces.

    Among every last burst with every first one of an hour are the stays' own, and a twelfth of
    them counts as chance: a stay of mu slots on average (exponential) goes on over mu turns, and
    has 2 mu + 2 mu^2 pairs of two pieces of its own; those of one piece and the next all look as if
    it went on, of the others half lie farther apart than five minutes. Never less than nothing.
    """
    slots = lengths @ LENGTH_S / STRICT_S
    return np.asarray(1 / (1 + (3 + 2 * slots) / (2 * SLOTS_AN_HOUR)), np.float64)


@lru_cache(maxsize=1)
def _gaps() -> tuple[Floats, np.ndarray, Floats]:
    """Gaps (k,), the bin of each, and how often bursts at each pace lie so around a turn: (m, k).

    A pause of u seconds lies around a turn in u of the places that it may have.
    """
    edges = np.arange(0.0, GAP_EDGES_S[-1] + _FINER_S / 2, _FINER_S)
    gaps_s = (edges[1:] + edges[:-1]) / 2
    mean, shape = PACE_MEAN_S[:, None], PACE_SHAPE[:, None]
    lasting = np.diff(gammainc(shape, shape * edges[None] / mean), axis=1)
    lasting = (1 - _STRAY_SHARE) * lasting + _STRAY_SHARE * _FINER_S / _STRAY_S
    place = np.searchsorted(GAP_EDGES_S, gaps_s, "right") - 1
    return gaps_s, place, np.asarray(lasting * gaps_s / mean, np.float64)


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


def _fits(cell: Cell, slot_s: float) -> Floats:
    """(m, g): density of such a piece under each pace and length, integrated over where it lies."""
    pace = pauses_log_likelihood([PAUSES_S[place] for place in cell.pauses])
    share = np.exp(pace - pace.max()) / PACE_MEAN_S
    return np.asarray(share[:, None] * _lies_so(cell.first, cell.last, slot_s), np.float64)


@lru_cache(maxsize=2048)
def _lies_so(first: int, last: int, slot_s: float) -> Floats:
    """(m, g): the part of `_fits` that says where first and last burst lie, whatever is between."""
    first_s = (first + 0.5) * CELL_S
    last_s = min((last + 0.5) * CELL_S, slot_s)
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
    return np.asarray(inside + cut_before + cut_after + both, np.float64)


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

"""From pieces of five minutes that nobody can put together follows how long stays are."""

from collections import Counter

import numpy as np
import pytest

from probes.burst_pace import PAUSE_S_MEANS, PAUSE_SHAPES, Paces
from probes.dwell_pieces import (
    Cell,
    PieceCounter,
    cell_of,
    estimate_dwell_of_pieces,
    visitors_of_pieces,
)
from probes.frames import Frame

SLOT_S = 300.0
QUICK = Paces(
    tuple(
        1.0 if (step, shape) == (4, PAUSE_SHAPES[1]) else 0.0
        for step in range(len(PAUSE_S_MEANS))
        for shape in PAUSE_SHAPES
    )
)
"""Bursts every 18 s, nearly like clockwork."""


def pieces(mean_s: float, *, stays: int, seed: int) -> Counter[Cell]:
    """The cells of stays of exponential length, of just this mean, that burst as `QUICK`."""
    rng = np.random.default_rng(seed)
    cells: Counter[Cell] = Counter()
    lengths_s = rng.exponential(1.0, stays)
    for length_s in lengths_s * (mean_s / lengths_s.mean()):
        begin_s = 36_000 * rng.random()
        pauses = rng.gamma(8, 17.7 / 8, int(length_s / 8) + 40)
        bursts = begin_s - 17.7 * 20 - 17.7 * rng.random() + np.cumsum(pauses)
        bursts = bursts[(bursts >= begin_s) & (bursts < begin_s + length_s)]
        for slot in set((bursts // SLOT_S).tolist()):
            inside = bursts[bursts // SLOT_S == slot]
            cells[cell_of(inside.tolist(), slot * SLOT_S)] += 1
    return cells


@pytest.mark.parametrize("mean_s", [150.0, 900.0])
def test_the_mean_of_the_stays_is_found(mean_s: float) -> None:
    found = estimate_dwell_of_pieces(pieces(mean_s, stays=250, seed=3), QUICK, slot_s=SLOT_S)
    assert found.mean == pytest.approx(mean_s / 60, rel=0.15)
    assert found.low is not None
    assert found.high is not None
    assert found.low < mean_s / 60 < found.high
    visitors, low, high = visitors_of_pieces(found, slot_s=SLOT_S)
    assert visitors == pytest.approx(250, rel=0.2)
    assert low is not None
    assert high is not None
    assert low < 250 < high


def test_four_pieces_say_nothing() -> None:
    found = estimate_dwell_of_pieces({Cell(3, 9, 2): 4}, QUICK, slot_s=SLOT_S)
    assert (found.mean, found.n) == (None, 4)
    assert found.reason is not None
    assert visitors_of_pieces(found, slot_s=SLOT_S) == (None, None, None)


def frame(time_s: float, random: bool = True) -> Frame:
    return Frame(time_s, 5, random, 7, -50, 2437, False, 9, elements_exact=9)


def test_of_a_slot_that_is_over_only_cells_are_left() -> None:
    counter = PieceCounter()
    for time_s in (7212.0, 7212.1, 7260.0, 7290.0):
        counter.hear(frame(time_s))
    assert counter.held == 4
    counter.end(7200.0)
    assert counter.held == 0
    assert counter.by_hour == {7200: {Cell(2, 18, 3): 1}}


def test_what_keeps_an_address_of_its_own_is_no_visitor() -> None:
    counter = PieceCounter()
    counter.hear(frame(7212.0, random=False))
    counter.end(7200.0)
    assert counter.by_hour == {}

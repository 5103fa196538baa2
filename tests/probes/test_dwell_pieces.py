"""From pieces of five minutes that nobody can put together follows how long stays are."""

from collections import Counter

import numpy as np
import pytest

from probes.burst_pace import PAUSE_S_MEANS, PAUSE_SHAPES, Paces
from probes.calibration import read_calibration
from probes.dwell_pieces import estimate_dwell_of_pieces, visitors_of_pieces
from probes.frames import Frame
from probes.pieces import (
    Cell,
    Counted,
    HourOfPieces,
    PieceCounter,
    Pieces,
    gathered_pieces,
    with_things,
)

SLOT_S = 300.0
QUICK = Paces(
    tuple(
        1.0 if (step, shape) == (4, PAUSE_SHAPES[1]) else 0.0
        for step in range(len(PAUSE_S_MEANS))
        for shape in PAUSE_SHAPES
    )
)
"""Bursts every 18 s, nearly like clockwork."""


PAUSE_S = PAUSE_S_MEANS[4]


def frames_of_stays(mean_s: float, *, pause_s: float, stays: int, seed: int) -> list[Frame]:
    """Stays of exponential length, of just this mean; each phone keeps its address for a slot."""
    rng = np.random.default_rng(seed)
    lengths_s = rng.exponential(1.0, stays)
    frames = []
    for number, length_s in enumerate(lengths_s * (mean_s / lengths_s.mean())):
        begin_s = 360_000 + 36_000 * rng.random()
        pauses = rng.gamma(8, pause_s / 8, int(length_s / pause_s * 2) + 60)
        bursts = begin_s - pause_s * 20 - pause_s * rng.random() + np.cumsum(pauses)
        frames += [
            frame(time_s, sender=number)
            for time_s in bursts[(bursts >= begin_s) & (bursts < begin_s + length_s)].tolist()
        ]
    return sorted(frames)


def frame(time_s: float, *, sender: int = 5, random: bool = True) -> Frame:
    return Frame(time_s, sender, random, 7, -50, 2437, False, sender, elements_exact=sender)


def pieces_of(frames: list[Frame]) -> Pieces:
    """As strict mode gathers them."""
    counter = counter_of(frames)
    return gathered_pieces(counter.by_hour, counter.by_hour)


def counter_of(frames: list[Frame]) -> PieceCounter:
    """Whose key turned every five minutes."""
    counter = PieceCounter(read_calibration().paces)
    slot = None
    for one in frames:
        if slot is not None and one.time_s // SLOT_S != slot:
            counter.end(slot * SLOT_S)
        slot = one.time_s // SLOT_S
        counter.hear(one._replace(sender=hash((one.sender, slot))))
    assert slot is not None
    counter.end(slot * SLOT_S)
    return counter


@pytest.mark.parametrize("mean_s", [150.0, 900.0])
def test_the_mean_of_the_stays_is_found(mean_s: float) -> None:
    frames = frames_of_stays(mean_s, pause_s=PAUSE_S, stays=250, seed=3)
    found = estimate_dwell_of_pieces(pieces_of(frames), QUICK, slot_s=SLOT_S)
    assert found.mean == pytest.approx(mean_s / 60, rel=0.15)
    assert found.low is not None
    assert found.high is not None
    assert found.low < mean_s / 60 < found.high
    visitors, low, high = visitors_of_pieces(found, slot_s=SLOT_S)
    assert visitors == pytest.approx(250, rel=0.2)
    assert low is not None
    assert high is not None
    assert low < 250 < high


def test_slow_phones_are_not_taken_for_short_stays() -> None:
    # Half of their pieces are one burst: what tells is how many bursts lie around a turn.
    frames = frames_of_stays(360.0, pause_s=120.0, stays=250, seed=4)
    pieces = pieces_of(frames)
    paces = read_calibration().paces
    alone = Pieces(pieces.cells, np.zeros_like(pieces.gaps), np.full_like(pieces.gaps, 1e3))
    found, without = (
        estimate_dwell_of_pieces(some, paces, slot_s=SLOT_S).mean for some in (pieces, alone)
    )
    assert found is not None
    assert without is not None
    assert abs(found - 6.0) < abs(without - 6.0)
    # Some of these phones are taken for slower ones still: long rather than short.
    assert found == pytest.approx(6.0, rel=0.3)


def test_strangers_meet_around_a_turn_as_often_as_chance_says() -> None:
    rng = np.random.default_rng(5)
    times = np.sort(360_000 + 72_000 * rng.random(2000)).tolist()
    pieces = pieces_of([frame(time_s, sender=n) for n, time_s in enumerate(times)])
    assert pieces.gaps.sum() == pytest.approx(pieces.by_chance.sum(), rel=0.1)
    going_on = frames_of_stays(600.0, pause_s=PAUSE_S, stays=100, seed=5)
    pieces = pieces_of(going_on)
    soon = slice(0, 3)  # within half a minute: these burst every 18 s
    assert pieces.gaps[soon].sum() > 1.5 * pieces.by_chance[soon].sum()


def test_a_piece_does_not_meet_itself_by_chance() -> None:
    one, two = (HourOfPieces(Counted(Counter({Cell(9, 9): n}))) for n in (1, 2))
    assert gathered_pieces({0: one}, [0]).by_chance.sum() == 0
    assert gathered_pieces({0: two}, [0]).by_chance.sum() == pytest.approx(2 / 12)


def test_an_hour_that_was_heard_in_part_has_fewer_turns() -> None:
    hour = HourOfPieces(Counted(Counter({Cell(0, 59): 6})), slots={4, 5, 6})
    whole = gathered_pieces({0: HourOfPieces(), 3600: hour, 7200: HourOfPieces()}, [3600])
    part = gathered_pieces({3600: hour}, [3600])
    assert part.by_chance.sum() == pytest.approx(12 / 3 * whole.by_chance.sum())
    assert gathered_pieces({}, []).count == 0


def test_four_pieces_say_nothing() -> None:
    few = HourOfPieces(Counted(Counter({Cell(3, 9, (9,)): 4})), slots={1})
    found = estimate_dwell_of_pieces(gathered_pieces({0: few}, [0]), QUICK, slot_s=SLOT_S)
    assert (found.mean, found.n) == (None, 4)
    assert found.reason is not None
    assert visitors_of_pieces(found, slot_s=SLOT_S) == (None, None, None)


def test_of_a_slot_that_is_over_only_counts_are_left() -> None:
    counter = PieceCounter(QUICK)
    for time_s in (7212.0, 7212.1, 7260.0, 7290.0):
        counter.hear(frame(time_s))
    assert counter.held == 4
    counter.end(7200.0)
    assert counter.held == 0
    [hour] = counter.by_hour.values()
    [cell] = hour.made_up.cells
    assert (cell.first, cell.last, len(cell.pauses)) == (2, 18, 2)
    assert hour.slots == {0}


def test_the_time_of_a_last_burst_goes_after_five_minutes() -> None:
    counter = PieceCounter(QUICK)
    counter.hear(frame(7290.0))
    counter.end(7200.0)
    assert counter.oldest_s == 7290.0
    counter.pass_to(7589.0)
    assert counter.oldest_s == 7290.0
    counter.pass_to(7591.0)
    assert counter.oldest_s is None


def own_for(hours: float, *, every_s: float) -> list[Frame]:
    """Something with an address of its own that sends every so often."""
    times = np.arange(360_000.0, 360_000 + 3600 * hours, every_s).tolist()
    return [frame(time_s, random=False) for time_s in times]


def test_what_stands_there_is_no_visitor_and_a_visitor_with_its_own_address_is() -> None:
    visitors = [
        one._replace(random_address=False)
        for one in frames_of_stays(240.0, pause_s=PAUSE_S, stays=30, seed=6)
    ]
    alone = counter_of(visitors)
    assert not with_things(alone.by_hour)
    assert gathered_pieces(alone.by_hour, alone.by_hour).count >= 30
    till = counter_of(sorted([*visitors, *own_for(8, every_s=60.0)]))
    while_it_stood = [360_000 + 3600 * hour for hour in range(8)]
    assert with_things(till.by_hour) >= set(while_it_stood)
    assert gathered_pieces(till.by_hour, while_it_stood).count == 0


def test_a_slow_thing_stands_there_and_one_of_three_hours_does_not() -> None:
    assert len(with_things(counter_of(own_for(5, every_s=1500.0)).by_hour)) == 5
    assert not with_things(counter_of(own_for(3, every_s=60.0)).by_hour)
    assert not with_things({})


def test_own_addresses_meet_only_their_kind_around_a_turn() -> None:
    counter = counter_of([frame(7490.0, random=False), frame(7510.0, sender=9)])
    [hour] = counter.by_hour.values()
    assert not hour.made_up.gaps
    assert not hour.own.gaps
    counter = counter_of([frame(7490.0, random=False), frame(7510.0, random=False)])
    [hour] = counter.by_hour.values()
    assert sum(hour.own.gaps.values()) == 1

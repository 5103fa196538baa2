"""Pieces are counted again in five minutes that begin between those of the first count."""

from collections import Counter

import pytest

from probes.between import BetweenCounter, gathered_together
from probes.calibration import read_calibration
from probes.dwell_pieces import estimate_dwell_of_pieces
from probes.modes import STRICT_S
from probes.pieces import Cell, Counted, HourOfPieces, gathered_pieces
from tests.probes.test_dwell_pieces import QUICK, counter_of, frame


def between_of(times_s: list[float]) -> BetweenCounter:
    """Of one phone, under the first key beside the first: its turns lie 100 s later."""
    counter = BetweenCounter(read_calibration().paces, 0)
    for time_s in times_s:
        slot = (time_s - 100) // STRICT_S
        counter.hear(frame(time_s)._replace(others=((hash(("sender", slot)), 5), (0, 0))))
    counter.end()
    return counter


def test_a_stay_over_a_turn_is_whole_in_a_count_between() -> None:
    # From a minute before a turn of the first key to a minute after it.
    times_s = [7440.0 + 20 * number for number in range(7)]
    first = counter_of([frame(time_s) for time_s in times_s])
    assert gathered_pieces(first.by_hour, first.by_hour).count == 2
    [hour] = between_of(times_s).by_hour.values()
    [(cell, number)] = hour.made_up.cells.items()
    assert (cell.first, cell.last, number) == (28, 52, 1)  # 140 and 260 s after 7300


def test_a_stay_over_a_turn_between_is_cut_there() -> None:
    times_s = [7540.0 + 20 * number for number in range(7)]
    first = counter_of([frame(time_s) for time_s in times_s])
    assert gathered_pieces(first.by_hour, first.by_hour).count == 1
    [hour] = between_of(times_s).by_hour.values()
    assert hour.made_up.cells.total() == 2
    assert sum(hour.made_up.gaps.values()) == 1


def test_what_is_over_is_counted_though_nothing_more_is_heard() -> None:
    counter = BetweenCounter(read_calibration().paces, 1)
    counter.hear(frame(7480.0))
    counter.pass_to(7699.0)
    assert (counter.held, counter.begun_s) == (1, 7400.0)
    counter.pass_to(7701.0)
    assert (counter.held, counter.begun_s) == (0, None)
    assert counter.oldest_s == 7480.0
    counter.pass_to(7786.0)
    assert counter.oldest_s is None
    counter.end()
    assert [hour.made_up.cells.total() for hour in counter.by_hour.values()] == [1]


def test_counts_together_weigh_as_much_as_one() -> None:
    hour = HourOfPieces(Counted(Counter({Cell(3, 9, (9,)): 40}), Counter({2: 6})), slots={1})
    one = gathered_pieces({0: hour}, [0])
    all_three = gathered_together([{0: hour}] * 3, start_s=0, end_s=3600)
    assert all_three.count == one.count == 40
    assert all_three.gaps == pytest.approx(one.gaps)
    assert all_three.by_chance == pytest.approx(one.by_chance)
    told = [estimate_dwell_of_pieces(some, QUICK, slot_s=STRICT_S) for some in (one, all_three)]
    assert told[0].mean == pytest.approx(told[1].mean)
    assert told[0].high == pytest.approx(told[1].high)
    assert gathered_together([{0: hour}] * 3, start_s=3600, end_s=7200).count == 0

"""Strict mode's hours are thinned fairly, and what is still being counted stays."""

from collections import Counter

from probes.pieces import Cell, HourOfPieces
from probes.pieces_kept import FairHours


def hour_of(cells: int) -> HourOfPieces:
    return HourOfPieces(cells=Counter({Cell(0, 0, (number,)): 1 for number in range(cells)}))


def test_as_many_hours_stay_as_may_be_held_from_all_days_alike() -> None:
    by_hour: dict[int, HourOfPieces] = {}
    hours = FairHours(cells_max=1000)
    for number in range(3000):
        by_hour[3600 * number] = hour_of(10)
        hours.thin(by_hour, now_s=3600.0 * number)
        assert len(by_hour) <= 102
    assert len(by_hour) > 50
    early = sum(1 for hour_s in by_hour if hour_s < 3600 * 1500)
    assert 0.3 < early / len(by_hour) < 0.7


def test_the_hours_at_hand_stay_however_full() -> None:
    by_hour = {3600 * number: hour_of(500) for number in range(10)}
    FairHours(cells_max=1000).thin(by_hour, now_s=9 * 3600.0 + 5)
    assert {8 * 3600, 9 * 3600} <= set(by_hour)
    assert len(by_hour) <= 4


def test_few_hours_all_stay() -> None:
    by_hour = {3600 * number: hour_of(5) for number in range(10)}
    FairHours(cells_max=1000).thin(by_hour, now_s=1e6)
    assert len(by_hour) == 10

"""Strict mode's days are thinned fairly and whole, and what is still being counted stays."""

from collections import Counter

from probes.pieces import Cell, Counted, HourOfPieces
from probes.pieces_kept import FairDays

HOUR_S = 3600
DAY_S = 24 * HOUR_S


def hour_of(cells: int) -> HourOfPieces:
    kinds = Counter({Cell(0, 0, (number,)): 1 for number in range(cells // 2)})
    return HourOfPieces(made_up=Counted(cells=kinds), own=Counted(cells=kinds.copy()))


def test_as_many_days_stay_as_may_be_held_from_all_times_alike_and_whole() -> None:
    by_hour: dict[int, HourOfPieces] = {}
    days = FairDays(cells_max=12_000)
    for number in range(24 * 600):
        by_hour[HOUR_S * number] = hour_of(10)
        days.thin(by_hour, now_s=float(HOUR_S * number))
        assert len(by_hour) <= 24 * 52 + 1
    begun = Counter(hour_s // DAY_S for hour_s in by_hour)
    assert len(begun) > 20
    assert set(begun.values()) == {24}
    early = sum(1 for day in begun if day < 300)
    assert 0.25 < early / len(begun) < 0.75


def test_the_day_at_hand_stays_however_full() -> None:
    by_hour = {HOUR_S * number: hour_of(500) for number in range(24 * 5 + 10)}
    FairDays(cells_max=1000).thin(by_hour, now_s=DAY_S * 5 + 9.5 * HOUR_S)
    assert {DAY_S * 5 + HOUR_S * number for number in range(10)} <= set(by_hour)
    assert len(by_hour) <= 24 + 10


def test_yesterday_stays_until_its_last_hour_is_counted() -> None:
    by_hour = {HOUR_S * number: hour_of(500) for number in range(48)}
    FairDays(cells_max=1).thin(by_hour, now_s=2 * DAY_S + 0.5 * HOUR_S)
    assert {DAY_S + HOUR_S * number for number in range(24)} <= set(by_hour)


def test_few_days_all_stay() -> None:
    by_hour = {HOUR_S * number: hour_of(4) for number in range(100)}
    FairDays(cells_max=1000).thin(by_hour, now_s=1e7)
    assert len(by_hour) == 100

"""What captures with known truth teach."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.burst_pace import PAUSE_S_MEANS, PAUSE_SHAPES, Paces
from probes.calibration import Calibration
from probes.counted_moments import MOMENTS_MAX, CountedMoment, NearCounts
from probes.learning import (
    ELSEWHERE_SD,
    ROOM_PEOPLE,
    CountedWindow,
    PeopleOfPhones,
    bare_calibration,
    burst_pauses_s,
    learn_paces_of,
    learn_people,
    learnt_calibration,
    recalibrated,
)
from probes.people_curve import ONE_EACH, PeopleCurve

DAYS = ("2023-01-01", "2023-01-02", "2023-01-03", "2023-01-04")


def _burst(start_s: float) -> list[float]:
    return [start_s, start_s + 0.1, start_s + 0.9]


def test_a_pause_runs_from_burst_to_burst() -> None:
    assert burst_pauses_s([*_burst(100), *_burst(130), *_burst(190)]) == [30, 60]


def test_a_phone_that_burst_once_paused_for_ten_minutes_at_least() -> None:
    assert burst_pauses_s(_burst(5)) == [600]


def _mean_pause_s(paces: Paces) -> float:
    means = [mean for mean in PAUSE_S_MEANS for _ in PAUSE_SHAPES]
    return sum(share * mean for share, mean in zip(paces.share, means, strict=True))


def _watch(pause_s: float) -> list[float]:
    return [time_s for k in range(40) for time_s in _burst(k * pause_s)]


def test_slow_phones_teach_slow_paces() -> None:
    quick = learn_paces_of({"a": [_watch(12)], "b": [_watch(15)]})
    slow = learn_paces_of({"a": [_watch(150)], "b": [_watch(200)]})
    assert _mean_pause_s(quick) < 40
    assert _mean_pause_s(slow) > 120


def test_every_phone_counts_alike_however_often_it_was_watched() -> None:
    once = learn_paces_of({"quick": [_watch(12)], "slow": [_watch(200)]})
    often = learn_paces_of({"quick": [_watch(12)] * 9, "slow": [_watch(200), []]})
    assert often.share == pytest.approx(once.share, abs=1e-5)


def test_where_nothing_was_heard_there_is_nothing_to_learn() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        learn_paces_of({"a": [[]]})


def _windows(per_phone: dict[str, float]) -> list[CountedWindow]:
    return [
        CountedWindow(day, factor * phones, phones)
        for day, factor in per_phone.items()
        for phones in (5.0, 10.0, 20.0)
    ]


@settings(max_examples=10, deadline=None)
@given(st.floats(0.2, 4), st.sampled_from([0.5, 1.0]), st.sampled_from([0.0, 1.0, 2.0]))
def test_the_curve_that_made_the_counts_is_learnt_and_leaves_no_error(
    scale: float, exponent: float, outside: float
) -> None:
    curve = PeopleCurve(scale, exponent, outside, 20.0)
    windows = [
        CountedWindow(day, curve.people(phones), phones)
        for day in DAYS
        for phones in (1.0, 3.0, 5.0, 8.0, 12.0, 16.0, 20.0)
    ]
    learnt = learn_people(windows)
    for window in windows:
        assert learnt.curve.people(window.phones) == pytest.approx(window.people, rel=0.1, abs=0.3)
    assert learnt.error_share < 0.1


def test_a_curve_that_moves_from_half_to_half_is_an_error_in_both() -> None:
    learnt = learn_people(_windows(dict(zip(DAYS, (0.5, 0.5, 1.0, 1.0), strict=True))))
    # At 20 phones 10 people are told where 20 are, and with four days all must be held.
    assert learnt.error_share == pytest.approx(10 / (10 + ROOM_PEOPLE), abs=0.1)
    assert learnt.error_people == pytest.approx(learnt.error_share * ROOM_PEOPLE, abs=0.02)


def test_the_error_holds_nine_in_ten_windows_of_days_like_those_that_taught_it() -> None:
    chance = Random(5)

    def drawn(days: int, begin: str) -> list[CountedWindow]:
        first = date.fromisoformat(begin)
        found = []
        for number in range(days):
            day = (first + timedelta(days=3 * number)).isoformat()
            factor = chance.lognormvariate(0, 0.2)
            for phones in (3.0, 6.0, 9.0, 12.0):
                people = phones * factor * chance.lognormvariate(0, 0.1)
                found.append(CountedWindow(day, people, phones))
        return found

    held, widest = [], 0.0
    for _ in range(6):
        learnt = learn_people(drawn(30, "2023-01-01"))
        for window in drawn(60, "2024-01-01"):
            told = learnt.curve.people(window.phones)
            half = learnt.error_share * told + learnt.error_people
            held.append(abs(told - window.people) <= half)
        widest = max(widest, learnt.error_share)
    assert 0.87 <= sum(held) / len(held) <= 0.99
    assert widest < 0.4


def test_beyond_what_was_learnt_people_grow_with_phones() -> None:
    curve = PeopleCurve(4.0, 0.5, 2.0, 18.0)
    assert curve.people(18) == pytest.approx(16)
    assert curve.people(36) == pytest.approx(32)
    assert curve.people(0) == curve.people(2) == 0


@pytest.mark.parametrize(
    ("figures", "why"),
    [
        pytest.param((0.0, 1.0, 0.0, 9.0), "scale", id="nobody"),
        pytest.param((1.0, 3.0, 0.0, 9.0), "exponent", id="too bent"),
        pytest.param((1.0, 1.0, 9.0, 9.0), "outside", id="all outside"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(
    figures: tuple[float, float, float, float], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        PeopleCurve(*figures)


def _calibration() -> Calibration:
    return bare_calibration(learn_paces_of({"a": [_watch(30)]}))


def _counts(people: float, phones: float = 10.0) -> list[CountedMoment]:
    return [CountedMoment(1_672_567_200 + 86_400 * day, people, phones) for day in range(3)]


def test_counts_move_a_curve_learnt_elsewhere_altogether_and_one_learnt_here_near_them() -> None:
    here = recalibrated(_calibration(), _counts(20), scale_sd=0.0)
    elsewhere = recalibrated(_calibration(), _counts(20), scale_sd=ELSEWHERE_SD)
    counted_s = _counts(20)[0].start_s
    a_month_later_s = counted_s + 60 * 86_400
    assert 14 < here.people(counted_s, 10) < 20
    assert here.people(counted_s + 1800, 10) < here.people(counted_s, 10)
    assert 10 < here.people(counted_s + 5 * 3600, 10) < 11.5
    assert here.people(a_month_later_s, 10) == pytest.approx(10, abs=0.4)
    assert 15 < elsewhere.people(a_month_later_s, 10) < 20
    assert here.learnt_on == DAYS[2]
    assert "counts by hand: 3 until" in here.learnt_from


def test_counts_that_agree_change_nothing_but_the_date() -> None:
    moved = recalibrated(_calibration(), _counts(10), scale_sd=0.0)
    assert moved.people(_counts(10)[0].start_s, 10) == pytest.approx(10)
    assert moved.curve == ONE_EACH


def test_counts_that_are_known_count_once() -> None:
    once = recalibrated(_calibration(), _counts(20), scale_sd=ELSEWHERE_SD)
    assert recalibrated(once, _counts(20), scale_sd=0.0) == once


def test_only_the_latest_counts_are_kept() -> None:
    many = [CountedMoment(1_672_567_200 + 600 * n, 20.0, 10.0) for n in range(MOMENTS_MAX + 50)]
    kept = recalibrated(_calibration(), many, scale_sd=0.0).counted
    assert (len(kept), kept[-1]) == (MOMENTS_MAX, many[-1])


@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.floats(0, 300), st.floats(0, 50)), max_size=20
    ),
    st.integers(0, 10**6), st.floats(0, 50), st.sampled_from([0.0, 0.5]),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_people_are_never_fewer_than_none_whatever_was_counted(
    rows: list[tuple[int, float, float]], start_s: int, phones: float, scale_sd: float
) -> None:
    near = NearCounts(ONE_EACH, [CountedMoment(*row) for row in rows], scale_sd=scale_sd)
    assert 0 <= near.people(start_s, phones) < 1e6


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        pytest.param([], "nothing to calibrate by", id="none"),
        pytest.param(_counts(0, 0), "nothing to calibrate by", id="nobody anywhere"),
        pytest.param(_counts(900), "clocks", id="no relation"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts: list[CountedMoment], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        recalibrated(_calibration(), counts, scale_sd=ELSEWHERE_SD)


@pytest.mark.parametrize(
    "windows",
    [
        pytest.param([], id="none"),
        pytest.param(_windows({"2023-01-01": 0.5}), id="one day"),
        pytest.param(_windows(dict.fromkeys(DAYS, 0.0)), id="nobody"),
    ],
)
def test_too_little_teaches_nothing(windows: list[CountedWindow]) -> None:
    with pytest.raises(ValueError, match="must be counted"):
        learn_people(windows)


def test_what_was_learnt_is_a_calibration() -> None:
    paces = learn_paces_of({"a": [_watch(30)]})
    curve = PeopleCurve(0.7, 1.0, 0.0, 30.0)
    learnt = learnt_calibration(
        name="x", learnt_from="y", learnt_on="2023-01-04", paces=paces,
        people=PeopleOfPhones(curve=curve, error_share=0.2, error_people=1.0),
    )  # fmt: skip
    assert (learnt.curve, learnt.error_share, learnt.paces) == (curve, 0.2, paces)
    assert bare_calibration(paces).curve == ONE_EACH

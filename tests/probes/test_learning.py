"""What captures with known truth teach."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.burst_pace import PAUSE_S_MEANS, PAUSE_SHAPES, Paces
from probes.learning import (
    ERROR_PEOPLE,
    CountedWindow,
    PeopleOfPhones,
    bare_calibration,
    burst_pauses_s,
    learn_paces_of,
    learn_people,
    learnt_calibration,
)

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


@given(st.floats(0.1, 5))
def test_the_factor_is_people_over_phones_and_a_steady_one_leaves_no_error(factor: float) -> None:
    learnt = learn_people(_windows(dict.fromkeys(DAYS, factor)))
    assert learnt.people_per_phone == pytest.approx(factor, abs=1e-3)
    assert learnt.error_share == 0


def test_a_factor_that_moves_from_half_to_half_is_an_error_in_the_later_one() -> None:
    windows = _windows(dict(zip(DAYS, (0.5, 0.5, 1.0, 1.0), strict=True)))
    learnt = learn_people(windows)
    assert learnt.people_per_phone == pytest.approx(0.75)
    # At 20 phones 10 people are told where 20 are: off by 10, of which 1.5 are allowed anyway.
    assert learnt.error_share == pytest.approx((10 - ERROR_PEOPLE) / 10, abs=1e-3)


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
    learnt = learnt_calibration(
        name="x", learnt_from="y", learnt_on="2023-01-04", paces=paces,
        people=PeopleOfPhones(people_per_phone=0.7, error_share=0.2),
    )  # fmt: skip
    assert (learnt.people_per_phone, learnt.error_share, learnt.paces) == (0.7, 0.2, paces)
    assert bare_calibration(paces).people_per_phone == 1

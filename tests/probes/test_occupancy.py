"""People present by ten minutes, with unseen kept apart from empty."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.calibration import Calibration, read_calibration, write_calibration
from probes.errors import CalibrationRefused
from probes.occupancy import Occupancy, PresenceCounter, merged
from probes.visits import Visit

DEFAULT = read_calibration()
PLAIN: Calibration = replace(DEFAULT, people_per_phone=1.0, error_share=0.1, error_people=0.5)


def visit(start_s: float, end_s: float, signal_dbm: int | None = -50) -> Visit:
    return Visit((start_s, end_s), 1, True, signal_dbm)


def windows(visits: list[Visit], first_s: float, last_s: float) -> list[Occupancy]:
    counter = PresenceCounter(PLAIN.signal_dbm_min)
    counter.heard(first_s)
    counter.heard(last_s)
    for one in visits:
        counter.add(one)
    return counter.windows(first_s, last_s, PLAIN)


def test_phones_present_all_the_window_count_whole() -> None:
    (first, _) = windows([visit(0, 600), visit(0, 600), visit(0, 600)], 0, 600)
    assert first.people == pytest.approx(3, abs=0.2)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 3 < first.high


def test_a_faint_phone_is_outside() -> None:
    assert windows([visit(0, 599, -80)], 0, 599)[0].people == 0


def test_a_phone_of_unknown_signal_counts() -> None:
    assert (windows([visit(0, 599, None)], 0, 599)[0].people or 0) > 0.9


def test_a_thing_that_stands_there_all_day_is_left_out() -> None:
    day = [visit(0, 5 * 3600.0)]
    assert {w.people for w in windows(day, 0, 5 * 3600.0) if w.people is not None} == {0.0}


def test_a_silent_window_is_unknown_not_empty() -> None:
    found = windows([], 0, 1900)
    assert [w.people for w in found] == [0.0, None, None, 0.0]


def test_months_between_two_captures_have_no_windows() -> None:
    assert len(windows([], 0, 90 * 86400.0)) == 2


@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.floats(0.05, 1.0), st.integers(0, 40)),
        min_size=1,
        max_size=12,
    )
)
def test_merging_windows_keeps_visits_and_stays_between_the_extremes(
    rows: list[tuple[float, float, int]],
) -> None:
    each = [
        Occupancy(600 * n, people, max(0.0, people - 1), people + 1, visits, covered)
        for n, (people, covered, visits) in enumerate(rows)
    ]
    whole = merged(each)
    assert whole is not None
    assert whole.visits == sum(row[2] for row in rows)
    assert whole.people is not None
    assert min(r[0] for r in rows) - 1e-9 <= whole.people <= max(r[0] for r in rows) + 1e-9
    assert (whole.low or 0) - 1e-9 <= whole.people <= (whole.high or 0) + 1e-9


def test_nothing_known_merges_to_nothing() -> None:
    assert merged([]) is None
    assert merged([Occupancy(0, None, None, None)]) is None


def test_a_calibration_survives_the_file(tmp_path: Path) -> None:
    write_calibration(PLAIN, tmp_path / "shop.json")
    assert read_calibration(tmp_path / "shop.json") == PLAIN


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("{}", "is no calibration", id="fields missing"),
        pytest.param("no json", "is no calibration", id="no JSON"),
        pytest.param(None, "cannot read", id="not there"),
    ],
)
def test_a_bad_calibration_is_refused_in_one_line(
    tmp_path: Path, text: str | None, words: str
) -> None:
    path = tmp_path / "bad.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CalibrationRefused, match=words) as refused:
        read_calibration(path)
    assert "\n" not in str(refused.value)

"""People present by ten minutes, with unseen kept apart from empty."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.calibration import Calibration, read_calibration, write_calibration
from probes.errors import CalibrationRefused
from probes.frames import Frame
from probes.occupancy import Occupancy, PresenceCounter, merged
from probes.people_curve import ONE_EACH

DEFAULT = read_calibration()
PLAIN: Calibration = replace(DEFAULT, curve=ONE_EACH, error_share=0.1, error_people=0.5)


def phone(number: int, at_s: float, signal_dbm: int | None = -50, random: bool = True) -> Frame:
    """A phone of a model of its own, under an address of the moment."""
    return Frame(
        at_s, number * 1000 + int(at_s), random, (977 * number + int(at_s)) % 4096, signal_dbm,
        2437, False, number, elements_exact=number, shape=number,
    )  # fmt: skip


def windows(frames: list[Frame], last_s: float | None = None) -> list[Occupancy]:
    counter = PresenceCounter(PLAIN.signal_dbm_min, PLAIN.signal_dbm_sure)
    for frame in sorted(frames):
        counter.hear(frame)
    times_s = [frame.time_s for frame in frames]
    return counter.windows(min(times_s), last_s or max(times_s), PLAIN)


def there(number: int, *signal_dbm: int | None, random: bool = True) -> list[Frame]:
    """Phones that burst every half minute for ten minutes."""
    return [
        phone(place + 1, 30.0 * n + place, signal, random)
        for place, signal in enumerate(signal_dbm or (-50,) * number)
        for n in range(20)
    ]


def test_phones_present_all_the_window_count_whole() -> None:
    (first,) = windows(there(3))
    assert first.people == pytest.approx(3)
    assert first.low is not None
    assert first.high is not None
    assert first.low < 3 < first.high
    assert first.phones_at_once == 3


def test_a_phone_that_is_there_for_half_the_window_counts_half() -> None:
    frames = [frame for frame in there(2) if frame.elements == 1 or frame.time_s < 300]
    assert windows(frames)[0].people == pytest.approx(1.5)


def test_a_faint_phone_is_outside_and_one_in_between_counts_half() -> None:
    assert windows(there(1, -80))[0].people == 0
    between = (PLAIN.signal_dbm_min + PLAIN.signal_dbm_sure) // 2
    assert windows(there(1, between))[0].people == pytest.approx(0.5)


def test_a_phone_of_unknown_signal_counts() -> None:
    assert windows(there(1, None))[0].people == pytest.approx(1)


def test_a_thing_with_an_address_of_its_own_does_not_count() -> None:
    assert windows(there(3, random=False))[0].people == 0


def test_a_silent_window_is_unknown_not_empty() -> None:
    found = windows([phone(1, 0, -90), phone(1, 1900, -90)])
    assert [w.people for w in found] == [0.0, None, None, 0.0]


def test_months_between_two_captures_have_no_windows() -> None:
    assert len(windows([phone(1, 0), phone(1, 90 * 86400.0)])) == 2


def test_a_window_is_steadied_by_its_neighbours_and_by_no_others() -> None:
    frames = [phone(1, 600.0 * window, -90) for window in range(9)]
    frames += [phone(1, 4 * 600.0 + at_s) for at_s in (10.0, 310.0)]
    told = [round(window.phones, 2) for window in windows(frames)]
    assert told[4] == max(told)
    assert told[3] == told[5] > told[2] == told[6] > 0
    assert told[:2] == told[7:] == [0, 0]


def test_nothing_of_a_phone_is_kept_past_its_five_minutes() -> None:
    counter = PresenceCounter(-68, -65)
    for n in range(30):
        counter.hear(phone(1, 100.0 * n))
        assert counter.held <= 3
    counter.pass_to(29 * 100.0 + 300)
    assert counter.held == 0


def test_a_flood_is_not_held_beyond_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("probes.occupancy.FRAMES_A_SLOT_MAX", 10)
    counter = PresenceCounter(-68, -65)
    for n in range(100):
        counter.hear(phone(n, 1.0 + n / 1000))
    assert counter.held == 10


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 90 * 600), st.integers(1, 6), st.sampled_from([-50, -66, -90])),
        min_size=1, max_size=40,
    ),
    st.booleans(),
)  # fmt: skip
def test_windows_told_as_they_end_are_those_told_at_the_end(
    rows: list[tuple[int, int, int]], pause: bool
) -> None:
    frames = sorted(phone(number, float(at_s), signal) for at_s, number, signal in rows)
    if pause:  # more than a day of silence, then the same again
        frames += [one._replace(time_s=one.time_s + 250 * 600.0) for one in frames]
    first_s, last_s = frames[0].time_s, frames[-1].time_s
    counter = PresenceCounter(PLAIN.signal_dbm_min, PLAIN.signal_dbm_sure)
    found = []
    for frame in frames:
        found += counter.windows_over(first_s, frame.time_s, PLAIN)
        counter.hear(frame)
    found += counter.windows(first_s, last_s, PLAIN)
    assert found == windows(frames)


def test_windows_that_were_told_are_forgotten() -> None:
    counter = PresenceCounter(PLAIN.signal_dbm_min, PLAIN.signal_dbm_sure)
    for window in range(500):
        counter.hear(phone(1, 600.0 * window))
        counter.windows_over(0.0, 600.0 * window, PLAIN)
        assert len(counter._alive) <= 6
        assert len(counter._phones) <= 12


@given(
    st.lists(
        st.tuples(st.floats(0, 50), st.floats(0.05, 1.0), st.integers(0, 40)),
        min_size=1,
        max_size=12,
    )
)
def test_merging_windows_stays_between_the_extremes(
    rows: list[tuple[float, float, int]],
) -> None:
    each = [
        Occupancy(600 * n, people, max(0.0, people - 1), people + 1, phones, covered, phones)
        for n, (people, covered, phones) in enumerate(rows)
    ]
    whole = merged(each)
    assert whole is not None
    assert whole.phones_at_once == max(row[2] for row in rows)
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

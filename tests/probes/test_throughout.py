"""What is there from one end of a capture to the other is no visitor; all others are."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.calibration import read_calibration
from probes.replay import Replay, replay
from probes.throughout import EDGE_SHARE, SPAN_S_MIN, ThereThroughout
from probes.visits import FIXED_S_MIN, Visit
from tests.probes.drawn_captures import (
    NOON_S,
    DrawnPhone,
    Timed,
    busy_shop,
    pcap,
    probe,
    radiotap,
    write,
)
from tests.probes.test_visits import frame, visits_of

CALIBRATION = read_calibration()
HOUR_S = 3600.0
SHOP = busy_shop(30)  # 1.98 hours


def thing(number: int, start_s: float, end_s: float, *, pause_s: float = 30.0) -> list[Timed]:
    """A printer's bursts of one frame: one global address, its own count."""
    phone = DrawnPhone(bytes([0, 0x1B, 0xA9, 0, 0, number]), b"\x01\x02\x02\x04")
    at_s = [start_s + pause_s * step for step in range(int((end_s - start_s) / pause_s) + 1)]
    return [(t, radiotap(probe(phone, 3 * step))) for step, t in enumerate(at_s)]


def heard(folder: Path, *records: list[Timed]) -> Replay:
    together = sorted(record for some in records for record in some)
    return replay([write(folder / "capture.pcap", pcap(together))], CALIBRATION)


def test_printers_neither_count_as_visitors_nor_lengthen_the_dwell(tmp_path: Path) -> None:
    end_s = max(time_s for time_s, _ in SHOP.records)
    printers = [thing(number, NOON_S + 7 * number, end_s) for number in range(3)]
    alone, beside = heard(tmp_path, SHOP.records), heard(tmp_path, SHOP.records, *printers)
    assert (beside.visits, beside.dwell, beside.fixed) == (alone.visits, alone.dwell, 3)


@pytest.mark.parametrize(
    ("from_share", "to_share", "things"),
    [
        pytest.param(0.0, 1.0, 1, id="all the time"),
        pytest.param(0.09, 0.92, 1, id="from tenth to tenth"),
        pytest.param(0.12, 1.0, 0, id="came later"),
        pytest.param(0.0, 0.88, 0, id="left earlier"),
    ],
)
def test_it_is_there_in_the_first_and_the_last_tenth(
    tmp_path: Path, from_share: float, to_share: float, things: int
) -> None:
    end_s = max(time_s for time_s, _ in SHOP.records)
    span_s = end_s - NOON_S
    one = thing(1, NOON_S + from_share * span_s, NOON_S + to_share * span_s)
    account = heard(tmp_path, SHOP.records, one)
    assert (account.fixed, account.visits) == (things, 31 - things)


def test_a_capture_of_less_than_an_hour_does_not_tell(tmp_path: Path) -> None:
    assert heard(tmp_path, thing(1, NOON_S, NOON_S + 3000)).fixed == 0
    assert heard(tmp_path, thing(1, NOON_S, NOON_S + 3570)).fixed == 1


def test_a_thing_is_one_in_each_of_two_captures_with_a_night_between(tmp_path: Path) -> None:
    days = [thing(1, NOON_S + night, NOON_S + night + 2 * HOUR_S) for night in (0, 20 * HOUR_S)]
    account = heard(tmp_path, *days)
    assert (account.fixed, account.visits) == (2, 0)


def test_a_phone_that_changes_its_address_is_never_taken_for_a_thing() -> None:
    (visit,) = visits_of([frame(20.0 * n, sender=n, sequence=30 * n) for n in range(400)])
    assert visit.heard_s > 2 * HOUR_S
    assert not visit.one_address


def test_a_look_alike_now_and_then_does_not_hide_a_thing_that_keeps_its_address() -> None:
    frames = [
        frame(20.0 * n, sender=1 if n % 20 else 2 + n, sequence=30 * n) for n in range(1, 400)
    ]
    (visit,) = visits_of(frames)
    assert visit.one_address


def test_what_bursts_for_hours_keeps_its_first_moment() -> None:
    (visit,) = visits_of([frame(2.5 * n, random=False) for n in range(5000)])
    assert visit.heard_s == 2.5 * 4999
    assert visit.heard_s < FIXED_S_MIN


moments = st.sampled_from([0, 5, 9, 10, 11, 30, 60, 89, 90, 91, 95, 100])
"""Hundredths of the capture, most of them near where the rule changes its mind."""
stays = st.lists(
    st.tuples(moments, moments, st.booleans()).map(
        lambda drawn: (min(drawn[:2]), max(drawn[:2]), drawn[2])
    ),
    max_size=40,
)


@given(stays, st.sampled_from([0.5, 1.0, 3.0]))
def test_sorting_as_they_close_gives_what_sorting_at_the_end_would(
    drawn: list[tuple[int, int, bool]], hours: float
) -> None:
    span_s = hours * HOUR_S
    visits = sorted(
        (
            Visit((a / 100 * span_s, b / 100 * span_s), 1, True, None, one_address)
            for a, b, one_address in drawn
        ),
        key=lambda visit: visit.last_s,
    )
    there = ThereThroughout()
    visitors = []
    for visit in visits:
        visitors += there.sort(visit, begin_s=0.0, now_s=visit.last_s)
    more, things = there.end(begin_s=0.0, end_s=span_s)
    expected = [
        visit
        for visit in visits
        if not visit.one_address
        or span_s < SPAN_S_MIN
        or visit.first_s > EDGE_SHARE * span_s
        or span_s - visit.last_s > EDGE_SHARE * span_s
    ]
    key = lambda visit: (visit.burst_s, visit.one_address)  # noqa: E731
    assert sorted([*visitors, *more], key=key) == sorted(expected, key=key)
    assert things == len(visits) - len(expected)
    assert there.held == 0


def test_few_are_held_back_however_long_the_day() -> None:
    there = ThereThroughout()
    for number in range(5000):
        first_s = 10.0 * number
        visit = Visit((first_s, first_s + 200), 1, False, None, one_address=True)
        there.sort(visit, begin_s=0.0, now_s=first_s + 300)
        assert there.held <= 5

"""Facts leave in groups of five visitors or more, and none is lost by the merging."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.calibration import read_calibration
from probes.dwell import unknown_dwell
from probes.facts import HOUR_S, Stretch, facts_of, merge_until_enough
from probes.frames import Frame, FrameCounts
from probes.occupancy import PresenceCounter
from probes.replay import FINEST_S, VISITORS_MIN, Replay, VisitSample, replay
from probes.visits import Visit
from storepulse.facts import FACT_JSON, Fact
from tests.probes.drawn_captures import NOON_S, busy_shop, write

CALIBRATION = read_calibration()


@given(st.lists(st.integers(0, 12), max_size=30))
def test_merging_hours_keeps_every_visit_and_leaves_none_below_five(counts: list[int]) -> None:
    hours = [Stretch(n * HOUR_S, (n + 1) * HOUR_S, count, ()) for n, count in enumerate(counts)]
    merged = merge_until_enough(hours)
    assert all(stretch.count >= VISITORS_MIN for stretch in merged)
    assert all(a.end_s <= b.start_s for a, b in pairwise(merged))
    if sum(counts) >= VISITORS_MIN:
        assert sum(stretch.count for stretch in merged) == sum(counts)
    else:
        assert merged == []


def test_a_quiet_hour_gets_no_more_weight_than_its_visits() -> None:
    def stretch(start_s: int, count: int, kept: int) -> Stretch:
        visits = tuple(Visit((float(start_s + n),), 1, True, None) for n in range(kept))
        return Stretch(start_s, start_s + HOUR_S, count, visits)

    (whole,) = merge_until_enough([stretch(0, 4, 4), stretch(HOUR_S, 400, 100)])
    assert whole.count == 404
    assert [v.first_s >= HOUR_S for v in whole.visits].count(True) == 100
    assert [v.first_s >= HOUR_S for v in whole.visits].count(False) == 1


def test_hours_and_the_day_are_facts_of_their_own(tmp_path: Path) -> None:
    capture = write(tmp_path / "shop.pcap", busy_shop(40).pcap())
    account = replay([capture], CALIBRATION)
    facts = facts_of(account, shop="17", source="chain/17/n1")
    hours = [f for f in facts if f.end - f.start < (facts[-1].end - facts[-1].start)]
    age = [f for f in facts if f.metric == "days_since_calibration"]
    assert [f.value for f in age] == [
        (age[0].end.date() - date.fromisoformat(CALIBRATION.learnt_on)).days
    ]
    facts = [f for f in facts if f not in age]
    assert {f.metric for f in facts} == {"dwell_mean", "bounce_45s", "visitors", "occupancy"}
    assert len({f.id for f in facts}) == len(facts)
    assert len([f for f in hours if f.metric == "dwell_mean"]) >= 2
    assert all((f.n or 0) >= VISITORS_MIN for f in facts)
    bounce = next(f for f in facts if f.metric == "bounce_45s")
    assert bounce.value is None
    assert "not identifiable" in bounce.dims["unknown_because"]
    visitors = facts[-2]
    assert visitors.metric == "visitors"
    assert visitors.value is not None
    assert visitors.value >= 40


def heard(visits: Sequence[Visit], *, alive_s: Sequence[float] = ()) -> Replay:
    """The account of a radio that heard these visits, and something else at `alive_s`."""
    counter = PresenceCounter(CALIBRATION.signal_dbm_min, CALIBRATION.signal_dbm_sure)
    by_quarter: dict[int, VisitSample] = {}
    bursts = {time for visit in visits for time in visit.burst_s}
    times = sorted([*alive_s, *bursts])
    for time in times:
        counter.hear(Frame(time, 1, time in bursts, 0, -50, 2437, False, 1))
    for visit in visits:
        quarter = int(visit.first_s // FINEST_S) * FINEST_S
        by_quarter.setdefault(quarter, VisitSample(50)).add(visit)
    return Replay(
        counts=FrameCounts(), repeats=0, first_s=times[0], last_s=times[-1], visits=len(visits),
        fixed=0, dwell=unknown_dwell(0, "not asked for"), by_quarter=by_quarter, warnings=(),
        pieces={},
        occupancy=tuple(counter.windows(times[0], times[-1], CALIBRATION)),
        calibration=CALIBRATION,
    )  # fmt: skip


def visits_at(*hours: float) -> list[Visit]:
    """Two-minute visits that begin so many hours after noon of 20 November 2025, UTC."""
    starts = [NOON_S + 3600 * hour for hour in hours]
    return [Visit((at, at + 40, at + 120), 1, True, -50) for at in starts]


def days_of(facts: Sequence[Fact]) -> list[Fact]:
    """The facts of dwell that lie inside no other one."""
    dwell = [fact for fact in facts if fact.metric == "dwell_mean"]
    return [
        one for one in dwell
        if not any(o.start <= one.start and one.end <= o.end for o in dwell if o is not one)
    ]  # fmt: skip


def leaves(facts: Sequence[Fact]) -> list[Fact]:
    """Those inside which no other one lies."""
    return [
        one for one in facts
        if not any(one.start <= o.start and o.end <= one.end for o in facts if o is not one)
    ]  # fmt: skip


def test_a_day_spans_what_was_heard_of_it() -> None:
    # Noon to five; the radio heard the shop's own things from eleven to six.
    every_ten_minutes = [NOON_S + 600 * n for n in range(-6, 37)]
    account = heard(visits_at(*(n / 6 for n in range(30))), alive_s=every_ten_minutes)
    (day,) = days_of(facts_of(account, shop="17", source="n"))
    assert (day.start.hour, day.end.hour, day.end.minute) == (11, 18, 10)
    assert day.coverage == pytest.approx(1.0, abs=0.03)
    silent_half = heard(visits_at(*(n / 6 for n in range(18))), alive_s=[NOON_S + 6 * HOUR_S - 1])
    (day,) = days_of(facts_of(silent_half, shop="17", source="n"))
    assert (day.start.hour, day.end.hour) == (12, 18)
    assert day.coverage == pytest.approx(0.5, abs=0.05)


def test_a_day_is_one_of_the_shop() -> None:
    # Ten to eight in New York: past midnight in UTC.
    opening = [hour + n / 6 for hour in (3, 5, 7, 9, 11, 12) for n in range(6)]
    account = heard(visits_at(*opening, *(hour + 24 for hour in opening)))
    days = days_of(facts_of(account, shop="17", source="n", timezone="America/New_York"))
    here = ZoneInfo("America/New_York")
    assert [(d.start.astimezone(here).hour, d.end.astimezone(here).hour) for d in days] == [
        (10, 20),
        (10, 20),
    ]
    assert {day.n for day in days} == {36}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 70), max_size=20), st.sampled_from(["UTC", "Asia/Kolkata"]))
def test_what_the_hours_leave_out_cannot_be_told_from_the_day(
    hours: list[float], timezone: str
) -> None:
    account = heard(visits_at(*hours), alive_s=[NOON_S])
    facts = facts_of(account, shop="17", source="n", timezone=timezone)
    dwell = [fact for fact in facts if fact.metric == "dwell_mean"]
    days = days_of(facts)
    assert sum(day.n or 0 for day in days) in (0, len(hours))
    for day in days:
        inside = [f for f in dwell if day.start <= f.start and f.end <= day.end and f != day]
        for some in (leaves(inside), days_of(inside)):
            assert sum(f.n or 0 for f in some) in (0, day.n)
        assert 0 <= day.coverage <= 1
    assert all((fact.n or 0) >= VISITORS_MIN for fact in dwell)


def test_four_visitors_say_nothing(tmp_path: Path) -> None:
    capture = write(tmp_path / "few.pcap", busy_shop(4).pcap())
    assert facts_of(replay([capture], CALIBRATION), shop="17", source="n") == []


def test_the_worker_writes_facts_as_lines_and_refuses_what_is_no_capture(tmp_path: Path) -> None:
    capture = write(tmp_path / "shop.pcap.gz", busy_shop(12).pcap())
    command = [sys.executable, "-m", "probes.worker", "--shop", "17", "--source", "chain/17/n1"]
    done = subprocess.run([*command, str(capture)], capture_output=True, text=True, check=True)
    facts = [FACT_JSON.validate_json(line) for line in done.stdout.splitlines()]
    assert {fact.shop for fact in facts} == {"17"}
    assert json.loads(done.stdout.splitlines()[0])["metric"] == "dwell_mean"
    bad = write(tmp_path / "bad.pcap", b"text")
    nowhere = subprocess.run(
        [*command, "--timezone", "Mars", str(capture)], capture_output=True, text=True, check=False
    )
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert "'Mars' is no time zone" in nowhere.stderr
    done = subprocess.run([*command, str(bad)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no capture" in done.stderr


def test_the_same_captures_give_the_same_facts(tmp_path: Path) -> None:
    capture = write(tmp_path / "shop.pcap", busy_shop(12).pcap())
    once, twice = (
        facts_of(replay([capture], CALIBRATION), shop="17", source="n") for _ in range(2)
    )
    assert once == twice
    assert once[0].value == pytest.approx(3.0, rel=0.5)

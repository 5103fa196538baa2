"""Facts leave in groups of five visitors or more, and none is lost by the merging."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.calibration import read_calibration
from probes.facts import HOUR_S, VISITORS_MIN, Stretch, facts_of, merge_until_enough
from probes.replay import replay
from probes.visits import Visit
from storepulse.facts import FACT_JSON
from tests.probes.drawn_captures import busy_shop, write

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

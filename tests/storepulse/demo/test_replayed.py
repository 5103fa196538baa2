"""A capture of another day becomes today's: figures stay, the day moves, and the facts say so."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storepulse.demo.replayed import as_of_today, main
from storepulse.facts import FACT_JSON, Fact
from storepulse.simulated.capture_files import write_capture
from storepulse.simulated.phones import simulate_phones

DAY = datetime(2023, 3, 14, tzinfo=UTC)


def fact(
    start_h: float, end_h: float, *, metric: str = "dwell_mean", coverage: float = 1.0
) -> Fact:
    return Fact(
        id=f"{metric}-{start_h}-{end_h}", shop="s", metric=metric,
        start=DAY + timedelta(hours=start_h), end=DAY + timedelta(hours=end_h),
        value=3.0, low=2.5, high=3.6, n=40, coverage=coverage, source="/n",
    )  # fmt: skip


def test_ten_o_clock_of_the_capture_is_ten_o_clock_at_the_shop_today() -> None:
    (moved,) = as_of_today(
        [fact(10, 11)], captured_on=DAY.date(), today=date(2026, 11, 22), zone="Asia/Shanghai"
    )
    assert moved.start == datetime(2026, 11, 22, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert moved.end - moved.start == timedelta(hours=1)


@given(hour=st.integers(0, 23), zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "UTC"]))
def test_every_hour_of_the_captured_day_falls_on_today(hour: int, zone: str) -> None:
    today = date(2026, 11, 22)
    (moved,) = as_of_today([fact(hour, hour + 1)], captured_on=DAY.date(), today=today, zone=zone)
    assert moved.start.astimezone(ZoneInfo(zone)).date() == today
    assert (moved.value, moved.low, moved.high, moved.n) == (3.0, 2.5, 3.6, 40)


def test_a_replayed_fact_says_so_and_has_an_id_of_its_own() -> None:
    said = fact(10, 11)
    (moved,) = as_of_today([said], captured_on=DAY.date(), today=date(2026, 11, 22), zone="UTC")
    assert "simulated: the capture of 2023-03-14 is replayed as today" in moved.dims["replayed"]
    assert moved.id != said.id


def test_the_command_tells_facts_as_json_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    crowd = simulate_phones(3, start=DAY + timedelta(hours=10), hours=1, visitors=40, fixed=0)
    write_capture(crowd, tmp_path / "a.pcap")
    told = subprocess.run(
        [sys.executable, "-m", "storepulse.demo.replayed", "--shop", "s", "--source", "/n",
         "--timezone", "Asia/Shanghai", "--today", "2026-11-22", str(tmp_path / "a.pcap")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    facts = [FACT_JSON.validate_python(json.loads(line)) for line in told.stdout.splitlines()]
    dwell = next(fact for fact in facts if fact.metric == "dwell_mean")
    assert dwell.shop == "s"
    assert dwell.start.astimezone(ZoneInfo("Asia/Shanghai")).date() == date(2026, 11, 22)
    assert capsys.readouterr().out == ""


def test_a_capture_that_is_none_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storepulse.demo.replayed.keep_to_itself", lambda: None)
    (tmp_path / "no.pcap").write_text("no capture")
    arguments = ["--shop", "s", "--source", "/n", "--timezone", "UTC", "--today", "2026-11-22"]
    assert main([*arguments, str(tmp_path / "no.pcap")]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1

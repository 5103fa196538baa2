"""What access points and door counters told is read by the same command; the bench runs."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from probes.bench import measure
from probes.cli import app
from probes.errors import SourceRefused
from storepulse.facts import FACT_JSON
from tests.probes.drawn_captures import NOON_S, busy_shop, write
from tests.probes.test_sources import fortinet, hostapd, rows


@pytest.mark.parametrize(
    ("form", "content"),
    [
        pytest.param("rows", rows(), id="rows"),
        pytest.param("fortinet", fortinet(), id="fortinet"),
        pytest.param("hostapd", hostapd(time=NOON_S) + b"\n" + hostapd("x", time=1), id="hostapd"),
    ],
)
def test_sightings_give_unknown_facts_and_damage_is_told(
    tmp_path: Path, form: str, content: bytes
) -> None:
    file = write(tmp_path / "told", content)
    result = CliRunner().invoke(app, ["replay", str(file), "--form", form])
    assert result.exit_code == 0, result.stderr
    facts = [FACT_JSON.validate_json(line) for line in result.stdout.splitlines()]
    assert len(facts) == 4
    assert {fact.value for fact in facts} == {None}
    assert "1 pieces could not be read" in result.stderr


def test_a_door_counter_gives_visitors_once_its_error_is_said(tmp_path: Path) -> None:
    file = write(tmp_path / "door.json", json.dumps([{"time": NOON_S, "in": 40}]).encode())
    refused = CliRunner().invoke(app, ["replay", str(file), "--form", "door"])
    assert isinstance(refused.exception, SourceRefused)
    result = CliRunner().invoke(
        app, ["replay", str(file), "--form", "door", "--door-error", "0.05"]
    )
    told = {FACT_JSON.validate_json(line).value for line in result.stdout.splitlines()}
    assert told == {40.0}


@pytest.mark.filterwarnings("ignore")
def test_the_bench_measures_this_machine(tmp_path: Path) -> None:
    pytest.importorskip("scapy")
    capture = write(tmp_path / "shop.pcap.gz", busy_shop(40).pcap())
    measured = measure(capture, 3000)
    assert measured.parsed_to_scapy > 20
    assert 0 < measured.parsed_to_raw < 1
    assert [at.frames for at in measured.memory] == [300 * n for n in range(1, 11)]
    assert min(at.resident_mb for at in measured.memory) > 0
    assert measured.chain_days > 1
    assert measured.chain_windows >= measured.chain_days

"""A replay gives one account, whatever the order of captures, and says what it could not read."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from probes.account import as_json
from probes.calibration import read_calibration
from probes.captures import CaptureWarning, Record
from probes.cli import app
from probes.errors import CaptureRefused
from probes.frames import FrameReader
from probes.modes import Listening, Mode
from probes.occupancy import Occupancy
from probes.pieces_kept import CELLS_MAX
from probes.replay import Ears, Replay, VisitSample, replay
from probes.streams import in_order
from probes.visits import Visit
from tests.probes.drawn_captures import NOON_S, busy_shop, pcap, write
from tests.probes.test_visits import frame

CALIBRATION = read_calibration()
SHOP = busy_shop()


def run(*captures: Path) -> Replay:
    return replay(captures, CALIBRATION)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop.pcap", SHOP.pcap())


def figures(account: Replay) -> tuple[object, ...]:
    return account.visits, account.dwell, account.occupancy, account.span_s


def test_visitors_that_come_one_by_one_are_counted_and_timed(shop: Path) -> None:
    account = run(shop)
    assert account.visits == 30
    assert account.dwell.low is not None
    assert account.dwell.high is not None
    assert account.dwell.low <= 3.0 <= account.dwell.high


def test_the_order_of_captures_does_not_matter(tmp_path: Path) -> None:
    parts = []
    for part in range(3):
        records = sorted(SHOP.records)[part::3]
        parts.append(write(tmp_path / f"{part}.pcap", pcap(records)))
    forward, backward = run(*parts), run(*reversed(parts))
    assert figures(forward) == figures(backward)


def test_a_split_capture_reads_as_the_whole(shop: Path, tmp_path: Path) -> None:
    records = sorted(SHOP.records)
    half = len(records) // 2
    parts = [
        write(tmp_path / "1.pcap", pcap(records[:half])),
        write(tmp_path / "2.pcap.gz", pcap(records[half:])),
    ]
    assert figures(run(*parts)) == figures(run(shop))


def test_a_frame_that_two_radios_heard_counts_once(shop: Path, tmp_path: Path) -> None:
    again = write(
        tmp_path / "again.pcap", pcap([(t + 30e-6, data) for t, data in sorted(SHOP.records)])
    )
    both = run(shop, again)
    assert both.counts.probe_requests == 2 * len(SHOP.records)
    assert both.repeats == len(SHOP.records)
    assert (both.visits, both.dwell) == (run(shop).visits, run(shop).dwell)


def test_frames_are_put_in_order_and_late_ones_are_told() -> None:
    shuffled = [frame(float(n ^ 1)) for n in range(10_000)]
    late: list[None] = []
    given = [f.time_s for f in in_order(shuffled, late=lambda: late.append(None))]
    assert given == sorted(given)
    assert not late
    backwards = [frame(float(-n)) for n in range(10_000)]
    given = [f.time_s for f in in_order(backwards, late=lambda: late.append(None))]
    assert given == sorted(given)
    assert len(given) == 10_000
    assert late


def test_extreme_times_do_not_fill_the_memory(tmp_path: Path) -> None:
    ends = pcap([(0.0, SHOP.records[0][1]), (4294967295.0, SHOP.records[1][1])])
    account = run(write(tmp_path / "ends.pcap", ends))
    assert len(account.occupancy) == 2
    assert account.span_s == 4294967295


def test_a_sample_of_visits_is_bounded_and_knows_the_count() -> None:
    sample = VisitSample(10)
    for number in range(500):
        sample.add(Visit((float(number),), 1, True, None))
    assert (len(sample.kept), sample.count) == (10, 500)
    assert max(visit.first_s for visit in sample.kept) > 100


def test_one_unreadable_capture_is_refused_before_anything_is_read(
    shop: Path, tmp_path: Path
) -> None:
    bad = write(tmp_path / "bad.pcap", b"\xd4\xc3\xb2\xa1 cut")
    with pytest.raises(CaptureRefused, match=r"bad\.pcap is cut inside its header"):
        run(shop, bad)


def test_json_has_what_others_rely_on(shop: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(shop), "--json"])
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert said["frames"] == said["probe_requests"] == len(SHOP.records)
    assert said["visits"] == 30
    assert said["span_s"] == pytest.approx(29 * 240 + 180, abs=1)
    dwell = said["dwell_minutes"]
    assert dwell["low"] <= dwell["mean"] <= dwell["high"]
    assert said["bounce_share"] == {"value": None, "low": None, "high": None}
    assert "not identifiable" in said["unknown_because"]["bounce_share"]
    first = said["occupancy"][0]
    assert first["start"] == "2025-11-20T12:00:00+00:00"
    assert first["low"] <= first["people"] <= first["high"]


def test_too_little_is_unknown_in_json(tmp_path: Path) -> None:
    few = write(tmp_path / "few.pcap", busy_shop(2).pcap())
    said = json.loads(CliRunner().invoke(app, ["replay", str(few), "--json"]).stdout)
    assert said["dwell_minutes"] == {"mean": None, "low": None, "high": None}
    assert "at least 5" in said["unknown_because"]["dwell_minutes"]


def test_a_cut_capture_is_told_on_stderr_and_read(tmp_path: Path) -> None:
    cut = write(tmp_path / "cut.pcap", SHOP.pcap()[:-5])
    result = CliRunner().invoke(app, ["replay", str(cut), "--json"])
    assert result.exit_code == 0
    assert "cut inside a record" in result.stderr
    said = json.loads(result.stdout)
    assert said["frames"] == len(SHOP.records) - 1
    assert said["warnings"][0]["kind"] == "cut_in_record"


def test_a_capture_without_wifi_says_so(tmp_path: Path) -> None:
    told: list[CaptureWarning] = []
    wired = write(tmp_path / "wired.pcap", pcap([(NOON_S, b"x" * 60)], link=1))
    account = replay([wired], CALIBRATION, tell=told.append)
    assert (account.counts.frames, account.counts.probe_requests) == (1, 0)
    assert account.occupancy == ()
    assert [warning.kind for warning in told] == ["not_wifi"]


def test_people_get_a_table(shop: Path) -> None:
    result = CliRunner().invoke(app, ["replay", str(shop)])
    assert "mean dwell" in result.stdout
    assert "2025-11-20 12:00" in result.stdout


def test_windows_taken_as_they_end_are_those_of_the_whole_account(shop: Path) -> None:
    taken: list[Occupancy] = []
    whole = run(shop)
    account = replay([shop], CALIBRATION, take=taken.append)
    assert tuple(taken) == whole.occupancy
    assert (account.occupancy, account.by_quarter) == ((), {})
    assert (account.visits, account.dwell) == (whole.visits, whole.dwell)


@pytest.mark.parametrize("mode", [Mode.STANDARD, Mode.STRICT])
def test_what_is_held_of_a_long_capture_does_not_grow_with_its_days(mode: Mode) -> None:
    records = sorted(SHOP.records)
    ears = Ears(CALIBRATION, Listening(mode), take=lambda _: None)
    reader = FrameReader(turns=Listening(mode).turns)
    for day in range(40):
        for time_s, data in records[:: 1 if day < 2 else 10]:
            found = reader.read(Record(time_s + 86_400.0 * day, 127, data, False, False))
            assert found is not None
            ears.hear(found)
        assert len(ears._presence._alive) < 20
        assert not ears._by_quarter
        assert len(ears._linker._counts) < 10
        for count in (ears._pieces, *ears._between):
            held = count.by_hour.values()
            cells = sum(len(one.made_up.cells) + len(one.own.cells) for one in held)
            assert cells < 1.2 * CELLS_MAX
    assert ears.finish(reader.counts, ()).span_s > 39 * 86_400


def test_the_command_prints_one_json_object_though_windows_come_first(shop: Path) -> None:
    said = CliRunner().invoke(app, ["replay", str(shop), "--json"])
    assert said.exit_code == 0, said.stderr
    whole = as_json(run(shop))
    assert json.loads(said.stdout) == json.loads(json.dumps(whole))
    lines = CliRunner().invoke(app, ["replay", str(shop)]).stdout.splitlines()
    assert lines[0] == "people present, by ten minutes (UTC)"
    assert sum(line.startswith("  20") for line in lines) == len(whole["occupancy"])
    assert lines[-1].startswith("calibration")

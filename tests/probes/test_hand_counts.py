"""A shop counts people now and then, and its figures move towards them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from probes.calibration import read_calibration
from probes.cli import app
from probes.errors import CalibrationRefused
from probes.hand_counts import read_counts
from probes.replay import replay
from tests.probes.drawn_captures import NOON_S, write
from tests.probes.test_modes import crowd


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write(tmp_path / "shop.pcap", crowd(30, at_once=10))


def counts(path: Path, *rows: str) -> Path:
    path.write_text("time,people\n" + "\n".join(rows) + "\n")
    return path


def at(minutes: float) -> str:
    return datetime.fromtimestamp(NOON_S + 60 * minutes, UTC).isoformat()


def test_counts_move_what_is_told(capture: Path, tmp_path: Path) -> None:
    before = replay([capture], read_calibration()).occupancy[0]
    assert before.people is not None
    people = 2 * before.people
    file = counts(tmp_path / "counts.csv", *(f"{at(m)},{people:.0f}" for m in (1, 3, 400)))
    out = tmp_path / "shop.json"
    said = CliRunner().invoke(app, ["calibrate", str(file), str(capture), "-o", str(out)])
    assert said.exit_code == 0, said.output
    assert "moved by 2 counts" in said.stderr
    learnt = read_calibration(out)
    assert (learnt.name, learnt.learnt_on) == ("shop", at(0)[:10])
    after = replay([capture], learnt).occupancy[0].people
    assert after is not None
    assert before.people < after < people
    more = ["--calibration", str(out), "-o", str(tmp_path / "again.json")]
    CliRunner().invoke(app, ["calibrate", str(file), str(capture), *more], catch_exceptions=False)
    again = read_calibration(tmp_path / "again.json")
    assert again.counted == learnt.counted  # what is known already says nothing more
    assert again.scale_sd == learnt.scale_sd > 0


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("when,who\n1,2\n", "columns needed", id="columns"),
        pytest.param("time,people\n", "holds no count", id="none"),
        pytest.param("time,people\n2026-11-22T10:00:00,4\n", "line 2", id="no zone"),
        pytest.param("time,people\n2026-11-22T10:00:00Z,some\n", "line 2", id="no number"),
        pytest.param("time,people\n2026-11-22T10:00:00Z\n", "line 2", id="row cut"),
    ],
)
def test_what_is_no_table_of_counts_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "counts.csv").write_text(text)
    with pytest.raises(CalibrationRefused, match=why):
        read_counts(tmp_path / "counts.csv")


def test_counts_of_another_day_teach_nothing(capture: Path, tmp_path: Path) -> None:
    file = counts(tmp_path / "counts.csv", "2020-01-01T10:00:00Z,4")
    asked = ["calibrate", str(file), str(capture), "-o", str(tmp_path / "shop.json")]
    said = CliRunner().invoke(app, asked)
    assert isinstance(said.exception, CalibrationRefused)
    assert not (tmp_path / "shop.json").exists()

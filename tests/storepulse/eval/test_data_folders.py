"""A folder that is not the data of a measure is one clear line and exit code 2."""

import sys
from pathlib import Path

import pytest

from storepulse import cli

MEASURES = (
    "facings", "rows", "exposures", "answer-time", "occupancy", "dwell", "calibration", "parser",
)  # fmt: skip


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("there", [False, True], ids=["missing", "of something else"])
def test_a_wrong_folder_is_one_line_and_exit_2(
    measure: str,
    there: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path if there else tmp_path / "nowhere"
    # No model is given: the folder is looked at before one is loaded.
    monkeypatch.setattr(sys, "argv", ["storepulse", "eval", measure, "--data", str(folder)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"storepulse: --data {folder}: ")
    assert ("holds no" if there else "no such folder") in said.err

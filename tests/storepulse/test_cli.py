"""The command line gathers its parts without importing them, and speaks in one line."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from storepulse import cli
from storepulse.errors import BadInput, Unavailable


def test_help_names_every_part_without_importing_it() -> None:
    code = "import sys; from storepulse.cli import app; from typer.testing import CliRunner; "
    code += "print(CliRunner().invoke(app, ['--help']).output); print(sorted(sys.modules))"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    for part, (module, _) in cli.PARTS.items():
        assert f"  {part} " in said
        assert f"'{module}'" not in said


def test_without_a_command_it_shows_the_help() -> None:
    assert "Commands:" in CliRunner().invoke(cli.app, []).output


def test_an_unknown_command_is_a_usage_error() -> None:
    assert CliRunner().invoke(cli.app, ["nope"]).exit_code == 2


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(BadInput("no such photo"), 2, id="bad input"),
        pytest.param(Unavailable("no such photo"), 1, id="something is away"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    error: Exception,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fails)
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == status
    assert capsys.readouterr().err == "storepulse: no such photo\n"


def test_a_part_whose_libraries_are_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(cli.PARTS, "hub", ("paho_that_is_not_there.cli", "The hub."))
    said = CliRunner().invoke(cli.app, ["hub"])
    assert isinstance(said.exception, cli.PartMissing)
    assert "pip install 'storepulse[" in str(said.exception)

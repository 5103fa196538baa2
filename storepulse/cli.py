"""`storepulse`: gathers the commands that sit beside what they drive. Does nothing itself."""

import sys
from importlib import import_module
from typing import Any, Final

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

from storepulse import __version__
from storepulse.errors import BadInput, StorepulseError

PARTS: Final = {
    "vision": ("vision.cli", "Look at shelf photos; train, measure and export the detector."),
    "planogram": ("planograms.cli", "Make planograms from photos; import and show them."),
    "check": ("planograms.check", "Compare a photo with its planogram."),
    "probes": ("probes.cli", "Turn captures of Wi-Fi probe requests into dwell and occupancy."),
    "edge": ("edge.cli", "Run the node in the shop."),
    "hub": ("hub.cli", "Run the hub; load shops and facts; show codes and actions."),
    "policy": ("hub.codes.policy_cli", "See, edit, try and publish what codes are judged by."),
    "demo": ("storepulse.demo.cli", "The whole loop on this machine, with a simulated chain."),
    "eval": ("storepulse.eval", "Print the figures of docs/proof.md from data one can point at."),
}
"""Sub-command, the module whose `app` it is, and what it is for. Imported only when called for:
a node without the hub's libraries still has its own commands, and `--help` is quick."""


_OURS: Final = ("storepulse", "vision", "planograms", "probes", "edge", "hub")


class PartMissing(BadInput):
    """A part whose libraries are not installed here."""


class _Parts(TyperGroup):
    # Typer carries a click of its own whose types are private: hence Any.

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        return list(PARTS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | TyperGroup | None:  # noqa: ARG002
        if cmd_name not in PARTS:
            return None
        module, _ = PARTS[cmd_name]
        try:
            part: typer.Typer = import_module(module).app
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in _OURS:
                raise
            extra = module.split(".")[0]
            wanted = extra if extra in ("edge", "hub", "probes") else "edge,hub,probes"
            raise PartMissing(
                f"`storepulse {cmd_name}` needs {error.name}, which is not installed: "
                f"pip install 'storepulse[{wanted}]'"
            ) from error
        command = typer.main.get_command(part)
        assert isinstance(command, TyperCommand | TyperGroup)
        command.name = cmd_name
        return command

    def format_help(self, ctx: Any, formatter: Any) -> None:
        # The parts are named from the table: asking each for its help would import them all.
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, meaning) for name, (_, meaning) in PARTS.items()])
        with formatter.section("Options"):
            formatter.write_dl([("--version", "Say the version."), ("--help", "Show this.")])
        with formatter.section("For a first look"):
            formatter.write_text("storepulse demo --once")


app = typer.Typer(cls=_Parts, invoke_without_command=True, pretty_exceptions_enable=False)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"storepulse {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    ctx: typer.Context,
    _version: bool = typer.Option(False, "--version", callback=_say_version, is_eager=True),
) -> None:
    """Shelf photos and Wi-Fi probes in, a four-colour health code and a corrected shelf out."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main() -> None:
    """Run the command line; a bad input is one line on stderr and exit code 2."""
    talk = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        app()
    except BadInput as error:
        talk.print(f"storepulse: {error}", markup=False)
        sys.exit(2)
    except StorepulseError as error:
        talk.print(f"storepulse: {error}", markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()

"""`storepulse eval`: print the figures of docs/proof.md from data one can point at. Thin."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from storepulse.errors import BadInput

if TYPE_CHECKING:
    from storepulse.eval.kill import KillReport

app = typer.Typer(
    no_args_is_help=True, help="Print the figures of docs/proof.md from data one can point at."
)
talk = Console(stderr=True, soft_wrap=True, highlight=False)


@app.callback()
def _top() -> None:
    """Print the figures of docs/proof.md from data one can point at."""


@app.command(epilog="storepulse eval kill --broker mosquitto --json")
def kill(
    broker: Annotated[
        str | None, typer.Option(help="embedded or mosquitto; both that are installed if not said.")
    ] = None,
    facts: Annotated[int, typer.Option(min=200, help="How many facts the node says.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a broker.")] = False,
) -> None:
    """Kill broker, node and hub with -9 in the middle of their work, and count what arrived.

    Ends with exit code 1 if a fact or an action was lost or came twice.
    """
    from hub.broker import installed_kind
    from storepulse.eval.kill import kill_campaign

    kinds = {"embedded": "embedded", "mosquitto": "mosquitto"}
    if broker is not None and broker not in kinds:
        raise BadInput(f"--broker must be embedded or mosquitto, got {broker!r}")
    if broker == "mosquitto" and installed_kind() != "mosquitto":
        raise BadInput("mosquitto is not installed: apt-get install mosquitto")
    asked = [broker] if broker else sorted({"embedded", installed_kind()})
    reports: list[KillReport] = []
    for kind in asked:
        talk.print(f"kill campaign on the {kind} broker, {facts} facts", markup=False)
        with tempfile.TemporaryDirectory(prefix="storepulse-kill-") as folder:
            # The database's lower user must be able to pass through.
            Path(folder).chmod(0o711)
            report = kill_campaign(
                Path(folder),
                broker="mosquitto" if kind == "mosquitto" else "embedded",
                facts=facts,
                tell=lambda line: talk.print(f"  {line}", markup=False),
            )
        reports.append(report)
        if as_json:
            typer.echo(json.dumps(report.as_json()))
        else:
            typer.echo(_in_words(report))
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


def _in_words(report: "KillReport") -> str:
    return (
        f"{report.broker}: {report.facts_at_hub} of {report.facts_said} facts at the hub, "
        f"{report.facts_at_hub_twice} twice, {report.facts_missing} missing; "
        f"{report.actions_at_node} of {report.actions_pushed} actions at the node, "
        f"{report.actions_at_node_twice} twice; {'ok' if report.ok else 'NOT OK'} "
        f"in {report.seconds:.0f} s"
    )

"""`storepulse eval why|experiments|kill|verdicts|board`: the hub's measures. Thin."""

import json
from pathlib import Path
from typing import Annotated

import typer

from storepulse.eval.options import AsJson, Seed, say
from storepulse.eval.progress import TALK, on_stderr

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("why", epilog="storepulse eval why --chains 10 --json")
def why_command(
    chains: Annotated[int, typer.Option(min=1, help="Simulated chains.")] = 10,
    shops: Annotated[int, typer.Option(min=10, help="Shops of each.")] = 200,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Why figures worsened, in simulated chains with known causes: found, claimed, covered."""
    from storepulse.eval.why import measure_why

    say(measure_why(chains=chains, shops=shops, seed=seed, steps=on_stderr), as_json)


@app.command("experiments", epilog="storepulse eval experiments --trials 1000 --json")
def experiments_command(
    trials: Annotated[int, typer.Option(min=4, help="Simulated trials of 60 shops.")] = 1000,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Trials watched every day: winners declared without an effect, and power over its size."""
    from storepulse.eval.experiments import measure_experiments

    say(measure_experiments(trials=trials, seed=seed, steps=on_stderr), as_json)


@app.command("kill", epilog="storepulse eval kill --broker mosquitto --json")
def kill_command(
    broker: Annotated[
        str | None, typer.Option(help="embedded or mosquitto; both that are installed if not said.")
    ] = None,
    facts: Annotated[int, typer.Option(min=200, help="How many facts the node says.")] = 1000,
    tls: Annotated[
        bool, typer.Option("--tls", help="Enrol the node; mutual TLS between all.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a broker.")] = False,
) -> None:
    """Kill broker, node and hub with -9 in the middle of their work, and count what arrived.

    The broker is killed when a quarter of the facts is at the hub; the node when it has said three
    quarters, with no line; the hub when it has a third of what it lacked; then the node before and
    after it keeps an action. It prints with how many facts each kill met. Ends with exit code 1 if
    a fact or an action was lost or came twice, or if a kill missed the middle.
    """
    from storepulse.eval.kill import brokers_asked, campaign_in_new_folder

    reports = []
    for kind in brokers_asked(broker):
        TALK.print(f"kill campaign on the {kind} broker, {facts} facts", markup=False)
        report = campaign_in_new_folder(
            kind, facts=facts, tell=lambda line: TALK.print(f"  {line}", markup=False), tls=tls
        )
        typer.echo(json.dumps(report.as_json()) if as_json else report.in_words())
        reports.append(report)
    if not all(report.ok for report in reports):
        raise typer.Exit(1)


@app.command("verdicts", epilog="storepulse eval verdicts --days 90 --export verdicts.jsonl")
def verdicts_command(
    database: Annotated[
        str | None, typer.Option("--database", help="As for `storepulse hub run`.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Verdicts of so many days.")] = 90,
    export: Annotated[
        Path | None, typer.Option(help="Also write them as training data (JSON lines).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What clerks said of findings: how many of each kind were right?"""
    from storepulse.eval import verdicts

    told = verdicts.read_verdicts(database, since=verdicts.since_days(days))
    if export is not None:
        TALK.print(f"{export}: {verdicts.export(told, export)} verdicts", markup=False)
    say(verdicts.report_of(told, days=days), as_json)


@app.command("board", epilog="storepulse eval board --shops 10000 --json")
def board_command(
    shops: Annotated[int, typer.Option(min=200, max=100_000, help="Drawn shops.")] = 10_000,
    loads: Annotated[int, typer.Option(min=5, help="How often the board is opened.")] = 15,
    changes: Annotated[int, typer.Option(min=5, help="Facts told while it is open.")] = 40,
    as_json: AsJson = False,
) -> None:
    """A large chain's board on a real hub: first rows, frames of a scroll, a fact to the screen."""
    from storepulse.eval.board import measure_board

    say(measure_board(shops=shops, loads=loads, changes=changes, steps=on_stderr), as_json)

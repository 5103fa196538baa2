"""`storepulse hub experiment`: propose, start, list, show, stop, roll out. Decides nothing."""

import json
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime
from secrets import randbits
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.codes.cli import DatabaseOption, JsonOption, read_day
from hub.experiments.store import (
    KINDS,
    STATES,
    BadProposal,
    NotSo,
    State,
    experiments,
    move,
    moves_of,
    one_experiment,
    propose,
)
from hub.store.database import open_database
from storepulse.actions import DIMENSIONS

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

_SEED_BITS: Final = 48
IdArgument = Annotated[str, typer.Argument(help="The experiment's id.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept with the move.")]


@app.command("propose")
def experiment_propose(
    subject: Annotated[str, typer.Argument(help="The playbook's name, or the layout in words.")],
    dimension: Annotated[str, typer.Option(help=f"One of {', '.join(DIMENSIONS)}.")],
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(KINDS)}.")] = "playbook",
    shop: Annotated[str | None, typer.Option(help="The shop that proposes it.")] = None,
    words: Annotated[str, typer.Option(help="What it is, and why it should help.")] = "",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose a playbook, a layout or a policy for a trial; prints its id.

    A playbook is pushed to the shops that act and held back at those that wait; a layout is told to
    the shops that act; a policy you publish yourself, as overrides for the shops that act.

    Example: storepulse hub experiment propose walking_route --dimension place --json
    """
    of = next((one for one in DIMENSIONS if one == dimension), None)
    sort = next((one for one in KINDS if one == kind), None)
    if of is None or sort is None:
        raise BadProposal(
            f"--dimension is one of {', '.join(DIMENSIONS)}, --kind one of {', '.join(KINDS)}"
        )
    with open_database(database) as opened, opened.connection() as connection:
        made = propose(connection, kind=sort, subject=subject, dimension=of, shop=shop,
                       words=words)  # fmt: skip
    typer.echo(json.dumps({"id": made}) if as_json else made)


@app.command("start")
def experiment_start(
    experiment: IdArgument,
    first: Annotated[str | None, typer.Option("--from", help="First day; default: today.")] = None,
    days: Annotated[int, typer.Option(help="How long.")] = 28,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**63 - 1, help="Of the lots; default: by chance. It is kept."),
    ] = None,
    shop: Annotated[
        list[str] | None, typer.Option(help="Only among these shops; repeat. Default: all.")
    ] = None,
    subject: Annotated[
        str | None, typer.Option(help="In the place of what was proposed: a playbook by its name.")
    ] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pair shops that are alike, draw lots which of each acts, and let the trial run.

    From the first day on the lots decide what is pushed. A shop takes part in one trial of a
    dimension at a time.

    Example: storepulse hub experiment start exp-0123456789ab --from 2026-12-01 --days 28
    """
    from hub.experiments.running import start_trial

    begins = read_day(first) or _today()
    lots = randbits(_SEED_BITS) if seed is None else seed
    with open_database(database) as opened, opened.connection() as connection:
        pairs = start_trial(
            connection, connection, experiment, first=begins, days=days, seed=lots, shops=shop,
            subject=subject,
        )  # fmt: skip
    if as_json:
        _say({"seed": lots, "pairs": [asdict(pair) for pair in pairs]})
    else:
        typer.echo(f"{len(pairs)} pairs from {begins} on, lots of seed {lots}")


@app.command("list")
def experiment_list(
    state: Annotated[str | None, typer.Option(help=f"Only those: {', '.join(STATES)}.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the experiments, newest first; `--state proposed` is what waits for a word.

    Example: storepulse hub experiment list --state proposed --json
    """
    wanted = next((one for one in STATES if one == state), None)
    if state is not None and wanted is None:
        raise BadProposal(f"--state is one of {', '.join(STATES)}")
    with open_database(database) as opened, opened.connection() as connection:
        found = experiments(connection, state=wanted)
    if as_json:
        _say([asdict(one) for one in found])
        return
    table = Table("id", "kind", "subject", "dimension", "state", "by", "from", "to", box=None)
    for one in found:
        table.add_row(
            one.id, one.kind, one.subject, one.dimension, one.state, one.shop or "head office",
            str(one.starts_on or ""), str(one.ends_on or ""),
        )  # fmt: skip
    _print(table)


@app.command("show")
def experiment_show(
    experiment: IdArgument, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """How an experiment stands: each day's effect, by an interval that may be looked at any time.

    Example: storepulse hub experiment show exp-0123456789ab --json
    """
    from hub.experiments.running import as_plain, look_at

    with open_database(database) as opened:
        with opened.connection() as connection:
            found = one_experiment(connection, experiment)
            moves = moves_of(connection, experiment)
        shown = look_at(opened, found, today=_today())
    if as_json:
        _say(as_plain(shown) | {"moves": [asdict(one) for one in moves]})
        return
    typer.echo(f"{found.subject} ({found.dimension}): {found.state}, {shown.standing}")
    if found.words:
        typer.echo(found.words)
    if found.kind == "playbook" and found.starts_on is not None:
        typer.echo(f"shops that wait get: {found.against or 'nothing'}")
    for one in moves:
        why = f": {one.reason}" if one.reason else ""
        typer.echo(f"{one.at:%Y-%m-%d %H:%M} UTC {one.from_state} → {one.to_state}{why}")
    table = Table("day", "effect", "90% interval", "pairs", box=None)
    for look in shown.looks:
        table.add_row(
            str(look.day), f"{100 * look.effect:+.1f}%",
            f"{100 * look.low:+.1f} to {100 * look.high:+.1f}%", str(look.pairs),
        )  # fmt: skip
    _print(table)


@app.command("stop")
def experiment_stop(
    experiment: IdArgument, reason: ReasonOption = "", database: DatabaseOption = None
) -> None:
    """Stop a trial; what it showed stays, and pushes go back to the policy.

    Example: storepulse hub experiment stop exp-0123456789ab --reason "the shops are refurbished"
    """
    _move(database, experiment, "stopped", reason, before="running")


@app.command("decline")
def experiment_decline(
    experiment: IdArgument, reason: ReasonOption = "", database: DatabaseOption = None
) -> None:
    """Decline a proposal; `reopen` takes that back.

    Example: storepulse hub experiment decline exp-0123456789ab --reason "tried in spring"
    """
    _move(database, experiment, "declined", reason)


@app.command("reopen")
def experiment_reopen(
    experiment: IdArgument, reason: ReasonOption = "", database: DatabaseOption = None
) -> None:
    """Make a declined proposal a proposal again.

    Example: storepulse hub experiment reopen exp-0123456789ab
    """
    _move(database, experiment, "proposed", reason)


@app.command("take-back")
def experiment_take_back(
    experiment: IdArgument, reason: ReasonOption = "", database: DatabaseOption = None
) -> None:
    """Undo a roll-out: pushes go back to the policy, a layout's open actions are withdrawn.

    Example: storepulse hub experiment take-back exp-0123456789ab --reason "too dear"
    """
    _move(database, experiment, "stopped", reason, before="rolled_out")


@app.command("roll-out")
def experiment_roll_out(
    experiment: IdArgument, reason: ReasonOption = "", database: DatabaseOption = None
) -> None:
    """Let every shop act: what has won by itself, anything else with a --reason.

    Example: storepulse hub experiment roll-out exp-0123456789ab
    """
    from hub.experiments.running import roll_out

    with open_database(database) as opened, opened.connection() as connection:
        roll_out(connection, opened, experiment, today=_today(), reason=reason)
    typer.echo("rolled out")


@app.command("worths")
def experiment_worths(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """What everything tried was worth, with its doubt, the most promising first.

    By `expected`, the worth drawn towards 0 as far as the trials leave it open, pushes are chosen.

    Example: storepulse hub experiment worths --json
    """
    from hub.experiments.running import worths

    with open_database(database) as opened:
        found = worths(opened, today=_today())
    if as_json:
        _say([asdict(one) for one in found])
        return
    table = Table(
        "subject", "dimension", "against", "worth", "90% interval", "trials", "expected", box=None
    )
    for one in found:
        table.add_row(
            one.subject, one.dimension, one.against or "nothing", f"{100 * one.effect:+.1f}%",
            f"{100 * one.low:+.1f} to {100 * one.high:+.1f}%", str(one.trials),
            f"{100 * one.expected:+.1f}%",
        )  # fmt: skip
    _print(table)


def _move(
    database: str | None, experiment: str, state: State, reason: str, *, before: str = ""
) -> None:
    with open_database(database) as opened, opened.connection() as connection:
        found = one_experiment(connection, experiment)
        if before and found.state != before:
            raise NotSo(f"experiment {experiment} is {found.state}, not {before}")
        move(connection, experiment, state, reason=reason)
    typer.echo(state)


def _today() -> date:
    return datetime.now(UTC).date()


def _say(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


def _print(table: Table) -> None:
    # Not cut to the width of a terminal where none is looking.
    Console(width=None if sys.stdout.isatty() else 160).print(table)

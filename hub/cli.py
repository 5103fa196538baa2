"""`storepulse hub`: the commands that fill the hub and keep it listening. Decides nothing."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.actions.cli import app as rules_app
from hub.audit.cli import app as audit_app
from hub.bench.cli import app as bench_app
from hub.brokers import broker as brokers
from hub.brokers.own_broker import Doorkeeper
from hub.care.cli import app as care_app
from hub.codes.cli import app as codes_app
from hub.errors import BrokerUnavailable
from hub.experiments.cli import app as experiments_app
from hub.feeds.cli import app as feeds_app
from hub.figures.cli import app as figures_app
from hub.figures.cli import keep_app
from hub.ingest.garbage import collect_less_often
from hub.ingest.listener import Tally, listen
from hub.ingest.load import Loaded, load_facts
from hub.keeping.cli import app as keeping_app
from hub.metrics import CATALOGUE
from hub.nodes.authority_files import open_authority
from hub.nodes.cli import app as nodes_app
from hub.people.cli import app as people_app
from hub.plans.cli import app as plans_app
from hub.rounds.cli import app as rounds_app
from hub.rounds.cli import rests_app
from hub.settings import read_settings
from hub.shops import load_shops, read_shops
from hub.store.database import Database, open_database
from hub.why.cli import app as why_app
from storepulse.errors import BadInput
from storepulse.wire_document import wire_document

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
shops_app = typer.Typer(no_args_is_help=True)
broker_app = typer.Typer(no_args_is_help=True)
app.add_typer(shops_app, name="shops", help="The chain's shops.")
app.add_typer(broker_app, name="broker", help="The MQTT broker of this machine.")
app.add_typer(nodes_app, name="node", help="Who may come in: invite, list, revoke nodes.")
app.add_typer(people_app, name="people", help="Who may sign in: invite, list, end people.")
app.add_typer(experiments_app, name="experiment", help="Try something in half of the shops.")
app.add_typer(bench_app, name="bench", help="How long things take at a chain's size.")
app.add_typer(feeds_app, name="feed", help="Tills, queues, rotas, weather: add, list, run feeds.")
app.add_typer(care_app, name="care", help="Customers who agreed: one's data, the record, keys.")
app.add_typer(rules_app, name="rules", help="How actions are handed out: show, publish.")
app.add_typer(plans_app, name="plans", help="Planograms: add files as drafts, list, publish.")
app.add_typer(keep_app, name="keep", help="How long facts are kept: list, set, now.")
app.add_typer(rounds_app, name="rounds", help="Which bays are photographed when: publish, list.")
app.add_typer(rests_app, name="rests", help="Products of which nothing is asked for some days.")
# Without a name its commands stand beside ours.
app.add_typer(codes_app)
app.add_typer(audit_app)
app.add_typer(keeping_app)
app.add_typer(why_app)
app.add_typer(figures_app)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        help="postgresql://... or a folder for the embedded one; "
        "default: STOREPULSE_DATABASE, else ./data/hub.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def _top() -> None:
    """Take facts in, store them, compute codes, push actions."""


def say(value: Any) -> None:
    """Print one JSON value on a line of its own."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))


@shops_app.command("load")
def shops_load(
    file: Annotated[
        Path, typer.Argument(help="shop,name,region,format,latitude,longitude,timezone")
    ],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load the list of shops, all or nothing; loading it again updates.

    Example: storepulse hub shops load shops.csv --json
    """
    shops = read_shops(file)
    with open_database(database) as opened:
        new, updated = load_shops(opened, shops)
    if as_json:
        say({"shops": len(shops), "new": new, "updated": updated})
    else:
        typer.echo(f"{len(shops)} shops: {new} new, {updated} updated")


@app.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="Facts, a JSON object a line.")],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load a file of facts. Refused lines are told with their reasons and hold up no other.

    Example: storepulse hub load facts.jsonl --database ./data/hub --json
    """
    # Before the database is started for it: a file that is missing is the caller's slip.
    if not file.is_file():
        raise BadInput(f"{file} is no file" if file.exists() else f"there is no file {file}")
    with open_database(database) as opened:
        loaded = _load(opened, file)
    if as_json:
        say(
            {
                "new": loaded.new, "duplicate": loaded.duplicate, "refused": loaded.refused,
                "refused_lines": [asdict(one) for one in loaded.first_refused],
                "refused_by_reason": dict(loaded.refused_by_reason),
                "new_shops": loaded.new_shops,
            }
        )  # fmt: skip
    else:
        typer.echo(f"{loaded.new} new, {loaded.duplicate} duplicate, {loaded.refused} refused")
        for one in loaded.first_refused:
            typer.echo(f"  line {one.line}: {one.reason}")
        if loaded.refused > len(loaded.first_refused):
            typer.echo(f"  and {loaded.refused - len(loaded.first_refused)} more")
        if loaded.new_shops:
            typer.echo(f"shops not on any list, made unassigned: {', '.join(loaded.new_shops)}")
    if loaded.readable == 0:
        raise BadInput(f"{file} holds no fact that can be read: a JSON object a line is needed")


def _load(opened: Database, file: Path) -> Loaded:
    loaded = Loaded()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=talk, transient=True) as progress:
        task = progress.add_task("loading")
        for loaded in load_facts(opened, file, received_at=datetime.now(UTC)):
            progress.update(task, description=f"loading: {loaded.lines} lines")
    return loaded


@app.command("wire")
def wire() -> None:
    """Print the AsyncAPI document of what nodes and hub say to each other.

    Example: storepulse hub wire > docs/asyncapi.json
    """
    sys.stdout.write(json.dumps(wire_document(), ensure_ascii=False, indent=1) + "\n")


@app.command("catalogue")
def catalogue(as_json: JsonOption = False) -> None:
    """List the metrics that the hub knows.

    Example: storepulse hub catalogue --json
    """
    if as_json:
        say([asdict(metric) for metric in CATALOGUE.values()])
        return
    table = Table("metric", "unit", "dimension", "adds up", "interval", "meaning", box=None)
    for metric in CATALOGUE.values():
        interval = "may be left out" if metric.counted else "needed"
        table.add_row(
            metric.name, metric.unit, metric.dimension, metric.adds_up, interval, metric.meaning
        )
    # Not cut to the width of a terminal where none is looking.
    width = None if sys.stdout.isatty() else 160
    Console(width=width).print(table)


@app.command("ingest")
def ingest(
    database: DatabaseOption = None,
    broker: Annotated[str | None, typer.Option(help="mqtt://HOST:PORT")] = None,
    chain: Annotated[str | None, typer.Option(help="Name of the chain in the topics.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that store what nodes say; 1: this one. Default: 1."),
    ] = None,
) -> None:
    """Take in what the nodes say, and bring actions down to them, until Ctrl-C.

    `storepulse hub run` does this too, with as many workers as STOREPULSE_HUB_INGEST_WORKERS says;
    this is for running the parts apart.

    Example: storepulse hub ingest --broker mqtt://127.0.0.1:1883 --chain acme --workers 2
    """
    settings = read_settings(os.environ, broker=broker, chain=chain, ingest_workers=workers)
    with open_database(database) as opened:
        talk.print(
            f"listening to chain {settings.chain} at {settings.broker}; "
            f"database {opened.place} (PostgreSQL {opened.version})"
        )
        tally = Tally()
        collect_less_often()
        asyncio.run(_until_stopped(listen(opened, settings, tally=tally)))
        talk.print(
            f"stopped: {tally.batches} batches with {tally.messages} messages, "
            f"{tally.quarantined} in quarantine, {tally.alarms} alarms"
        )


async def _until_stopped(work: Any) -> None:
    """Run until SIGINT or SIGTERM, then cancel it and let it end in order."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@broker_app.command("run")
def broker_run(
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free one.")] = 1883,
    folder: Annotated[Path, typer.Option(help="What the broker keeps.")] = Path("data/broker"),
    kind: Annotated[str | None, typer.Option(help="mosquitto or embedded.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="Folder of the hub's authority: TLS with certificates.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a broker on the loopback until Ctrl-C: mosquitto if installed, else the embedded one.

    Example: storepulse hub broker run --port 1883
    """
    if kind not in (None, "mosquitto", "embedded"):
        raise BadInput(f"--kind must be mosquitto or embedded, got {kind!r}")
    kept = None if authority is None else open_authority(authority)
    chosen: Any = kind
    with brokers.running_broker(folder, port=port, kind=chosen, kept=kept) as running:
        if as_json:
            say(asdict(running))
        else:
            talk.print(f"{running.kind} at {running.url}, pid {running.pid}; Ctrl-C ends it")
        keeper = None if kept is None else Doorkeeper(running, folder, kept)
        asyncio.run(_until_stopped(_until_gone(running.pid, keeper)))
        if not brokers.is_running(running.pid):
            raise BrokerUnavailable(f"the broker ended by itself; see {folder}/broker.log")


async def _until_gone(pid: int, keeper: Doorkeeper | None) -> None:
    while brokers.is_running(pid):
        await asyncio.sleep(0.2)
        if keeper is not None:
            try:
                await asyncio.to_thread(keeper.look)
            except Exception as error:  # the broker serves on; the next look tries again
                talk.print(f"the revoked could not be cut off: {error}", markup=False)

"""`storepulse edge`: run a node, look into its outbox, append facts to it."""

import json
import logging
import os
import sys
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from edge.cli_enrolment import app as enrolment_app
from edge.cli_enrolment import check_enrolled, enrolled_environ
from edge.cli_phones import app as phones_app
from edge.cli_staff import app as staff_app
from edge.clock import SynchronisedSetting, now_of
from edge.disk import FILE_NAME, Disk
from edge.node import run_node
from edge.outbox import Outbox
from edge.settings import read_settings, table
from storepulse.errors import BadInput
from storepulse.facts import FACT_JSON, Fact
from storepulse.units import GIB
from storepulse.wire import encode_body, explain

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Run the node in the shop.")
# Without a name their commands stand beside ours.
app.add_typer(enrolment_app)
app.add_typer(phones_app)
app.add_typer(staff_app, name="staff")

_AT_ONCE: Final = 500
_SHOWN_MAX: Final = 1000


@app.command(epilog="storepulse edge run --data /var/lib/storepulse --shop shop-17 --node node-1")
def run(
    data: Annotated[
        Path | None, typer.Option(help="Folder for outbox, photos, planograms.")
    ] = None,
    chain: Annotated[str | None, typer.Option(help="Name of the chain.")] = None,
    shop: Annotated[str | None, typer.Option(help="Name of the shop.")] = None,
    node: Annotated[str | None, typer.Option(help="Name of this node.")] = None,
    broker: Annotated[str | None, typer.Option(help="mqtt://HOST:PORT or mqtts://…")] = None,
    host: Annotated[str | None, typer.Option(help="Address on which phones are served.")] = None,
    port: Annotated[int | None, typer.Option(help="Its port; 0: any free one.")] = None,
    planogram: Annotated[
        list[Path] | None, typer.Option(help="Planogram to judge by; may be given again.")
    ] = None,
    capture: Annotated[
        list[Path] | None, typer.Option(help="Capture for the radio child; may be given again.")
    ] = None,
    ear: Annotated[
        list[str] | None,
        typer.Option(help="Source of visitors, e.g. radio:wlan1 (docs/ears.md); again for more."),
    ] = None,
    clock: Annotated[
        SynchronisedSetting | None, typer.Option(help="Is the wall clock set?")
    ] = None,
    verbose: Annotated[bool, typer.Option(help="Say more on stderr.")] = False,
) -> None:
    """Run the node until SIGTERM or Ctrl-C.

    Prints {"listening": URL} on stdout once phones are served. What is not given here comes from
    STOREPULSE_EDGE_… in the environment (`storepulse edge settings`), and what is not said there
    from enrolment (`storepulse edge enrol`).
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    settings = read_settings(
        {**enrolled_environ(data), **os.environ}, data=data, chain=chain, shop=shop, node=node,
        broker=broker, host=host, port=port, clock=clock,
        ears=" ".join(ear) if ear else None,
    )  # fmt: skip
    check_enrolled(settings)
    run_node(settings, planograms=planogram or (), captures=capture or ())


@app.command(epilog="storepulse edge outbox /var/lib/storepulse --json")
def outbox(
    data: Annotated[Path, typer.Argument(help="The node's data folder.")],
    limit: Annotated[int, typer.Option(min=1, max=_SHOWN_MAX, help="Messages to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what waits for the hub; a running node is not disturbed."""
    if not (data / FILE_NAME).is_file():
        raise BadInput(f"{data} is no node's data folder: it has no {FILE_NAME}")
    disk = Disk(data)
    try:
        box = Outbox(disk, node="", bytes_max=GIB)
        waiting, messages = box.waiting(), box.unacknowledged(0, limit)
    finally:
        disk.close()
    shown = []
    for message in messages:
        kind, body = encode_body(message.body)
        said_at = message.said_at.isoformat()
        shown.append({"number": message.key.number, "said_at": said_at, "type": kind, "data": body})
    if as_json:
        whole = asdict(waiting)
        whole["oldest_said_at"] = waiting.oldest_said_at and waiting.oldest_said_at.isoformat()
        typer.echo(json.dumps({**whole, "messages": shown}, ensure_ascii=False))
        return
    rows = Table("number", "said at", "type", "what")
    for one in shown:
        what = json.dumps(one["data"], ensure_ascii=False)
        rows.add_row(str(one["number"]), str(one["said_at"]), str(one["type"]), what[:60])
    Console().print(rows)
    typer.echo(
        f"{waiting.numbers} wait ({waiting.bytes} bytes) of {waiting.last_number} said in epoch "
        f"{waiting.epoch}; the hub has {waiting.acknowledged}"
    )


@app.command(epilog="storepulse edge say /var/lib/storepulse facts.jsonl")
def say(
    data: Annotated[Path, typer.Argument(help="The node's data folder.")],
    facts: Annotated[Path, typer.Argument(help="Facts, one JSON object a line; - for stdin.")],
    clock: Annotated[SynchronisedSetting, typer.Option(help="Is the wall clock set?")] = "ask",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Append facts to a node's outbox, whether it runs or not; each id is said once."""
    told = _read_facts(facts)
    now = now_of(clock)
    disk = Disk(data)
    try:
        box = Outbox(disk, node="", bytes_max=2 * GIB)
        rest = iter(told)
        new = 0
        while some := list(islice(rest, _AT_ONCE)):
            new += box.append_once(some, now())
    finally:
        disk.close()
    if as_json:
        typer.echo(json.dumps({"new": new, "known": len(told) - new}))
    else:
        typer.echo(f"{new} new, {len(told) - new} told before")


@app.command(epilog="storepulse edge settings --json")
def settings(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Show every setting, its default and what it means."""
    if as_json:
        rows = [{"name": n, "default": d, "meaning": m} for n, d, m in table()]
        typer.echo(json.dumps(rows))
        return
    shown = Table("setting", "default", "meaning")
    for row in table():
        shown.add_row(*row)
    Console().print(shown)


def _read_facts(path: Path) -> list[Fact]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read: {error}") from error
    facts = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            facts.append(FACT_JSON.validate_json(line))
        except ValidationError as error:
            raise BadInput(f"{path} line {number}: {explain(error)}; nothing was said") from error
    return facts

"""`storepulse demo`: the whole loop on this machine. Thin: the stages are in `loop`."""

import json
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from hub.codes.cli import board_table
from storepulse.demo.children import Children
from storepulse.demo.doors import end_session, fresh_link, pairing_code
from storepulse.demo.loop import Loop, Wanted, run_loop
from storepulse.demo.stages import Stages
from storepulse.errors import BadInput
from storepulse.pages import pages_folder

app = typer.Typer(
    add_completion=False, help="The whole loop on this machine, with a simulated chain around it."
)
_WIDTH_FOR_REASONS: Final = 150
"""In a narrower terminal the column of reasons would fold each shop over many lines."""
talk = Console(stderr=True, soft_wrap=True, highlight=False)


@app.command(epilog="storepulse demo --photo shelf.jpg --capture monday.pcap.gz --once --json")
def demo(
    photo: Annotated[
        Path | None, typer.Option(help="A well-kept shelf; without it, a drawn one.")
    ] = None,
    planogram: Annotated[
        Path | None, typer.Option(help="Its planogram; without it, one is made from the photo.")
    ] = None,
    capture: Annotated[
        Path | None, typer.Option(help="A Wi-Fi capture; without it, a simulated one.")
    ] = None,
    once: Annotated[bool, typer.Option(help="End after one round of the loop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    data: Annotated[
        Path | None, typer.Option(help="Folder to keep; without it, a temporary one.")
    ] = None,
) -> None:
    """Run broker, database, hub and one node, and take one shelf photo through the whole loop.

    The photo becomes a planogram; a second exposure of it, in which three facings of a main-push
    product were erased, is judged by the node; a capture becomes dwell; facts go to the hub, codes
    and actions come back. The other eleven shops, and the past of all twelve, are simulated.

    Ends with exit code 0 if four codes came out and the hub acknowledged the node's checklist.
    """
    for what, path in (("photo", photo), ("planogram", planogram), ("capture", capture)):
        if path is not None and not path.is_file():
            raise BadInput(f"--{what}: there is no file {path}")
    if planogram is not None and photo is None:
        raise BadInput("--planogram needs the --photo of the shelf that it plans")
    with _ended_by_signals(), _folder(data) as folder, Children(folder / "logs") as children:
        wanted = Wanted(
            folder=folder, photo=_whole(photo), planogram=_whole(planogram),
            capture=_whole(capture),
        )  # fmt: skip
        stages = Stages(talk)
        loop = Loop(wanted, children, stages, datetime.now(UTC))
        try:
            run_loop(loop)
        except Exception as error:
            if as_json:
                typer.echo(json.dumps(document(loop, failed=str(error)), default=str))
            raise
        if as_json:
            typer.echo(json.dumps(document(loop), default=str))
        else:
            _print_board(loop)
        if not once:
            _print_links(loop)
            _stay()
        if not loop.complete:
            talk.print("the loop did not close: see the stages above")
            raise typer.Exit(1)


def document(loop: Loop, *, failed: str | None = None) -> dict[str, Any]:
    """The demo's one JSON document: what each stage said, and what came out."""
    return {
        "ok": failed is None and loop.complete,
        "failed": failed,
        "note": "the chain, its past and the second exposure are simulated",
        "seconds": round(sum(stage.seconds or 0.0 for stage in loop.stages.done), 2),
        "shop": loop.shop.id if loop.shops else None,
        "day": loop.today.isoformat() if loop.shops else None,
        "data": str(loop.wanted.folder),
        "hub": loop.hub.url if loop.hub else None,
        "node": loop.node.url if loop.node else None,
        "certificate": str(loop.hub.ca) if loop.hub else None,
        "stages": loop.stages.as_json(),
        "codes": loop.codes,
        "board": [asdict(row) for row in loop.rows],
    }  # fmt: skip


def _print_board(loop: Loop) -> None:
    console = Console(highlight=False, soft_wrap=True)
    table = board_table(list(loop.rows), loop.today)
    if Console().width < _WIDTH_FOR_REASONS:
        table.columns.pop()
    console.print(table)
    for code in loop.codes:
        console.print(f"{code['shop']} {code['dimension']}: {code['rule']}", markup=False)


def _print_links(loop: Loop) -> None:
    """What a person does next: fresh one-time links, which the demo itself has not used."""
    assert loop.node is not None
    assert loop.hub is not None
    assert loop.head_office is not None
    console = Console(highlight=False, soft_wrap=True)
    pairing = pairing_code(loop.head_office, loop.shop.id)
    ends_at = datetime.fromisoformat(pairing["ends_at"]).astimezone()
    ca = loop.hub.ca
    lines = [
        ("board", f"{fresh_link(loop.head_office)}  (once, within a day: choose a password)"),
        (
            "clerk's page",
            f"{loop.node.url}/#/pair/{pairing['code']}  (once, until {ends_at:%H:%M}; another: "
            f"storepulse edge pair --data {loop.node_data})",
        ),
        ("the photo", f"{loop.node.url}/#/photo/{loop.answer['photo']}  (once paired)"),
        ("lists of routes", f"{loop.hub.url}/docs, {loop.node.url}/docs"),
        ("certificate", f"{ca}: the browser warns until it trusts this authority, and keeps no "
                        "page for offline. Chromium on Linux trusts it by"),
        ("", f"certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n storepulse-demo -i {ca}"),
        ("", "and forgets it by: certutil -d sql:$HOME/.pki/nssdb -D -n storepulse-demo"),
        ("simulated", "the twelve shops and their past, the second exposure"
                      + ("" if loop.wanted.photo else ", the drawn shelf")
                      + ("" if loop.wanted.capture else ", the Wi-Fi capture")),
        ("to end it", "Ctrl-C"),
    ]  # fmt: skip
    end_session(loop.head_office)
    if not (pages_folder() / "board.html").is_file():
        lines.insert(0, ("no pages", "they are not built: run `make pages`"))
    console.print()
    for name, words in lines:
        console.print(f"{name:16} {words}", markup=False)


def _stay() -> None:
    try:
        signal.pause()
    except KeyboardInterrupt:
        talk.print("ending")


def _whole(path: Path | None) -> Path | None:
    """Children run from the same folder, but a name that starts with a dash must stay a name."""
    return None if path is None else path.resolve()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: its children must not outlive it."""

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    folder = Path(tempfile.mkdtemp(prefix="storepulse-demo-"))
    # Run by root, the database belongs to a lower user, who must be able to pass through.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)

"""`storepulse probes live|hear` and the two lists of phones. Gathered by `probes/cli.py`."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from probes.calibration import DEFAULT_CALIBRATION, read_calibration
from probes.ear import hear
from probes.frames import FrameReader
from probes.lists import parse_address, read_list, write_list
from probes.modes import Listening, Mode
from probes.privacy import keep_to_itself
from probes.sources.naming import read_source
from probes.worker import admission, listen, radio_of, tell

Modes = Annotated[Mode, typer.Option(help="How much may be known (docs/privacy.md).")]
OptedOut = Annotated[Path | None, typer.Option(help="List of phones that are never heard.")]
Agreed = Annotated[Path | None, typer.Option(help="List of phones heard in consent mode.")]
Zone = Annotated[str, typer.Option(help="The shop's time zone, e.g. Asia/Shanghai.")]


def live(
    interface: Annotated[str, typer.Argument(help="A radio in monitor mode, e.g. wlan1.")],
    mode: Modes = Mode.STANDARD,
    channel: Annotated[
        list[int] | None, typer.Option(help="Channel to hop over; may be given again; 0: stay.")
    ] = None,
    timezone: Zone = "UTC",
    shop: Annotated[str, typer.Option(help="Whose facts they are.")] = "unassigned",
    source: Annotated[str, typer.Option(help="Who says so: the node's path.")] = "probes.live",
    opted_out: OptedOut = None,
    agreed: Agreed = None,
    calibration: Annotated[Path, typer.Option(help="What the place has taught.")] = (
        DEFAULT_CALIBRATION
    ),
) -> None:
    """Listen to a radio until Ctrl-C; facts of each day as JSON lines, in its night and at the end.

    Not yet run on a radio: only through socket pairs and a virtual interface.

    Example: storepulse probes live wlan1 --timezone Asia/Shanghai --mode standard
    """
    keep_to_itself()
    talk = Console(stderr=True, soft_wrap=True, highlight=False)
    listening = Listening(mode, timezone)
    reader = FrameReader(turns=listening.turns, admits=admission(mode, opted_out, agreed))
    learnt = read_calibration(calibration)
    radio = radio_of(interface, channel, reader)
    talk.print(f"storepulse: listening on {interface}, mode {mode}; Ctrl-C ends", markup=False)
    tell(listen(radio, reader, learnt, listening, shop, source))
    talk.print(
        f"storepulse: {radio.received:,} frames, {reader.counts.probe_requests:,} probe requests, "
        f"{reader.counts.damaged:,} damaged, {radio.lost:,} lost",
        markup=False,
    )


def hear_source(
    source: Annotated[str, typer.Argument(help="E.g. door+folder:/var/spool/door?error=0.05.")],
    mode: Modes = Mode.STANDARD,
    timezone: Zone = "UTC",
    shop: Annotated[str, typer.Option(help="Whose facts they are.")] = "unassigned",
    teller: Annotated[
        str, typer.Option("--source", help="Who says so: the node's path.")
    ] = "probes.hear",
    opted_out: OptedOut = None,
    agreed: Agreed = None,
    calibration: Annotated[Path, typer.Option(help="What the place has taught.")] = (
        DEFAULT_CALIBRATION
    ),
    keep: Annotated[
        Path | None, typer.Option(help="Folder where a door counter's day waits for its end.")
    ] = None,
) -> None:
    """Listen to any source until Ctrl-C, as a node's ears do; each day's facts as JSON lines.

    Sources: radio:IFACE, meraki+http://…, hostapd+mqtt://…, fortinet+udp://…, rows+folder:…,
    door+folder:… and door+mqtt://… (docs/ears.md). A node hears the same by
    `storepulse edge run --ear SOURCE`.

    Example: storepulse probes hear "door+folder:/var/spool/door?error=0.05" --keep days
    """
    talk = Console(stderr=True, soft_wrap=True, highlight=False)
    hear(
        read_source(source), Listening(mode, timezone), opted_out=opted_out, agreed=agreed,
        calibration=calibration, keep=keep, shop=shop, source=teller,
        say=lambda text: talk.print(f"storepulse: {text}", markup=False),
    )  # fmt: skip


def opt_out(
    phones: Annotated[Path, typer.Argument(help="The list; made when it is not there.")],
) -> None:
    """Put one phone on a list; its address is read from stdin and not kept.

    The list holds keyed hashes of global addresses only. It cannot work for a phone that makes up
    random addresses, which most do today: such an address is refused, with what works instead. The
    same command keeps the list of those who agreed (consent mode).

    Example: echo a4:50:46:12:34:56 | storepulse probes opt-out opted-out.json
    """
    keep_to_itself()
    talk = Console(stderr=True, soft_wrap=True, highlight=False)
    if sys.stdin.isatty():
        talk.print("The phone's Wi-Fi address (Settings > About), then Enter:", markup=False)
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        line = ""  # no address; and not chained: the error's own words would repeat what came
    longer = read_list(phones).with_address(parse_address(line))
    write_list(longer, phones)
    talk.print(
        f"storepulse: {phones} holds {len(longer.entries)} phones. It works only while the phone "
        "uses this address: a private (random) address is not recognised.",
        markup=False,
    )

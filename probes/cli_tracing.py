"""`probes link`: which probe requests of captures are one phone's. Prints numbers, no address."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from probes.captures import Capture, CaptureWarning
from probes.frames import Frame, FrameReader
from probes.privacy import keep_to_itself
from probes.tracing import trace

NOT_USED = -1
"""Told for a probe request that says nothing: damaged, its check sum wrong, or without a time."""


def link(
    captures: Annotated[list[Path], typer.Argument(help="Captures, read as one after the other.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Which probe requests are one phone's, under whatever addresses.

    With --json {"devices": [...]}: a number for each probe request in the order of the files, the
    phone it is assigned to; -1 for one that could not be used. Without: how many phones, and how
    long each was heard.

    Example: storepulse probes link monday.pcap --json
    """
    keep_to_itself()
    talk = Console(stderr=True, soft_wrap=True, highlight=False)

    def tell(warning: CaptureWarning) -> None:
        talk.print(f"storepulse: {warning.message}", markup=False)

    reader = FrameReader()  # one key: a phone may go on in the next capture
    requests = [one for path in captures for one in requests_of(path, reader, tell)]
    devices = devices_of(requests)
    if as_json:
        sys.stdout.write(json.dumps({"devices": devices}) + "\n")
        return
    heard: dict[int, list[float]] = {}
    for device, request in zip(devices, requests, strict=True):
        if request is not None:
            heard.setdefault(device, []).append(request.time_s)
    typer.echo(f"{len(heard)} phones in {len(requests)} probe requests")
    for device, times_s in heard.items():
        minutes = (max(times_s) - min(times_s)) / 60
        typer.echo(f"  phone {device}: {len(times_s)} requests over {minutes:.1f} min")


def requests_of(
    path: Path, reader: FrameReader, warn: Callable[[CaptureWarning], None]
) -> list[Frame | None]:
    """The probe requests of a capture in the order of the file; None for one of no use.

    Raises:
        CaptureRefused: it cannot be read at all.
    """
    found: list[Frame | None] = []
    capture = Capture(path, warn=warn)
    try:
        for record in capture.records():
            before = reader.counts.probe_requests
            frame = reader.read(record)
            if reader.counts.probe_requests > before:
                found.append(frame)
    finally:
        capture.close()
    return found


def devices_of(requests: list[Frame | None]) -> list[int]:
    """The phone of each request, numbered as they come; `NOT_USED` for None."""
    used = [(one, place) for place, one in enumerate(requests) if one is not None]
    used.sort(key=lambda pair: (pair[0].time_s, pair[0].sequence, pair[0].tie, pair[1]))
    devices = [NOT_USED] * len(requests)
    for (_, place), device in zip(used, trace([one for one, _ in used]), strict=True):
        devices[place] = device
    return devices

"""`storepulse probes prove-privacy` and `bench`. Gathered by `probes/cli.py`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from probes.bench import measure
from probes.modes import Mode
from probes.privacy_proof import ENDINGS, Run, needles_of_capture, prove
from probes.spellings import SEARCHED


def prove_privacy(
    capture: Annotated[Path, typer.Argument(help="Capture to run over, .pcap or .pcapng.")],
    hub: Annotated[bool, typer.Option(help="With a hub, and search its database.")] = False,
    also: Annotated[
        list[Path] | None, typer.Option(help="File or folder to search besides, e.g. a dump.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="The mode of listening.")] = Mode.STANDARD,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run the real node over a capture, end it in three ways, and search all it left for addresses.

    Exit code 1 when any address of the capture is found, in any spelling that is listed.

    Example: storepulse probes prove-privacy monday.pcap.gz --hub
    """
    talk = Console(stderr=True, soft_wrap=True, highlight=False)
    if mode is Mode.CONSENT:
        raise typer.BadParameter("consent needs a list; strict or standard")
    needles, addresses, names = needles_of_capture(capture)
    runs = list(
        prove(
            capture, with_hub=hub, mode=mode, also=also or [],
            say=lambda said: talk.print(f"storepulse: {said}", markup=False),
        )
    )  # fmt: skip
    found = sum(len(run.leaks) for run in runs)
    if as_json:
        sys.stdout.write(
            json.dumps(
                {
                    "capture": capture.name, "mode": str(mode), "hub": hub,
                    "addresses": addresses, "network_names": names, "needles": len(needles),
                    "searched_for": SEARCHED, "runs": [_plain(run) for run in runs],
                    "found": found,
                }
            ) + "\n"
        )  # fmt: skip
    else:
        sys.stdout.write("\n".join(_lines(runs, addresses, names, len(needles))) + "\n")
    if found:
        raise typer.Exit(1)


def _plain(run: Run) -> dict[str, object]:
    return {
        "ending": run.ending,
        "facts_went_up": run.facts_went_up,
        "bytes_searched": run.bytes_searched,
        "places": list(run.places),
        "leaks": [
            {"place": one.place, "offset": one.offset, "kind": one.kind} for one in run.leaks
        ],
    }


def _lines(runs: list[Run], addresses: int, names: int, needles: int) -> list[str]:
    lines = [
        f"{addresses:,} addresses and {names:,} network names, {needles:,} spellings:",
        *(f"  {kind}" for kind in SEARCHED),
    ]
    for run in runs:
        up = ", facts went up" if run.facts_went_up else ""
        lines.append(
            f"{run.ending:<10} {len(run.places)} places, {run.bytes_searched:,} bytes{up}: "
            + ("nothing found" if not run.leaks else f"{len(run.leaks)} FOUND")
        )
        lines += [f"  {leak.place} at {leak.offset}: {leak.kind}" for leak in run.leaks]
    if len(runs) == len(ENDINGS) and runs[0].facts_went_up is False:
        lines.append("No fact went up: with fewer than five visitors none may. The wire shows it.")
    lines.append("Memory of a running process is not searched: it cannot be read (not dumpable).")
    return lines


def bench(
    capture: Annotated[Path, typer.Argument(help="Capture to read again and again.")],
    frames: Annotated[
        int, typer.Option(min=10_000, help="Frames of the replay that memory is watched over.")
    ] = 300_000,
    mode: Annotated[Mode, typer.Option(help="The mode of listening.")] = Mode.STANDARD,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """How fast captures are read, beside scapy and merely reading records, and in how much memory.

    Ratios of processor time: they say the same on a machine that is busy with other things. Memory
    is what the process holds, looked at ten times while the capture is replayed again and again,
    each time a day later, in the way of `storepulse probes replay`.

    Example: storepulse probes bench monday.pcap.gz --frames 10000000
    """
    if mode is Mode.CONSENT:
        raise typer.BadParameter("consent needs a list; strict or standard")
    talk = Console(stderr=True, soft_wrap=True, highlight=False)
    measured = measure(
        capture, frames, mode=mode,
        say=lambda said: talk.print(f"storepulse: {said}", markup=False),
    )  # fmt: skip
    plain = asdict(measured) | {"grown_mb": measured.grown_mb}
    if as_json:
        sys.stdout.write(json.dumps(plain) + "\n")
        return
    for name, value in plain.items():
        if isinstance(value, str):
            sys.stdout.write(f"{name:<28} {value}\n")
        elif isinstance(value, int | float):
            sys.stdout.write(
                f"{name:<28} {value:,.3g}\n" if abs(value) < 100 else f"{name:<28} {value:,.0f}\n"
            )
    for at in measured.memory:
        sys.stdout.write(f"memory after {at.frames:>12,} frames   {at.resident_mb:,.1f} MB\n")

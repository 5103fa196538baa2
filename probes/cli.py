"""`storepulse probes`: run over captures and print what they say."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from probes.account import JsonAsItGoes, LinesAsTheyGo
from probes.calibration import DEFAULT_CALIBRATION, read_calibration, write_calibration
from probes.captures import CaptureWarning
from probes.cli_listening import Agreed, Modes, OptedOut, Zone, hear_source, live, opt_out
from probes.cli_proof import bench, prove_privacy
from probes.cli_tracing import link
from probes.hand_counts import calibrate, read_counts
from probes.modes import Listening, Mode
from probes.privacy import keep_to_itself
from probes.replay import replay
from probes.told_files import Form, facts_of_told
from probes.worker import admission
from probes.worker import tell as tell_facts
from storepulse.errors import BadInput

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print local values: raw frames
    help="Turn captures of Wi-Fi probe requests into visits, dwell and occupancy.",
)


@app.callback()
def _top() -> None:
    """Turn captures of Wi-Fi probe requests into visits, dwell and occupancy."""


app.command("live")(live)
app.command("hear")(hear_source)
app.command("link")(link)
app.command("opt-out")(opt_out)
app.command("prove-privacy")(prove_privacy)
app.command("bench")(bench)


@app.command("calibrate")
def calibrate_command(
    counts: Annotated[Path, typer.Argument(help="CSV with the columns time and people.")],
    captures: Annotated[list[Path], typer.Argument(help="Captures of those times.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The shop's own calibration.")],
    calibration: Annotated[
        Path, typer.Option(help="To start from (default: the one that is shipped).")
    ] = DEFAULT_CALIBRATION,
) -> None:
    """Learn from people counted by hand how many people the phones heard are.

    Times carry their zone. A count moves what is told within about an hour of it, and little of
    the rest of its month. The shipped calibration was learnt elsewhere: counts move it altogether,
    and so do later ones, added by --calibration to the shop's own. Dwell is not touched.

    Example: storepulse probes calibrate counts.csv monday.pcap.gz -o shop.json
    """
    keep_to_itself()
    talk = Console(stderr=True, soft_wrap=True, highlight=False)
    learnt, used = calibrate(
        read_counts(counts), captures, calibration, name=output.stem,
        warn=lambda warning: talk.print(f"storepulse: {warning.message}", markup=False),
    )  # fmt: skip
    try:
        write_calibration(learnt, output)
    except OSError as error:
        raise BadInput(f"--output {output} cannot be written: {error.strerror}") from error
    talk.print(
        f"storepulse: {output} is moved by {used} counts up to {learnt.learnt_on}; use it by "
        "--calibration",
        markup=False,
    )


@app.command("replay")
def replay_command(
    captures: Annotated[
        list[Path],
        typer.Argument(help="Captures (.pcap, .pcapng, plain or .gz); several are one stream."),
    ],
    as_json_: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    calibration: Annotated[
        Path, typer.Option(help="What the place has taught (default: the one that is shipped).")
    ] = DEFAULT_CALIBRATION,
    mode: Modes = Mode.STANDARD,
    timezone: Zone = "UTC",
    opted_out: OptedOut = None,
    agreed: Agreed = None,
    form: Annotated[Form, typer.Option(help="What the files hold.")] = Form.CAPTURE,
    door_error: Annotated[
        float | None, typer.Option(help="Of a door counter: half its 90 % interval, a share.")
    ] = None,
) -> None:
    """Visits, dwell and people present, from captures of probe requests.

    Nothing of a phone is written anywhere; figures come with their 90 % interval, or as unknown
    with the reason. Windows of ten minutes are printed as they end, the figures of the whole after
    them: memory does not grow with the capture. A capture named - is read from a pipe. What access
    points or a door counter told (--form) gives facts, one JSON object a line.

    Example: storepulse probes replay monday.pcap.gz --json
    """
    keep_to_itself()
    talk = Console(stderr=True, soft_wrap=True, highlight=False)

    def tell(warning: CaptureWarning) -> None:
        talk.print(f"storepulse: {warning.message}", markup=False)

    listening = Listening(mode, timezone)
    admits = admission(mode, opted_out, agreed)
    if form is not Form.CAPTURE:
        facts, damaged = facts_of_told(
            captures, form, listening, admits=admits, door_error=door_error, shop="unassigned",
            source="probes.replay",
        )  # fmt: skip
        tell_facts([facts])
        if not facts:
            talk.print(
                "storepulse: no fact comes of these files: either nothing in them is of the form "
                f"{form}, or fewer than five people came in",
                markup=False,
            )
        if damaged:
            talk.print(f"storepulse: {damaged} pieces could not be read", markup=False)
        return
    learnt = read_calibration(calibration)
    write = sys.stdout.write
    said = JsonAsItGoes(write) if as_json_ else LinesAsTheyGo(write, listening)
    with Progress(
        TextColumn("reading"), BarColumn(), TextColumn("{task.percentage:.0f} %"),
        TimeRemainingColumn(), console=talk, transient=True, redirect_stdout=False,
        # Where windows scroll by, they show how far it is.
        disable=not talk.is_terminal or sys.stdout.isatty(),
    ) as bar:  # fmt: skip
        task = bar.add_task("reading", total=None)
        account = replay(
            captures,
            learnt,
            listening=listening,
            admits=admits,
            tell=tell,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
            take=said.window,
        )
    said.end(account)

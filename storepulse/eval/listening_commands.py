"""`storepulse eval occupancy|dwell|linking|calibration|parser`: the ears' measures. Thin."""

from pathlib import Path
from typing import Annotated

import typer

from probes.modes import Mode
from storepulse.errors import BadInput
from storepulse.eval.options import AsJson, Calibrated, Probes, Seed, say
from storepulse.eval.progress import on_stderr

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command("occupancy", epilog="storepulse eval occupancy --data ../shared/data/probes --json")
def occupancy_command(
    data: Probes,
    first: Annotated[
        str | None,
        typer.Option("--from", help="First day; without: after the calibration's last one."),
    ] = None,
    calibration: Calibrated = None,
    counts_a_month: Annotated[
        int, typer.Option(min=0, help="Windows counted by hand in each month, to recalibrate by.")
    ] = 0,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """People present against head counts, on days that the calibration has not learnt from."""
    from probes.calibration import DEFAULT_CALIBRATION, read_calibration
    from probes.privacy import keep_to_itself
    from storepulse.eval.occupancy import measure_occupancy

    keep_to_itself()
    learnt = read_calibration(calibration or DEFAULT_CALIBRATION)
    report = measure_occupancy(
        data, learnt, first=first, seed=seed, steps=on_stderr, counts_a_month=counts_a_month
    )
    say(report, as_json)


@app.command("dwell", epilog="storepulse eval dwell --data ../shared/data/probes --json")
def dwell_command(
    data: Probes,
    repeats: Annotated[int, typer.Option(min=1, help="How often phones are parted anew.")] = 2,
    hours: Annotated[
        float, typer.Option(min=0.5, max=24, help="Over which 100 visitors come in.")
    ] = 8.0,
    mode: Annotated[Mode, typer.Option(help="How the shop listens.")] = Mode.STANDARD,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Mean dwell of visits of known length, by phones whose pace was not learnt."""
    from probes.privacy import keep_to_itself
    from storepulse.eval.dwell import measure_dwell
    from storepulse.eval.probe_captures import read_watches

    keep_to_itself()
    watches = read_watches(data, steps=on_stderr)
    report = measure_dwell(
        watches, repeats=repeats, hours=hours, seed=seed, steps=on_stderr, mode=mode
    )
    say(report, as_json)


@app.command("linking", epilog="storepulse eval linking --data ../shared/data/probes --json")
def linking_command(
    data: Probes,
    trials: Annotated[int, typer.Option(min=5, help="Crowds of each kind.")] = 20,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Phones told apart in made-up crowds of real frames: V-measure, and how many there are."""
    from probes.privacy import keep_to_itself
    from storepulse.eval.linking import measure_linking
    from storepulse.eval.probe_captures import read_watches

    keep_to_itself()
    watches = read_watches(data, steps=on_stderr)
    say(measure_linking(watches, trials=trials, seed=seed, steps=on_stderr), as_json)


@app.command(
    "calibration",
    epilog="storepulse eval calibration --data ../shared/data/probes -o calibration.json",
)
def calibration_command(
    data: Probes,
    until: Annotated[
        str | None, typer.Option(help="Last day to learn from; without: the shipped one's.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write what was learnt.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn the calibration from the reference captures again, and compare the shipped one."""
    from probes.calibration import write_calibration
    from probes.privacy import keep_to_itself
    from storepulse.eval.calibration import LEARNT_UNTIL, learn_from, report_of

    keep_to_itself()
    learnt = learn_from(data, until=until or LEARNT_UNTIL, steps=on_stderr)
    if output is not None:
        try:
            write_calibration(learnt, output)
        except OSError as error:
            raise BadInput(f"--output {output} cannot be written: {error.strerror}") from error
    say(report_of(learnt), as_json)


@app.command("parser", epilog="storepulse eval parser --data ../shared/data/probes --json")
def parser_command(data: Probes, as_json: AsJson = False) -> None:
    """Captures of every form, whole and broken: are all frames found that are there?"""
    from probes.privacy import keep_to_itself
    from storepulse.eval.parser import measure_parser

    keep_to_itself()
    say(measure_parser(data, steps=on_stderr), as_json)

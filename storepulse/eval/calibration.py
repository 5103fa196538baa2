"""Make the shipped calibration again from the reference captures, and say where it differs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final

import numpy as np

from probes.calibration import Calibration, read_calibration
from probes.learning import (
    CountedWindow,
    bare_calibration,
    learn_paces_of,
    learn_people,
    learnt_calibration,
)
from storepulse.eval.data_folders import WrongData
from storepulse.eval.figures import Figure, Report
from storepulse.eval.probe_captures import (
    CountedDay,
    Watch,
    presence,
    read_days,
    read_watches,
)
from storepulse.eval.progress import Steps

LEARNT_UNTIL: Final = "2023-03-16"
"""Days up to this one taught the shipped calibration; later ones are there to measure on."""
_NAME: Final = "default/3"
_PLACE: Final = "head counts of one university lab"
_RADIO: Final = "one radio on channel 2"


def times_by_phone(watches: list[Watch], *, without: frozenset[str] = frozenset()) -> dict[
    str, list[list[float]]
]:  # fmt: skip
    """The times of each phone's watches, some phones left out."""
    times: dict[str, list[list[float]]] = {}
    for watch in watches:
        if watch.phone not in without:
            times.setdefault(watch.phone, []).append(watch.times_s)
    return times


def learn_from(folder: Path, *, until: str, steps: Steps) -> Calibration:
    """Learn from watched phones, and from the counted days up to `until`.

    Raises:
        WrongData, CaptureRefused: the folder does not hold them.
    """
    days = [day for day in read_days(folder) if day.day <= until and day.people]
    if len(days) < 2:
        raise WrongData(f"--until {until}: at least two counted days are needed up to then")
    times = times_by_phone(read_watches(folder, steps=steps))
    try:
        return _learn(days, times, steps)
    except ValueError as error:
        raise WrongData(f"--data {folder}: {error}") from error


def _learn(
    days: Sequence[CountedDay], times: Mapping[str, Sequence[Sequence[float]]], steps: Steps
) -> Calibration:
    paces = learn_paces_of(times)
    bare = bare_calibration(paces)
    windows = []
    for day in steps(days, "counting phones by day"):
        heard = presence(day.capture, bare)
        for start_s, people in day.people.items():
            window = heard.get(start_s)
            if window is not None and window.people is not None:
                windows.append(CountedWindow(day.day, people, window.phones))
    return learnt_calibration(
        name=_NAME,
        learnt_from=f"{_PLACE}, {len(days)} days until {days[-1].day}, {_RADIO}; "
        f"paces of bursts from {len(times)} phones",
        learnt_on=days[-1].day,
        paces=paces,
        people=learn_people(windows),
    )


def report_of(learnt: Calibration) -> Report:
    """What was learnt, beside what is shipped."""
    shipped = read_calibration()
    figures = []
    for of, calibration in (("learnt", learnt), ("shipped", shipped)):
        told = asdict(calibration.curve) | {
            name: float(getattr(calibration, name))
            for name in ("signal_dbm_sure", "signal_dbm_min", "error_share", "error_people",
                         "dwell_error_share")
        }  # fmt: skip
        figures += [Figure(name=name, of=of, value=value) for name, value in told.items()]
    apart = np.abs(np.array(learnt.paces.share) - np.array(shipped.paces.share))
    figures.append(
        Figure(
            name="paces_largest_difference",
            of="learnt against shipped",
            value=float(apart.max()),
            n=len(apart),
        )
    )
    differ = [
        field.name
        for field in fields(Calibration)
        if getattr(learnt, field.name) != getattr(shipped, field.name)
    ]
    same = "it is the shipped calibration, figure by figure"
    return Report(
        measure="calibration",
        settings={"learnt_on": learnt.learnt_on},
        figures=tuple(figures),
        notes=(
            f"learnt from {learnt.learnt_from}",
            f"differs from the shipped one in: {', '.join(differ)}" if differ else same,
        ),
    )

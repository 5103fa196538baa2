"""Recalibrate by people counted by hand or by a door: counts and captures in, a calibration out.

Reads files; the arithmetic is `probes.learning.recalibrated`.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from probes.calibration import DEFAULT_CALIBRATION, Calibration, read_calibration
from probes.captures import CaptureWarning
from probes.counted_moments import CountedMoment
from probes.errors import CalibrationRefused
from probes.learning import ELSEWHERE_SD, recalibrated
from probes.occupancy import WINDOW_S
from probes.replay import replay
from probes.sources.reading import time_of

_PEOPLE_MAX: Final = 10_000
_COVERED_MIN: Final = 0.5


class Count(NamedTuple):
    """So many people were there at a moment."""

    time_s: float
    people: float


def read_counts(path: Path) -> list[Count]:
    """Read counts: CSV with the columns time (ISO 8601 with its zone, or seconds) and people.

    Raises:
        CalibrationRefused: it cannot be read, or a row is no count; the message names the line.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise CalibrationRefused(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CalibrationRefused(f"{path} is no text file in UTF-8") from error
    reader = csv.DictReader(lines)
    try:
        found = _counts(reader, path.name)
    except csv.Error as error:
        raise CalibrationRefused(f"{path.name} is no CSV: {error}") from error
    if not found:
        raise CalibrationRefused(f"{path.name} holds no count")
    return found


def _counts(reader: "csv.DictReader[str]", name: str) -> list[Count]:
    if not {"time", "people"} <= {one.strip().lower() for one in reader.fieldnames or ()}:
        raise CalibrationRefused(f"{name}: the columns needed are time and people")
    found = []
    for row in reader:
        told = {str(key).strip().lower(): value for key, value in row.items()}
        try:
            count = Count(time_of((told["time"] or "").strip()), float(told["people"] or ""))
            if not 0 <= count.people <= _PEOPLE_MAX:
                raise ValueError("no number of people")
        except ValueError as error:
            raise CalibrationRefused(
                f"{name}, line {reader.line_num}: a count is a time with its zone and a "
                "number of people, as 2026-11-22T10:30:00+08:00,12"
            ) from error
        found.append(count)
    return found


def calibrate(
    counts: Sequence[Count], captures: Sequence[Path], before: Path, *, name: str,
    warn: Callable[[CaptureWarning], None],
) -> tuple[Calibration, int]:  # fmt: skip
    """Have a calibration know counts that captures cover (`probes.counted_moments`).

    The one that is shipped was learnt elsewhere: counts move it altogether. One that was learnt
    here they move for about an hour each, and little beyond.

    Args:
        before: the calibration's file.
        name: of the new one.
    Returns:
        The new calibration, and how many counts it was moved by.
    Raises:
        CaptureRefused, CalibrationRefused: a file cannot be read, no count lies within the
            captures, or counts and captures contradict each other.
    """
    calibration = read_calibration(before)
    heard = {
        window.start_s: window
        for window in replay(captures, calibration, tell=warn).occupancy
        if window.people is not None and window.covered >= _COVERED_MIN
    }
    windows = []
    for count in counts:
        window = heard.get(int(count.time_s // WINDOW_S) * WINDOW_S)
        if window is not None:
            windows.append(CountedMoment(window.start_s, count.people, window.phones))
    if not windows:
        raise CalibrationRefused(
            "none of the counts lies within the captures: is the zone of their times right?"
        )
    elsewhere = before.resolve() == DEFAULT_CALIBRATION.resolve()
    try:
        moved = recalibrated(calibration, windows, scale_sd=ELSEWHERE_SD if elsewhere else 0.0)
    except ValueError as error:
        raise CalibrationRefused(str(error)) from error
    return replace(moved, name=name), len(windows)

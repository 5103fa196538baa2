"""Compare people present, as the node tells them, with head counts of days it has not learnt from.

Scored are windows of ten minutes whose head count is known for nine of them, and in which anything
was heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from probes.calibration import Calibration
from probes.counted_moments import CountedMoment
from probes.learning import recalibrated
from storepulse.errors import BadInput
from storepulse.eval.data_folders import WrongData
from storepulse.eval.figures import Figure, Report
from storepulse.eval.probe_captures import presence, read_days
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval


@dataclass(frozen=True, slots=True)
class ScoredWindow:
    """One window: people counted, and people told with the interval."""

    day: str
    people: float
    told: float
    low: float
    high: float
    phones: float = 0.0
    """Told apart in five minutes, before the calibration makes people of them."""
    start_s: int = 0


COUNT_DRAWS: Final = 200
"""How often the windows are drawn anew in which somebody counts by hand."""


def measure_occupancy(
    folder: Path, calibration: Calibration, *, first: str | None, seed: int, steps: Steps,
    counts_a_month: int = 0,
) -> Report:  # fmt: skip
    """Measure on the counted days from `first` on.

    Args:
        counts_a_month: so many windows with people, drawn anew each time, recalibrate their month,
            and the month's others are scored, too; 0: none.
        first: a date; None: the day after the latest that the calibration has learnt from.
    Raises:
        BadInput: `first` is no date.
        WrongData, CaptureRefused: the folder does not hold what is needed, or no such day.
    """
    begin = _day(first) if first else _day(calibration.learnt_on) + timedelta(days=1)
    days = [day for day in read_days(folder) if _day(day.day) >= begin and day.people]
    if not days:
        raise WrongData(f"--from {begin}: no day was counted from then on")
    scored = []
    missed = 0
    for day in steps(days, "people present by day"):
        heard = presence(day.capture, calibration)
        for start_s, people in sorted(day.people.items()):
            window = heard.get(start_s)
            if window is None or window.people is None:
                missed += 1
                continue
            assert window.low is not None
            assert window.high is not None
            scored.append(
                ScoredWindow(
                    day.day, people, window.people, window.low, window.high, window.phones,
                    window.start_s,
                )
            )  # fmt: skip
    seen = [day.day for day in days if day.day <= calibration.learnt_on]
    report = report_of(scored, calibration, learnt_from=seen, missed=missed, seed=seed)
    if not counts_a_month:
        return report
    counted = with_counts(scored, calibration, counts_a_month=counts_a_month, seed=seed)
    return replace(report, figures=(*report.figures, *counted))


def with_counts(
    windows: Sequence[ScoredWindow], calibration: Calibration, *, counts_a_month: int, seed: int
) -> list[Figure]:
    """Score the windows of months in which a few others were counted by hand.

    Months with fewer windows with people than that are scored as they are. Each draw gives one
    figure; told are their mean, and where nine in ten of them lie. Beside them what the best scale
    there is would give, for each month, day and hour: no count can repair more of it.
    """
    rng = np.random.default_rng([seed, 0xC047])
    months: dict[str, list[ScoredWindow]] = {}
    for window in windows:
        months.setdefault(window.day[:7], []).append(window)
    told: dict[str, list[float]] = {"wape": [], "bias": []}
    for _ in range(COUNT_DRAWS):
        off = over = people = 0.0
        for some in months.values():
            drawn, moved = _counted(some, calibration, counts_a_month, rng)
            for number, window in enumerate(some):
                if number not in drawn:
                    error = moved.people(window.start_s, window.phones) - window.people
                    off, over, people = off + abs(error), over + error, people + window.people
        if people:
            told["wape"].append(off / people)
            told["bias"].append(over / people)
    counted = [
        Figure(
            name=name, of=f"{counts_a_month} counts a month", value=float(np.mean(values)),
            n=len(windows), low=float(np.quantile(values, 0.05)),
            high=float(np.quantile(values, 0.95)),
        )
        for name, values in told.items()
        if values
    ]  # fmt: skip
    return [*counted, *best_scales(windows)]


def best_scales(windows: Sequence[ScoredWindow]) -> list[Figure]:
    """WAPE if each month, day or hour were told with the scale that suits it best, known after."""
    there = sum(window.people for window in windows)
    found = []
    for of, part in (
        ("the best scale of each month", lambda one: one.day[:7]),
        ("the best scale of each day", lambda one: one.day),
        ("the best scale of each hour", lambda one: (one.day, one.start_s // 3600)),
    ):
        parts: dict[object, list[ScoredWindow]] = {}
        for window in windows:
            parts.setdefault(part(window), []).append(window)
        off = sum(
            min(
                sum(abs(factor * one.told - one.people) for one in some) for factor in _SCALES_TRIED
            )
            for some in parts.values()
        )
        value = float(off / there) if there else None
        found.append(Figure(name="wape", of=of, value=value, n=len(windows)))
    return found


_SCALES_TRIED: Final = np.exp(np.linspace(-1.5, 1.5, 121))


def _counted(
    windows: Sequence[ScoredWindow], calibration: Calibration, number: int,
    rng: np.random.Generator,
) -> tuple[set[int], Calibration]:  # fmt: skip
    """Which windows of a month were counted, and the calibration that they moved."""
    busy = [place for place, window in enumerate(windows) if window.people > 0]
    if not number or len(busy) < number:
        return set(), calibration
    drawn: set[int] = set(rng.choice(busy, number, replace=False).tolist())
    counts = [
        CountedMoment(windows[place].start_s, windows[place].people, windows[place].phones)
        for place in drawn
    ]
    try:
        return drawn, recalibrated(calibration, counts, scale_sd=0.0)
    except ValueError:
        return set(), calibration  # refused, as the command refuses them: the month stays as it is


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no date: write it as 2023-03-21") from error


def report_of(
    windows: Sequence[ScoredWindow],
    calibration: Calibration,
    *,
    learnt_from: Sequence[str],
    missed: int,
    seed: int,
) -> Report:
    """The figures over all windows; intervals by day.

    Args:
        learnt_from: those of the days that the calibration has learnt from.
        missed: counted windows for which nothing was told.
    """
    days = sorted({window.day for window in windows})
    of = {day: [window for window in windows if window.day == day] for day in days}

    def by_day(values: np.ndarray) -> list[float]:
        names = np.array([window.day for window in windows])
        return [float(values[names == day].sum()) for day in days]

    people = np.array([window.people for window in windows])
    some = (people > 0).astype(float)
    told = np.array([window.told for window in windows])
    inside = np.array([window.low <= window.people <= window.high for window in windows])
    width = np.array([window.high - window.low for window in windows])
    figures = []
    each = np.ones(len(windows))
    for name, of_what, over, under, unit in (
        ("wape", "all", abs(told - people), people, ""),
        ("bias", "all", told - people, people, ""),
        ("coverage", "all", inside.astype(float), each, ""),
        # An empty room is easily told: days without people would hide the others.
        ("coverage", "windows with people", inside * some, some, ""),
        ("interval_width", "all", width, each, "people"),
    ):
        low, high = ratio_interval(by_day(over), by_day(under), seed=seed)
        value = float(over.sum() / under.sum()) if under.sum() else None
        count = int(some.sum()) if under is some else len(windows)
        figures.append(
            Figure(name=name, of=of_what, value=value, low=low, high=high, n=count, unit=unit)
        )
    for day in days:
        off = sum(abs(window.told - window.people) for window in of[day])
        there = sum(window.people for window in of[day])
        figures.append(
            Figure(name="wape", of=day, value=off / there if there else None, n=len(of[day]))
        )
    notes = ["intervals by day; coverage is of the 90 % intervals that the node tells"]
    if learnt_from:
        notes.append(
            f"WARNING: {len(learnt_from)} of these days taught the calibration (up to "
            f"{calibration.learnt_on}): these figures flatter"
        )
    if missed:
        notes.append(f"{missed} counted windows had no estimate and are not scored")
    return Report(
        measure="occupancy",
        settings={
            "days": len(days), "first": days[0] if days else None,
            "last": days[-1] if days else None, "calibration": calibration.name, "seed": seed,
        },
        figures=tuple(figures),
        notes=tuple(notes),
    )  # fmt: skip

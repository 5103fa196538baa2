"""Learn a calibration: paces from watched phones, people for each phone from head counts. Pure.

`storepulse eval calibration` reads the reference captures for it, and so makes
`default_calibration.json` again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from probes.burst_pace import Paces, learn_paces
from probes.bursts import BURST_SILENCE_S
from probes.calibration import Calibration
from probes.people_curve import ONE_EACH, PeopleCurve, learn_curve

SIGNAL_DBM_SURE: Final = -65
SIGNAL_DBM_MIN: Final = -68
"""Both chosen by hand on the days that are learnt from (docs/occupancy.md); not learnt here."""
ERROR_PEOPLE: Final = 1.5
"""Chosen by hand: what an estimate may be off where few are there (no phone, a laptop)."""
DWELL_ERROR_SHARE: Final = 0.12
"""Chosen by hand, no less than the spread of the bias between sets of phones that `storepulse eval
dwell` tells."""
PAUSES_A_WATCH_MAX: Final = 40
"""More pauses of one watch are of one pace again, and would outvote the other watches."""
_PAUSE_S_UNSEEN: Final = 600.0
"""A watch of about 20 minutes in which a phone burst once: its pause is at least half of it."""
_INTERVAL: Final = 0.9
_PEOPLE_FEW: Final = 0.5
_DIGITS: Final = 3


def burst_pauses_s(frame_s: Sequence[float]) -> list[float]:
    """Pauses between the bursts of one phone, start to start.

    Args:
        frame_s: rising times of its frames, at least one.
    Returns:
        At least one pause: of a phone that burst once, the shortest that can be.
    """
    times = np.asarray(frame_s, dtype=np.float64)
    begins = np.concatenate(([True], np.diff(times) > BURST_SILENCE_S))
    pauses: list[float] = np.diff(times[begins]).tolist()
    return pauses or [_PAUSE_S_UNSEEN]


def learn_paces_of(watches: Mapping[str, Sequence[Sequence[float]]]) -> Paces:
    """How common each pace is among phones, every phone counting alike.

    Args:
        watches: for each phone its watches, each the rising times of its frames; watches without
            a frame say nothing about pauses and are left out.
    Raises:
        ValueError: there is no frame at all.
    """
    sessions: list[tuple[list[float], float]] = []
    for some in watches.values():
        heard = [burst_pauses_s(times)[:PAUSES_A_WATCH_MAX] for times in some if len(times)]
        sessions += [(pauses, 1 / len(heard)) for pauses in heard]
    if not sessions:
        raise ValueError("no watched phone sent anything: nothing to learn paces from")
    return learn_paces(sessions)


@dataclass(frozen=True, slots=True)
class CountedWindow:
    """Ten minutes in which people were counted and phones were heard."""

    day: str
    people: float
    """Mean head count."""
    phones: float
    """Phones told apart, as `occupancy` tells them (`Occupancy.phones`)."""


@dataclass(frozen=True, slots=True)
class PeopleOfPhones:
    """What counted windows teach; see the fields of the same names of `Calibration`."""

    curve: PeopleCurve
    error_share: float


def learn_people(windows: Sequence[CountedWindow]) -> PeopleOfPhones:
    """The curve from all days; its error from days that it was not learnt from.

    Each half of the days is told by the curve of the other. A day is not like the next, so the
    error is one that holds nine in ten windows with people on nine in ten of such days: an
    interval that held nine in ten windows over all would fail on whole days.

    Raises:
        ValueError: fewer than two days, or a half in which no phone or no person was counted.
    """
    days = sorted({window.day for window in windows})
    halves = [days[: len(days) // 2], days[len(days) // 2 :]]
    needed: list[float] = []
    for learnt_on, told_on in (halves, halves[::-1]):
        curve = _curve([window for window in windows if window.day in learnt_on])
        for day in told_on:
            beyond = [
                (abs(curve.people(window.phones) - window.people) - ERROR_PEOPLE)
                / max(curve.people(window.phones), _PEOPLE_FEW)
                for window in windows
                if window.day == day and window.people > 0
            ]
            if beyond:
                needed.append(float(np.quantile(beyond, _INTERVAL)))
    return PeopleOfPhones(
        curve=_curve(windows),
        error_share=round(max(0.0, float(np.quantile(needed, _INTERVAL))), _DIGITS),
    )


def _curve(windows: Sequence[CountedWindow]) -> PeopleCurve:
    return learn_curve([window.phones for window in windows], [window.people for window in windows])


HERE_PEOPLE: Final = 40.0
"""What a calibration that was learnt in the same room weighs against new counts, in people counted:
of 5, 10, 20, 40 and 80 the largest that a few counts of a month did not make much worse on the days
that are learnt from (docs/occupancy.md)."""
ELSEWHERE_PEOPLE: Final = 5.0
"""The same of one that was learnt elsewhere: a third of a busy room's count."""
FACTOR_MAX: Final = 5.0
"""People for a phone change from place to place, but not more than so."""


def recalibrated(
    calibration: Calibration, counts: Sequence[CountedWindow], *, weight_people: float
) -> Calibration:
    """Move the curve of a calibration by the people that were counted in some windows.

    The factor is people counted over people told, either with `weight_people` added: few counts
    move it little.

    Args:
        counts: windows with the phones heard (`Occupancy.phones`) and the people counted.
    Raises:
        ValueError: there is none, or nobody was counted or told in any.
    """
    counted = sum(window.people for window in counts)
    told = sum(calibration.curve.people(window.phones) for window in counts)
    if not counts or counted + told <= 0:
        raise ValueError("nobody was counted and nobody heard: nothing to calibrate by")
    factor = (counted + weight_people) / (told + weight_people)
    if not 1 / FACTOR_MAX <= factor <= FACTOR_MAX:
        raise ValueError(
            f"{counted:.0f} people were counted where {told:.0f} were told: that is no matter of "
            "calibration. Are the clocks of counts and capture the same?"
        )
    day = max(window.day for window in counts)
    return replace(
        calibration,
        learnt_from=f"{calibration.learnt_from}; {len(counts)} counts until {day}",
        learnt_on=day,
        curve=replace(calibration.curve, scale=calibration.curve.scale * factor),
    )


def bare_calibration(paces: Paces) -> Calibration:
    """One person a phone and no error: to count phones with, before anything is learnt of them."""
    return Calibration(
        name="phones", learnt_from="nothing", learnt_on="1970-01-01",
        signal_dbm_sure=SIGNAL_DBM_SURE, signal_dbm_min=SIGNAL_DBM_MIN, curve=ONE_EACH,
        error_share=0.0, error_people=0.0, dwell_error_share=0.0, paces=paces,
    )  # fmt: skip


def learnt_calibration(
    *, name: str, learnt_from: str, learnt_on: str, paces: Paces, people: PeopleOfPhones
) -> Calibration:
    """Put together what was learnt and what was chosen (the constants of this module)."""
    return Calibration(
        name=name,
        learnt_from=learnt_from,
        learnt_on=learnt_on,
        signal_dbm_sure=SIGNAL_DBM_SURE,
        signal_dbm_min=SIGNAL_DBM_MIN,
        curve=people.curve,
        error_share=people.error_share,
        error_people=ERROR_PEOPLE,
        dwell_error_share=DWELL_ERROR_SHARE,
        paces=paces,
    )

"""Learn a calibration: paces from watched phones, people for each phone from head counts. Pure.

`storepulse eval calibration` reads the reference captures for it, and so makes
`default_calibration.json` again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np

from probes.burst_pace import Paces, learn_paces
from probes.bursts import BURST_SILENCE_S
from probes.calibration import Calibration
from probes.counted_moments import MOMENTS_MAX, CountedMoment
from probes.people_curve import ONE_EACH, PeopleCurve, learn_curve

SIGNAL_DBM_SURE: Final = -65
SIGNAL_DBM_MIN: Final = -68
"""Both chosen by hand on the days that are learnt from (docs/occupancy.md); not learnt here."""
ERROR_PEOPLE: Final = 1.5
"""What a count or an estimate may be off where few are there (no phone, a laptop)."""
ROOM_PEOPLE: Final = 20.0
"""People that are added to what is told before its error is a share of it. Chosen on the days that
are learnt from, of 2, 4, 6, 10 and 20 (docs/occupancy.md)."""
_OLDER_BY_DAYS: Final = 28
_OLDER_DAYS_MIN: Final = 8
DWELL_ERROR_SHARE: Final = 0.12
"""Chosen by hand, no less than the spread of the bias between sets of phones that `storepulse eval
dwell` tells."""
PAUSES_A_WATCH_MAX: Final = 40
"""More pauses of one watch are of one pace again, and would outvote the other watches."""
_PAUSE_S_UNSEEN: Final = 600.0
"""A watch of about 20 minutes in which a phone burst once: its pause is at least half of it."""
_INTERVAL: Final = 0.9
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
    error_people: float


def learn_people(windows: Sequence[CountedWindow]) -> PeopleOfPhones:
    """The curve from all days; its error from days that it was not learnt from.

    For its error each day is told by the days that are four weeks older or more, as a calibration
    stands for months; where fewer than eight days can be told so, each half by the other. The half
    width is `error_share` of what is told and of `ROOM_PEOPLE` more, and the share is the smallest
    that holds nine in ten windows with people, on average over days as alike as these: days, not
    windows, are what is drawn, so with n of them it must hold (n + 1) / n times as many here, and
    with fewer than nine all (conformal prediction by groups).

    Raises:
        ValueError: fewer than two days, or a half in which no phone or no person was counted.
    """
    days = sorted({window.day for window in windows})
    half = len(days) // 2
    halves = [(days[:half], days[half:]), (days[half:], days[:half])]
    by_older = [(_older(days, day), [day]) for day in days]
    by_older = [(older, told) for older, told in by_older if len(older) >= _OLDER_DAYS_MIN]
    off: list[Sequence[float]] = []
    for learnt_on, told_on in by_older if len(by_older) >= _OLDER_DAYS_MIN else halves:
        curve = _curve([window for window in windows if window.day in learnt_on])
        for day in told_on:
            some = [window for window in windows if window.day == day and window.people > 0]
            told = [curve.people(window.phones) for window in some]
            if some:
                off.append([
                    abs(people - window.people) / (people + ROOM_PEOPLE)
                    for people, window in zip(told, some, strict=True)
                ])  # fmt: skip
    share = _share_that_holds(off)
    return PeopleOfPhones(
        curve=_curve(windows), error_share=round(share, _DIGITS),
        error_people=round(share * ROOM_PEOPLE, _DIGITS),
    )  # fmt: skip


def _older(days: Sequence[str], day: str) -> list[str]:
    before = (date.fromisoformat(day) - timedelta(days=_OLDER_BY_DAYS)).isoformat()
    return [one for one in days if one <= before]


def _share_that_holds(off: Sequence[Sequence[float]]) -> float:
    """The smallest share within which nine in ten windows are, days drawn anew; 0 for no day."""
    days = len(off)
    if not days:
        return 0.0
    wanted = min(_INTERVAL * (days + 1) / days, 1.0)
    for share in sorted(value for day in off for value in day):
        held = sum(sum(value <= share for value in day) / len(day) for day in off)
        if held >= wanted * days - 1e-9:
            return share
    raise AssertionError("the largest holds all")


def _curve(windows: Sequence[CountedWindow]) -> PeopleCurve:
    return learn_curve([window.phones for window in windows], [window.people for window in windows])


ELSEWHERE_SD: Final = 0.5
"""How far, in logs, a curve may be off in another room: a half to twice as many people, by hand."""
FACTOR_MAX: Final = 5.0
"""People for a phone change from place to place, but not more than so."""


def recalibrated(
    calibration: Calibration, counts: Sequence[CountedMoment], *, scale_sd: float
) -> Calibration:
    """A calibration that also knows these counts; one that it knew already counts once.

    Args:
        scale_sd: how far its curve may be off altogether, in logs; what it says itself if that is
            more.
    Raises:
        ValueError: there is none, or nobody was counted or told in any.
    """
    counted = sum(one.people for one in counts)
    told = sum(calibration.curve.people(one.phones) for one in counts)
    if not counts or counted + told <= 0:
        raise ValueError("nobody was counted and nobody heard: nothing to calibrate by")
    factor = (counted + ERROR_PEOPLE) / (told + ERROR_PEOPLE)
    if not 1 / FACTOR_MAX <= factor <= FACTOR_MAX:
        raise ValueError(
            f"{counted:.0f} people were counted where {told:.0f} were told: that is no matter of "
            "calibration. Are the clocks of counts and capture the same?"
        )
    known = sorted({*calibration.counted, *counts}, key=lambda one: (one.start_s, one.people))
    day = datetime.fromtimestamp(known[-1].start_s, UTC).date().isoformat()
    taught = calibration.learnt_from.partition(_AND_COUNTS)[0]
    return replace(
        calibration,
        learnt_from=f"{taught}{_AND_COUNTS}{len(known)} until {day}",
        learnt_on=day,
        counted=tuple(known[-MOMENTS_MAX:]),
        scale_sd=max(scale_sd, calibration.scale_sd),
    )


_AND_COUNTS: Final = "; counts by hand: "


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
        error_people=people.error_people,
        dwell_error_share=DWELL_ERROR_SHARE,
        paces=paces,
    )

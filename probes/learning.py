"""Learn a calibration: paces from watched phones, people for each phone from head counts. Pure.

`storepulse eval calibration` reads the reference captures for it, and so makes
`default_calibration.json` again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from probes.burst_pace import Paces, learn_paces
from probes.bursts import BURST_SILENCE_S
from probes.calibration import Calibration

SIGNAL_DBM_MIN: Final = -65
"""Chosen by hand on the days that are learnt from; not learnt here."""
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
    """Phones present on average, as `occupancy` tells them at one person a phone."""


@dataclass(frozen=True, slots=True)
class PeopleOfPhones:
    """What counted windows teach; see the fields of the same names of `Calibration`."""

    people_per_phone: float
    error_share: float


def learn_people(windows: Sequence[CountedWindow]) -> PeopleOfPhones:
    """The factor from all days; its error forward in time, as it will be used.

    For the error the factor of the earlier half of the days is tried on the later half: nine in
    ten windows must lie within the interval. (Errors inside the days it was learnt from would be
    smaller than those to come: people's phones change from one half-year to the next.)

    Raises:
        ValueError: fewer than two days, or a half in which no phone or no person was counted.
    """
    days = sorted({window.day for window in windows})
    earlier = set(days[: len(days) // 2])
    first = [window for window in windows if window.day in earlier]
    later = [window for window in windows if window.day not in earlier]
    factor = _people_per_phone(first)
    people = np.array([window.people for window in later])
    estimate = factor * np.array([window.phones for window in later])
    beyond = (abs(estimate - people) - ERROR_PEOPLE) / np.maximum(estimate, _PEOPLE_FEW)
    return PeopleOfPhones(
        people_per_phone=round(_people_per_phone(windows), _DIGITS),
        error_share=round(max(0.0, float(np.quantile(beyond, _INTERVAL))), _DIGITS),
    )


def _people_per_phone(windows: Sequence[CountedWindow]) -> float:
    people = sum(window.people for window in windows)
    phones = sum(window.phones for window in windows)
    if not people or not phones:
        raise ValueError("people and phones must be counted on two days at least")
    return people / phones


def bare_calibration(paces: Paces) -> Calibration:
    """One person a phone and no error: to count phones with, before anything is learnt of them."""
    return Calibration(
        name="phones", learnt_from="nothing", learnt_on="", signal_dbm_min=SIGNAL_DBM_MIN,
        people_per_phone=1.0, error_share=0.0, error_people=0.0, dwell_error_share=0.0,
        paces=paces,
    )  # fmt: skip


def learnt_calibration(
    *, name: str, learnt_from: str, learnt_on: str, paces: Paces, people: PeopleOfPhones
) -> Calibration:
    """Put together what was learnt and what was chosen (the constants of this module)."""
    return Calibration(
        name=name,
        learnt_from=learnt_from,
        learnt_on=learnt_on,
        signal_dbm_min=SIGNAL_DBM_MIN,
        people_per_phone=people.people_per_phone,
        error_share=people.error_share,
        error_people=ERROR_PEOPLE,
        dwell_error_share=DWELL_ERROR_SHARE,
        paces=paces,
    )

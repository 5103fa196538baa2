"""Estimate the mean dwell of visits whose length is known: cut from phones that were watched alone.

A visitor is a phone that no pace was learnt from, and a stretch of one of its sessions; its frames
are moved to when it comes in, under addresses and a count of frames of its own. So who is there is
made up, and what phones send while they are there is real.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import hypot, inf
from typing import Final

import numpy as np

from probes.calibration import Calibration, read_calibration
from probes.dwell_pieces import PIECES_ERROR_SHARE
from probes.frames import Frame, FrameCounts
from probes.learning import learn_paces_of
from probes.modes import Listening, Mode
from probes.replay import Ears
from storepulse.eval.calibration import times_by_phone
from storepulse.eval.data_folders import WrongData
from storepulse.eval.figures import Figure, Report
from storepulse.eval.probe_captures import Watch
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import interval_by_member
from storepulse.units import Z90

FOLDS: Final = 4
"""A quarter of the phones is left out of the paces, and is who comes in."""
VISITS: Final = 100
MEANS_MIN: Final = (1.5, 2.5, 4.0, 6.0)
_LENGTH_S_MAX: Final = 1100.0
"""Sessions last 1200 s."""
_SEQUENCES: Final = 4096
_ERRORS_TRIED: Final = np.arange(0.0, 0.61, 0.01)
_HELD_SHARE: Final = 0.9
_SHARES: Final = {"coverage": 1.0, "mape": inf, "width": inf, "error_share": inf}
"""Figures that do not fall below 0, and how far they can rise."""

Floats = np.ndarray
Draw = Callable[[np.random.Generator, float], Floats]


def _exponential(rng: np.random.Generator, mean_s: float) -> Floats:
    return rng.exponential(mean_s, VISITS)


def _gamma(rng: np.random.Generator, mean_s: float) -> Floats:
    return rng.gamma(2, mean_s / 2, VISITS)


def _lognormal(rng: np.random.Generator, mean_s: float) -> Floats:
    spread = 0.8
    return rng.lognormal(np.log(mean_s) - spread**2 / 2, spread, VISITS)


LENGTHS: Final[Mapping[str, Draw]] = {
    "exponential": _exponential, "gamma 2": _gamma, "log-normal": _lognormal,
}  # fmt: skip
"""How lengths may be spread: many that turn round at once, most alike, a long tail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellTrial:
    """One made-up stretch of a shop's day, in minutes."""

    phones: int
    """Which set of left-out phones."""
    mean_min: float
    lengths: str
    true: float
    """Mean length of all visits, those included that no burst fell into."""
    estimate: float | None
    low: float | None
    high: float | None
    heard_share: float
    """Of the visits, those of which a frame was heard."""
    held: tuple[str, ...]
    """The phones that came in."""
    error_share: float
    """What the interval allowed for beyond what was heard (`Calibration.dwell_error_share` and, in
    strict mode, what pieces add)."""


def measure_dwell(
    watches: Sequence[Watch],
    *,
    repeats: int,
    hours: float,
    seed: int,
    steps: Steps,
    means_min: Sequence[float] = MEANS_MIN,
    mode: Mode = Mode.STANDARD,
) -> Report:
    """Try every left-out set of phones at every mean and spread of lengths.

    Args:
        repeats: how often the phones are parted anew.
        hours: over which the visitors of a trial come in.
        means_min: mean lengths that are tried, minutes.
        mode: strict is listened to as strict is, in pieces of five minutes.
    Raises:
        WrongData: too few phones were watched.
    """
    phones = sorted({watch.phone for watch in watches})
    if len(phones) < 2 * FOLDS:
        raise WrongData(f"{len(phones)} phones were watched, at least {2 * FOLDS} are needed")
    rng = np.random.default_rng([seed, 0xD3E1])
    sets: list[list[str]] = []
    for _ in range(repeats):
        order = rng.permutation(phones).tolist()
        sets += [order[first::FOLDS] for first in range(FOLDS)]
    trials = []
    for number, out in enumerate(steps(sets, "sets of phones left out")):
        times = times_by_phone(list(watches), without=frozenset(out))
        calibration = replace(read_calibration(), paces=learn_paces_of(times))
        held = [watch for watch in watches if watch.phone in out]
        for mean_min in means_min:
            for lengths in LENGTHS:
                trials.append(
                    try_once(held, calibration, rng, phones=number, mean_min=mean_min,
                             lengths=lengths, hours=hours, mode=mode)
                )  # fmt: skip
    settings: dict[str, int | float | str] = {
        "repeats": repeats, "hours": hours, "visits_a_trial": VISITS, "seed": seed,
        "mode": str(mode),
    }  # fmt: skip
    return report_of(trials, settings=settings)


def try_once(
    held: Sequence[Watch],
    calibration: Calibration,
    rng: np.random.Generator,
    *,
    phones: int,
    mean_min: float,
    lengths: str,
    hours: float,
    mode: Mode = Mode.STANDARD,
) -> DwellTrial:
    """Let visitors come in, listen, and compare."""
    frames, true_s, heard = visitors(
        held, LENGTHS[lengths](rng, 60 * mean_min), rng, over_s=3600 * hours
    )
    ears = Ears(calibration, Listening(mode))
    for frame in frames:
        ears.hear(frame)
    dwell = ears.finish(FrameCounts(), ()).dwell
    return DwellTrial(
        phones=phones, mean_min=mean_min, lengths=lengths, true=float(true_s.mean()) / 60,
        estimate=dwell.mean, low=dwell.low, high=dwell.high, heard_share=heard / len(true_s),
        held=tuple(sorted({watch.phone for watch in held})),
        error_share=error_share_of(calibration, mode),
    )  # fmt: skip


def error_share_of(calibration: Calibration, mode: Mode) -> float:
    """What an interval allows for beyond what was heard."""
    of_pieces = PIECES_ERROR_SHARE if mode is Mode.STRICT else 0.0
    return hypot(calibration.dwell_error_share, of_pieces)


def visitors(
    watches: Sequence[Watch], lengths_s: Floats, rng: np.random.Generator, *, over_s: float
) -> tuple[list[Frame], Floats, int]:
    """Cut a visit of each length out of the watches of phones drawn by chance, each phone alike.

    Returns:
        Their frames in order of time; the lengths as cut; how many of them hold a frame.
    """
    of_phone: dict[str, list[tuple[Watch, list[float]]]] = {}
    for watch in watches:
        of_phone.setdefault(watch.phone, []).append((watch, watch.times_s))
    phones = sorted(of_phone)
    cut_s = np.minimum(lengths_s, _LENGTH_S_MAX)
    frames: list[Frame] = []
    heard = 0
    for number in range(len(cut_s)):
        some = of_phone[phones[int(rng.integers(len(phones)))]]
        watch, times_s = some[int(rng.integers(len(some)))]
        cut_s[number] = min(cut_s[number], watch.end_s - watch.begin_s)
        begin_s = watch.begin_s + rng.random() * (watch.end_s - watch.begin_s - cut_s[number])
        arrival_s = rng.random() * over_s
        count = int(rng.integers(_SEQUENCES))
        first, last = np.searchsorted(times_s, [begin_s, begin_s + cut_s[number]])
        heard += last > first
        for frame in watch.frames[first:last]:
            frames.append(
                frame._replace(
                    time_s=frame.time_s - begin_s + arrival_s,
                    # Another visitor of the same phone is somebody else.
                    sender=frame.sender + (number << 64),
                    sequence=(frame.sequence + count) % _SEQUENCES,
                )
            )
    frames.sort()
    return frames, cut_s, heard


def report_of(trials: Sequence[DwellTrial], *, settings: Mapping[str, int | float | str]) -> Report:
    """The figures over all trials; intervals by phone, each left out in turn."""
    known = [trial for trial in trials if trial.estimate is not None]
    figures = _figures(known, "all")
    for mean_min in sorted({trial.mean_min for trial in known}):
        some = [trial for trial in known if trial.mean_min == mean_min]
        figures += _figures(some, f"mean {mean_min:g} min")
    for lengths in sorted({trial.lengths for trial in known}):
        figures += _figures(
            [trial for trial in known if trial.lengths == lengths], f"lengths {lengths}"
        )
    if known:
        folds = [
            [trial for trial in known if trial.phones == phones]
            for phones in sorted({trial.phones for trial in known})
        ]
        biases = [float(np.mean([_off(trial) for trial in fold])) for fold in folds]
        figures += [
            Figure(name="bias", of=", ".join(fold[0].held), value=bias, n=len(fold))
            for fold, bias in zip(folds, biases, strict=True)
        ]
        figures += [
            Figure(name="bias_sd_between_phones", value=float(np.std(biases)), n=len(biases)),
            Figure(
                name="visits_heard_share",
                value=float(np.mean([trial.heard_share for trial in known])),
            ),
            *_tuned(known),
        ]
    unknown = len(trials) - len(known)
    return Report(
        measure="dwell",
        settings=settings,
        figures=tuple(figures),
        notes=(
            "true is the mean length of all visits, heard or not; errors are shares of it; "
            "intervals by phone: trials share phones, and are not independent however many",
            "no pace was learnt from a phone that came in; dwell_error_share was chosen on these "
            "same phones, but for the figures 'tuned on other phones'",
            *((f"{unknown} trials gave no estimate",) if unknown else ()),
        ),
    )


def _off(trial: DwellTrial) -> float:
    assert trial.estimate is not None, "only known estimates are scored"
    return trial.estimate / trial.true - 1


def _figures(trials: Sequence[DwellTrial], of: str) -> list[Figure]:
    """Mean error, bias, coverage and width of the interval, over trials that gave an estimate."""
    told: dict[str, Callable[[DwellTrial], float]] = {
        "mape": lambda trial: abs(_off(trial)),
        "bias": _off,
        "coverage": lambda trial: float((trial.low or 0) <= trial.true <= (trial.high or 0)),
        "width": lambda trial: ((trial.high or 0) - (trial.low or 0)) / trial.true,
    }
    return [
        _figure(name, of, [value_of(trial) for trial in trials], [trial.held for trial in trials])
        for name, value_of in told.items()
    ]


def _figure(name: str, of: str, values: Sequence[float], held: Sequence[tuple[str, ...]]) -> Figure:
    low, high = interval_by_member(values, held)
    if name in _SHARES and low is not None and high is not None:
        low, high = max(low, 0.0), min(high, _SHARES[name])
    mean = float(np.mean(values)) if values else None
    return Figure(name=name, of=of, value=mean, low=low, high=high, n=len(values))


def _tuned(trials: Sequence[DwellTrial]) -> list[Figure]:
    """The same intervals, each allowing for the smallest error that would have held nine in ten
    trials of other phones only.
    """
    logs = np.log([[one.low or 1.0, one.estimate or 1.0, one.high or 1.0] for one in trials])
    allowed = (Z90 * np.array([one.error_share for one in trials])) ** 2
    below = np.maximum((logs[:, 1] - logs[:, 0]) ** 2 - allowed, 0.0)
    above = np.maximum((logs[:, 2] - logs[:, 1]) ** 2 - allowed, 0.0)
    off = np.log([one.true for one in trials]) - logs[:, 1]
    # (e, n): whether the interval that allows for so much holds the true mean.
    reach = (Z90 * _ERRORS_TRIED[:, None]) ** 2
    holds = (off >= -np.sqrt(below + reach)) & (off <= np.sqrt(above + reach))
    kept, widths, chosen, held = [], [], [], []
    for number, trial in enumerate(trials):
        others = np.array([not set(one.held) & set(trial.held) for one in trials])
        if not others.any():
            continue
        enough = holds[:, others].mean(axis=1) >= _HELD_SHARE
        place = int(np.argmax(enough)) if enough.any() else len(_ERRORS_TRIED) - 1
        kept.append(float(holds[place, number]))
        chosen.append(float(_ERRORS_TRIED[place]))
        low, high = (
            np.exp(logs[number, 1] + sign * np.sqrt(side[number] + reach[place, 0]))
            for sign, side in ((-1, below), (1, above))
        )
        widths.append(float(high - low) / trial.true)
        held.append(trial.held)
    of = "tuned on other phones"
    return [
        _figure(name, of, values, held)
        for name, values in (("coverage", kept), ("width", widths), ("error_share", chosen))
        if values
    ]

"""What a trial has shown so far, day by day, and what each playbook was worth. Pure.

Each pair gives one difference: the figure of the shop that acts less that of the one that waits,
since the start, each less what its own past makes expect. The past counts as much as it foretells
(its first half foretells its second by a slope, learnt before the start: so nothing of the trial
chooses it). The mean over pairs has an interval that holds at every look
(`hub.experiments.sequences`). Effects are shares of the usual figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from hub.experiments.pairs import PAIRS_MIN, Pair
from hub.experiments.sequences import radius, widened
from storepulse.units import Z90

Floats = NDArray[np.float64]
Standing = Literal["won", "lost", "open", "unknown"]

BEFORE_DAYS: Final = 56
KNOWN_DAYS_MIN: Final = 14
"""A shop's past is not known from fewer."""
WORTH_SPREAD: Final = 0.05
"""How far playbooks' worths lie from 0 before a trial was made: standard deviation, assumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look showed: the effect of acting, as a share of the usual figure."""

    day: date
    effect: float
    low: float
    """5th percentile, however often one looked before."""
    high: float
    pairs: int
    """Of which both shops were known."""

    @property
    def standing(self) -> Standing:
        """Whether the trial is decided at this look."""
        return "won" if self.low > 0 else "lost" if self.high < 0 else "open"


def looks(
    figures: Mapping[str, Floats], pairs: Sequence[Pair], days: Sequence[date], *, start: int
) -> tuple[Look, ...]:
    """Every day's look from the first day on that enough pairs are known.

    Args:
        figures: (days,) by shop, the dimension's figure; NaN: not known.
        days: of the figures, without holes.
        start: the number of the trial's first day; those before are the past.
    """
    rows = [pair for pair in pairs if pair.acts in figures and pair.waits in figures]
    if not rows or start >= len(days):
        return ()
    told = np.array([[figures[pair.acts], figures[pair.waits]] for pair in rows], np.float64)
    past = told[:, :, max(0, start - BEFORE_DAYS) : start]
    there = (np.isfinite(past).sum(axis=2) >= KNOWN_DAYS_MIN).all(axis=1)
    told, past = told[there], past[there]
    if len(told) < PAIRS_MIN:
        return ()
    usual = _means(past)
    scale = float(usual.mean())
    if not scale > 0:
        return ()
    since = told[:, :, start:] / scale
    known = np.isfinite(since)
    total, count = np.cumsum(np.where(known, since, 0.0), axis=2), np.cumsum(known, axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        so_far = total / count - _foretold(past) * (usual / scale)[:, :, None]
    apart = so_far[:, 0] - so_far[:, 1]
    found = []
    for number, day in enumerate(days[start:]):
        differences = apart[np.isfinite(apart[:, number]), number]
        if len(differences) < PAIRS_MIN or not differences.std() > 0:
            continue
        variance = float(differences.var(ddof=1)) / len(differences)
        effect = float(differences.mean())
        half = widened(radius(variance), variance, len(differences) - 1)
        found.append(
            Look(day=day, effect=effect, low=effect - half, high=effect + half,
                 pairs=len(differences))
        )  # fmt: skip
    return tuple(found)


def standing(seen: Sequence[Look]) -> Standing:
    """The first decision stands: the error of an interval that always holds is spent once."""
    if not seen:
        return "unknown"
    return next((look.standing for look in seen if look.standing != "open"), "open")


def _means(told: Floats) -> Floats:
    known = np.isfinite(told)
    return np.asarray(np.where(known, told, 0.0).sum(axis=-1) / known.sum(axis=-1))


def _foretold(past: Floats) -> float:
    """How much of a shop's past level comes again: the slope of its second half on its first."""
    half = past.shape[2] // 2
    first, second = (
        past[:, :, :half].reshape(-1, half),
        past[:, :, half:].reshape(len(past) * 2, -1),
    )
    some = np.isfinite(first).any(axis=1) & np.isfinite(second).any(axis=1)
    if some.sum() < 2 * PAIRS_MIN:
        return 1.0
    x, y = _means(first[some]), _means(second[some])
    spread = float(((x - x.mean()) ** 2).sum())
    if not spread > 0:
        return 1.0
    return float(np.clip(((x - x.mean()) * (y - y.mean())).sum() / spread, 0.0, 1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The last word of one trial of a playbook (or layout, or policy)."""

    subject: str
    dimension: str
    effect: float
    low: float
    high: float
    kind: str = "playbook"
    against: str = ""
    """The playbook that the waiting shops got; "": none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What something was worth over all its trials, as a share of the usual figure."""

    subject: str
    dimension: str
    effect: float
    low: float
    high: float
    trials: int
    expected: float
    """Drawn towards 0 as far as the trials leave it open: by this the next push is ranked."""
    kind: str = "playbook"
    against: str = ""
    """The playbook that the waiting shops got; "": none. What was tried against different ones is
    told apart."""


def worth_of_playbooks(trials: Iterable[Trial]) -> tuple[Worth, ...]:
    """Each playbook's worth in each dimension, that of which most is to be expected first.

    Trials are weighed by their variance and by how far those of one playbook differ (DerSimonian
    and Laird 1986); their intervals hold at any look, so the one here is rather too wide.
    """
    grouped: dict[tuple[str, str, str, str], list[Trial]] = defaultdict(list)
    for one in trials:
        grouped[one.kind, one.subject, one.dimension, one.against].append(one)
    found = [_worth(some) for some in grouped.values()]
    return tuple(
        sorted(found, key=lambda one: (-one.expected, one.subject, one.dimension, one.against))
    )


def _worth(trials: Sequence[Trial]) -> Worth:
    effects = np.array([trial.effect for trial in trials])
    variances = np.array([((trial.high - trial.low) / 2 / Z90) ** 2 for trial in trials])
    weights = 1 / variances
    middle = float((weights * effects).sum() / weights.sum())
    between = 0.0
    if len(trials) > 1:
        excess = float((weights * (effects - middle) ** 2).sum()) - (len(trials) - 1)
        between = max(0.0, excess / float(weights.sum() - (weights**2).sum() / weights.sum()))
    weights = 1 / (variances + between)
    effect, variance = float((weights * effects).sum() / weights.sum()), 1 / float(weights.sum())
    half = Z90 * variance**0.5
    alike = trials[0]
    return Worth(
        kind=alike.kind, subject=alike.subject, dimension=alike.dimension, against=alike.against,
        effect=effect, low=effect - half, high=effect + half, trials=len(trials),
        expected=effect * WORTH_SPREAD**2 / (WORTH_SPREAD**2 + variance),
    )  # fmt: skip

"""Tell apart the phones of made-up crowds whose frames are real: V-measure and how many there are.

Sessions of phones that were watched alone are laid over one another, each from a random moment on,
under addresses of its own; its count, elements, pauses and signal are what the phone sent. The
signal is steadier than in a shop: the phones lay still.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from random import Random
from typing import Final

import numpy as np

from probes.frames import Frame
from probes.tracing import trace
from storepulse.eval.data_folders import WrongData
from storepulse.eval.figures import Figure, Report
from storepulse.eval.probe_captures import Watch
from storepulse.eval.progress import Steps
from storepulse.eval.resampling import ratio_interval


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is laid over one another: so many, within so long."""

    name: str
    number: int
    within_s: float
    of: str
    """"phones" (each once), "visits" (any sessions) or "alike" (sessions of one phone)."""


CROWDS: Final = (
    Crowd("5 phones", 5, 300.0, "phones"),
    Crowd("10 phones", 10, 300.0, "phones"),
    Crowd("16 phones", 16, 300.0, "phones"),
    Crowd("20 visits", 20, 3600.0, "visits"),
    Crowd("40 visits", 40, 3600.0, "visits"),
    Crowd("4 alike", 4, 600.0, "alike"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """One crowd: how well its frames were told apart, and how many phones were found."""

    v: float
    found: int
    true: int

    @property
    def error(self) -> float:
        return abs(self.found - self.true) / self.true


def v_measure(truth: Sequence[int], found: Sequence[int]) -> float:
    """Rosenberg and Hirschberg 2007: harmonic mean of homogeneity and completeness, 0 to 1.

    Raises:
        ValueError: of different lengths, or empty.
    """
    if len(truth) != len(found) or not truth:
        raise ValueError(f"{len(truth)} true labels and {len(found)} found ones")
    number = len(truth)
    true, told = Counter(truth), Counter(found)
    both = Counter(zip(truth, found, strict=True))

    def entropy(counts: Counter[int]) -> float:
        return -sum(count / number * log(count / number) for count in counts.values())

    within_told = -sum(n / number * log(n / told[b]) for (_, b), n in both.items())
    within_true = -sum(n / number * log(n / true[a]) for (a, _), n in both.items())
    homogeneity = 1 - within_told / entropy(true) if len(true) > 1 else 1.0
    completeness = 1 - within_true / entropy(told) if len(told) > 1 else 1.0
    together = homogeneity + completeness
    return 2 * homogeneity * completeness / together if together else 0.0


def laid_over(
    watches: Sequence[Watch], within_s: float, rng: Random
) -> tuple[list[Frame], list[int]]:
    """Frames of all of them in order of time, and whose each is."""
    mixed = []
    for number, watch in enumerate(watches):
        shift_s = rng.uniform(0, within_s) - watch.begin_s
        names: dict[int, int] = {}
        for frame in watch.frames:
            sender = number << 32 | names.setdefault(frame.sender, len(names))
            mixed.append((frame._replace(time_s=frame.time_s + shift_s, sender=sender), number))
    mixed.sort(key=lambda pair: (pair[0].time_s, pair[0].sequence, pair[0].tie))
    return [frame for frame, _ in mixed], [number for _, number in mixed]


def measure_linking(watches: Sequence[Watch], *, trials: int, seed: int, steps: Steps) -> Report:
    """V-measure and error of the count, over all phones and over two halves that share none.

    Raises:
        WrongData: too few phones, or none with four sessions.
    """
    by_phone: dict[str, list[Watch]] = defaultdict(list)
    for watch in watches:
        by_phone[watch.phone].append(watch)
    names = sorted(by_phone)
    parts = {"all": names, "first half": names[0::2], "second half": names[1::2]}
    figures: list[Figure] = []
    for part, phones in parts.items():
        mine = {phone: by_phone[phone] for phone in phones}
        for crowd in CROWDS:
            if crowd.of == "phones" and crowd.number > len(mine):
                continue
            told = [
                _tell(mine, crowd, Random(seed * 7919 + trial))  # noqa: S311  (no secret)
                for trial in steps(range(trials), f"telling apart {crowd.name}, {part}")
            ]
            figures += _figures(told, f"{crowd.name}, {part}", seed)
    return Report(
        measure="linking",
        settings={"trials": trials, "phones": len(names), "seed": seed},
        figures=tuple(figures),
        notes=(
            "intervals by trial; trials draw from the same sessions, so they are too narrow; "
            "constants were chosen while both halves were looked at",
        ),
    )


def _tell(by_phone: Mapping[str, Sequence[Watch]], crowd: Crowd, rng: Random) -> Told:
    frames, truth = laid_over(_drawn(by_phone, crowd, rng), crowd.within_s, rng)
    found = trace(frames)
    return Told(v_measure(truth, found), len(set(found)), len(set(truth)))


def _drawn(by_phone: Mapping[str, Sequence[Watch]], crowd: Crowd, rng: Random) -> list[Watch]:
    phones = sorted(by_phone)
    if crowd.of == "phones":
        return [rng.choice(by_phone[phone]) for phone in rng.sample(phones, crowd.number)]
    if crowd.of == "visits":
        every = [watch for phone in phones for watch in by_phone[phone]]
        if len(every) < crowd.number:
            raise WrongData(f"{len(every)} sessions are too few for a crowd of {crowd.number}")
        return rng.sample(every, crowd.number)
    several = [phone for phone in phones if len(by_phone[phone]) >= crowd.number]
    if not several:
        raise WrongData(f"no phone has {crowd.number} sessions")
    return rng.sample(by_phone[rng.choice(several)], crowd.number)


def _figures(told: Sequence[Told], of: str, seed: int) -> list[Figure]:
    ones = np.ones(len(told))
    found = []
    for name, values in (
        ("v measure", [one.v for one in told]),
        ("count error", [one.error for one in told]),
        ("count bias", [(one.found - one.true) / one.true for one in told]),
    ):
        low, high = ratio_interval(values, ones, seed=seed)
        found.append(
            Figure(name=name, of=of, value=float(np.mean(values)), low=low, high=high, n=len(told))
        )
    return found

"""How far a figure would move with other data of the same kind: the bootstrap over groups. Pure.

What is drawn anew are whole groups (photos, days, sets of phones): what one group holds hangs
together, and counting it as so many independent things would make the interval too narrow.
"""

from collections.abc import Collection, Iterator, Sequence
from math import sqrt
from typing import Final, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from storepulse.units import Z90

T = TypeVar("T")

ROUNDS: Final = 2000
GROUPS_MIN: Final = 5
"""Fewer groups say nothing about how groups differ."""
_LEVELS: Final = (5, 95)


def ratio_interval(
    over: ArrayLike, under: ArrayLike, *, seed: int, rounds: int = ROUNDS
) -> tuple[float, float] | tuple[None, None]:
    """The 90 % interval of sum(over) / sum(under), both (n,) by group.

    Returns:
        Low and high; None twice for fewer than `GROUPS_MIN` groups, nothing below the line, or
        groups that are all alike: drawing them anew shows no doubt, which is not to have none.
    """
    top, bottom = np.asarray(over, np.float64), np.asarray(under, np.float64)
    if len(top) < GROUPS_MIN or not bottom.sum():
        return None, None
    rng = np.random.default_rng([seed, 0xB007])
    drawn = rng.multinomial(len(top), np.full(len(top), 1 / len(top)), size=rounds)
    below = drawn @ bottom
    some = below != 0
    low, high = np.percentile((drawn @ top)[some] / below[some], _LEVELS)
    return (float(low), float(high)) if low < high else (None, None)


def drawn_anew(groups: Sequence[T], *, seed: int, rounds: int) -> Iterator[list[T]]:
    """As many groups as there are, drawn with replacement, so many times."""
    rng = np.random.default_rng([seed, 0xB007])
    for _ in range(rounds):
        yield [groups[number] for number in rng.integers(len(groups), size=len(groups))]


def interval_of(values: Sequence[float]) -> tuple[float, float]:
    """The 5th and 95th percentile of figures of groups that were drawn anew."""
    low, high = np.percentile(values, _LEVELS)
    return float(low), float(high)


def interval_by_member(
    values: Sequence[float], groups: Sequence[Collection[str]]
) -> tuple[float, float] | tuple[None, None]:
    """The 90 % interval of the mean of values of groups whose members come back in others.

    Each member is left out in turn, with all groups that it is in (the jackknife): groups that
    share members are not independent, however many are drawn. Where groups are few, that those left
    differ by chance comes on top, and it is too wide.

    Args:
        values: one for each group; groups: who was in it.
    Returns:
        Low and high; None twice for fewer than `GROUPS_MIN` members, where leaving one out leaves
        nothing, or where nothing differs.
    """
    members = sorted({member for group in groups for member in group})
    if len(members) < GROUPS_MIN:
        return None, None
    figures = np.asarray(values, np.float64)
    without = []
    for member in members:
        left = np.array([member not in group for group in groups])
        if not left.any():
            return None, None
        without.append(float(figures[left].mean()))
    number = len(members)
    mean = float(figures.mean())
    half = Z90 * sqrt((number - 1) / number * float(((np.array(without) - mean) ** 2).sum()))
    return (mean - half, mean + half) if half > 0 else (None, None)

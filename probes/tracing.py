"""Trace each phone through a whole capture: which of its frames are one phone's. Pure.

Stretches (`probes.stretches`) are the places of a least-cost path cover: each has at most one next
and one before it, and the sum of the log likelihood ratios of all links is the greatest there is.
A link weighs what says "the same phone goes on" against "this one left, and another came":

- the pause, against pauses of all lengths and against the clock of its kind (kinds of phones scan
  every 60, 135, 160 ... seconds, to a tenth; alike phones are kept apart by their phase);
- the count of frames, where the kind counts on;
- the signal of the two bursts, the elements in full, and how often phones of the kind come.

What is not known beforehand (clocks, steps, who counts on, how often they come) is learnt from the
links of the round before, each link leaving itself out. Alike phones that scan at no fixed pace and
count anew each time cannot be told apart by this, and nobody should claim so.

For captures that are over. While frames come, `probes.linking` does it with what it has heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from probes.bursts import SEQUENCES
from probes.frames import Frame
from probes.stretches import STEP_MAX, Stretch, stretches_of
from probes.two_lists import with_second_lists

Reals = NDArray[np.float64]
Numbers = NDArray[np.int64]
Signs = NDArray[np.bool_]

PAUSE_S_MAX: Final = 660.0
"""The longest pause of a phone that was there all the time (reference captures: 600.3 s)."""
_PAUSE_S_MIN: Final = 0.5
_STAY_S: Final = 1800.0
"""Stays weighed against a departure, on average. Only the order of magnitude matters."""
_ARRIVAL_EVERY_S: Final = 50_000.0
"""How often another phone with exactly these elements comes, before any was seen to."""
_ANY_ARRIVAL_EVERY_S: Final = 300.0
"""How often any phone comes, before one has."""
_CLOCK_S: Final = 0.1
_CLOCK_SHARE: Final = 0.001
"""How exactly a phone keeps its clock: to a tenth of a second and a thousandth of the pause."""
_CLOCK_GAIN_MAX: Final = 8.0
"""A pause on the clock speaks at most so many times as loudly as any pause: else a few chance
meetings of pauses would feed themselves."""
_SIGNAL_DB: Final = 3.0
"""Mean change of the strongest signal from burst to burst, of a phone at rest."""
_SIGNAL_ANY: Final = 0.12
"""How often it is anything at all: it moved, or somebody stood between."""
_SIGNAL_SPAN_DB: Final = 60.0
_OTHER_EXACT: Final = -5.0
"""Log likelihood that a phone says other capabilities from one stretch to the next: one in 150."""
_OTHER_KIND: Final = -3.0
"""That it says other elements, where that is weighed against any phone's coming: some of the
reference phones have two lists, and change once or twice in twenty minutes."""
_OTHER_KIND_S_MAX: Final = 400.0
_ROUNDS: Final = 4
_DENSE_MAX: Final = 4_000_000
"""Entries of a dense table of links: 32 MB."""


@dataclass(slots=True, eq=False)
class _Links:
    """All links that could be, one entry each."""

    earlier: Numbers
    later: Numbers
    kind: Numbers
    """Of the earlier stretch, from 0."""
    pause_s: Reals
    """From start of burst to start of burst."""
    silence_s: Reals
    step: Numbers
    alike: Signs
    """Both say the same elements."""
    fixed: Reals
    """What the signs weigh that are not learnt: signal and elements."""


@dataclass(slots=True, eq=False)
class _Habits:
    """What is known of each kind of phone; arrays by kind."""

    counts_on: Reals
    """Share of links over which the count goes on."""
    on_clock: Reals
    arrivals_per_s: Reals
    any_arrivals_per_s: float
    """Of phones of whatever kind."""
    pauses: list[Reals]
    steps: list[Numbers]


def trace(frames: Sequence[Frame]) -> list[int]:
    """The phone of each frame, as numbers from 0 in the order in which phones are first heard.

    Args:
        frames: in order of time, under one key; none gives [].
    """
    if not frames:
        return []
    stretches, stretch_of = stretches_of(frames)
    following = follow(stretches)
    phone_of = np.full(len(stretches), -1, np.int64)
    for number in sorted(range(len(stretches)), key=lambda n: stretches[n].start_s):
        if phone_of[number] < 0:
            phone_of[number] = phone_of.max() + 1
        if following[number] >= 0:
            phone_of[following[number]] = phone_of[number]
    return with_second_lists(frames, [int(phone_of[stretch]) for stretch in stretch_of])


def follow(stretches: Sequence[Stretch]) -> Numbers:
    """For each stretch the one that its phone goes on with, -1 where there is none."""
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys(s.kind for s in stretches))}
    links = _links(stretches, np.array([kinds[stretch.kind] for stretch in stretches]))
    number = len(stretches)
    following = np.full(number, -1, np.int64)
    habits = _Habits(
        np.full(len(kinds), 0.5), np.full(len(kinds), 0.5),
        np.full(len(kinds), 1 / _ARRIVAL_EVERY_S), 1 / _ANY_ARRIVAL_EVERY_S,
        [np.empty(0)] * len(kinds), [np.empty(0, np.int64)] * len(kinds),
    )  # fmt: skip
    kind = np.array([kinds[stretch.kind] for stretch in stretches], np.int64)
    random_address = np.array([stretch.random_address for stretch in stretches], bool)
    span_s = max(s.end_s for s in stretches) - min(s.start_s for s in stretches)
    for _ in range(_ROUNDS):
        taken = following[links.earlier] == links.later
        weight, on_clock = _weigh(links, habits, taken)
        following = _best_cover(number, links, weight)
        taken = following[links.earlier] == links.later
        headed = random_address.copy()
        headed[following[following >= 0]] = False
        heads = np.bincount(kind[headed], minlength=len(kinds))
        habits = _learn(links, taken, on_clock, heads, span_s)
    return following


def _links(stretches: Sequence[Stretch], kind: Numbers) -> _Links:
    """Links that could be: later, not too late, and alike enough."""
    start_s = np.array([stretch.start_s for stretch in stretches])
    end_s = np.array([stretch.end_s for stretch in stretches])
    order = np.argsort(start_s, kind="stable")
    from_ = np.searchsorted(start_s[order], end_s)
    until = np.searchsorted(start_s[order], end_s + PAUSE_S_MAX)
    earlier, later = [], []
    for number, stretch in enumerate(stretches):
        if not stretch.random_address:
            continue
        for other in order[from_[number] : until[number]]:
            if (
                other != number
                and stretches[other].random_address
                and (
                    start_s[other] - end_s[number] < _OTHER_KIND_S_MAX
                    or kind[other] == kind[number]
                )
            ):
                earlier.append(number)
                later.append(int(other))
    one, two = np.array(earlier, np.int64), np.array(later, np.int64)
    pairs = [(stretches[a], stretches[b]) for a, b in zip(earlier, later, strict=True)]
    alike = np.array([bool(a.kinds.keys() & b.kinds.keys()) for a, b in pairs], bool)
    exact = np.array([bool(a.exact & b.exact) for a, b in pairs], bool)
    change_db = np.array(
        [
            np.nan
            if a.signal_last_dbm is None or b.signal_first_dbm is None
            else abs(a.signal_last_dbm - b.signal_first_dbm)
            for a, b in pairs
        ],
        np.float64,
    )
    first = np.array([stretch.sequence_first for stretch in stretches], np.int64)
    last = np.array([stretch.sequence_last for stretch in stretches], np.int64)
    burst_s = np.array([stretch.burst_start_s for stretch in stretches])
    return _Links(
        one, two, kind[one], np.maximum(start_s[two] - burst_s[one], _PAUSE_S_MIN),
        np.maximum(start_s[two] - end_s[one], 0.0), (first[two] - last[one]) % SEQUENCES, alike,
        _signal_weight(change_db)
        + np.where(alike, np.where(exact, 0.0, _OTHER_EXACT), _OTHER_KIND),
    )  # fmt: skip


def _signal_weight(change_db: Reals) -> Reals:
    """Log likelihood ratio of a change of signal: one phone against any two. 0 where unknown."""
    one = (1 - _SIGNAL_ANY) * np.exp(-change_db / _SIGNAL_DB) / (2 * _SIGNAL_DB)
    ratio = _SIGNAL_SPAN_DB * one + _SIGNAL_ANY
    return np.where(np.isnan(change_db), 0.0, np.log(ratio))


def _weigh(links: _Links, habits: _Habits, taken: Signs) -> tuple[Reals, Reals]:
    """Log likelihood ratio of each link, and how far its pause is a matter of the clock.

    Args:
        taken: links of the round before, which leave themselves out of what was learnt from them.
    """
    any_pause = 1 / (links.pause_s * np.log(PAUSE_S_MAX / 2))
    goes_on = (links.step > 0) & (links.step <= STEP_MAX)
    counted = np.where(goes_on, np.exp(-links.step / 30.0) / 30.0, 0.0)
    clock, usual = any_pause.copy(), counted.copy()
    for kind, (pauses, steps) in enumerate(zip(habits.pauses, habits.steps, strict=True)):
        mine = links.kind == kind
        if len(pauses) >= 3:
            gain = _density(links.pause_s[mine], pauses, taken[mine])
            clock[mine] = np.minimum(gain, _CLOCK_GAIN_MAX * any_pause[mine])
        if len(steps) >= 3:
            usual[mine] = _step_density(links.step[mine], steps, taken[mine])
    share = habits.on_clock[links.kind]
    pause = (1 - share) * any_pause + share * clock
    on = habits.counts_on[links.kind]
    step = on * (0.97 * (counted + usual) / 2 + 0.03 / SEQUENCES) + (1 - on) / SEQUENCES
    weight = (
        np.log(pause) - links.silence_s / _STAY_S + np.log(step * SEQUENCES) + links.fixed
        - np.log(
            np.where(links.alike, habits.arrivals_per_s[links.kind], habits.any_arrivals_per_s)
        )
    )  # fmt: skip
    return weight, share * clock / pause


_LEARNT_FROM_MAX: Final = 500


def _density(at_s: Reals, pauses: Reals, taken: Signs) -> Reals:
    """How usual these pauses are among others of the kind, (n,) per second."""
    if len(pauses) > _LEARNT_FROM_MAX:
        pauses = pauses[np.linspace(0, len(pauses) - 1, _LEARNT_FROM_MAX).astype(int)]
    width = _CLOCK_S + _CLOCK_SHARE * at_s
    found = np.exp(-np.abs(at_s[:, None] - pauses[None]) / width[:, None]).sum(1) / (2 * width)
    left_out = np.maximum(found - taken / (2 * width), 0.0) / (len(pauses) - taken)
    return np.asarray(left_out, np.float64)


_NEAR_STEPS: Final = np.array([0.1, 0.2, 0.4, 0.2, 0.1])


def _step_density(at: Numbers, steps: Numbers, taken: Signs) -> Reals:
    """How usual these steps of the count are among others of the kind, (n,)."""
    counted = np.bincount(steps, minlength=SEQUENCES).astype(np.float64)
    round_ = np.concatenate([counted[-2:], counted, counted[:2]])
    found = np.convolve(round_, _NEAR_STEPS, "same")[2:-2][at]
    return np.asarray(np.maximum(found - 0.4 * taken, 0.0) / (len(steps) - taken), np.float64)


def _best_cover(number: int, links: _Links, weight: Reals) -> Numbers:
    """The cover of greatest weight; links of no weight are left out. Part by part, as they fall."""
    following = np.full(number, -1, np.int64)
    useful = np.flatnonzero(weight > 0)
    if not len(useful):
        return following
    one, two, gain = links.earlier[useful], links.later[useful], weight[useful]
    graph = coo_matrix((np.ones(len(one)), (one, two + number)), shape=(2 * number, 2 * number))
    part = connected_components(graph, directed=False)[1][one]
    order = np.argsort(part, kind="stable")
    for some in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        rows, row = np.unique(one[some], return_inverse=True)
        columns, column = np.unique(two[some], return_inverse=True)
        if len(rows) * len(columns) > _DENSE_MAX:
            _greedily(following, one[some], two[some], gain[some])
            continue
        table = np.zeros((len(rows), len(columns)))
        table[row, column] = gain[some]
        for at, to in zip(*linear_sum_assignment(table, maximize=True), strict=True):
            if table[at, to] > 0:
                following[rows[at]] = columns[to]
    return following


def _greedily(following: Numbers, one: Numbers, two: Numbers, gain: Reals) -> None:
    """Heaviest first, where a part is too large for the best cover."""
    used: set[int] = set()
    for place in np.argsort(-gain, kind="stable"):
        if following[one[place]] < 0 and int(two[place]) not in used:
            following[one[place]] = two[place]
            used.add(int(two[place]))


def _learn(links: _Links, taken: Signs, on_clock: Reals, heads: Numbers, span_s: float) -> _Habits:
    """Habits of each kind from the links taken."""
    kinds = len(heads)
    goes_on = taken & (links.step > 0) & (links.step <= STEP_MAX)
    by_kind = [np.flatnonzero(taken & (links.kind == kind)) for kind in range(kinds)]
    number = np.array([len(places) for places in by_kind])
    met = np.bincount(links.kind[goes_on], minlength=kinds)
    clocked = np.bincount(links.kind[taken], weights=on_clock[taken], minlength=kinds)
    return _Habits(
        np.clip((met + 1) / (number + 2), 0.02, 0.98),
        np.clip((clocked + 0.5) / (number + 1), 0.02, 0.95),
        np.maximum(heads, 1) / (_ARRIVAL_EVERY_S + 0.5 * span_s),
        (1 + heads.sum()) / (_ANY_ARRIVAL_EVERY_S + span_s),
        [links.pause_s[places] for places in by_kind],
        [links.step[places][goes_on[places]] for places in by_kind],
    )

"""Join the tracks of phones that say two lists of elements in turn. Pure: frames and tracks in.

`probes.tracing` links what is alike; some phones send a second list now and then (another band,
another screen), a few frames among hundreds, and would be counted twice. Two signs say that a
small track is another's second list:

- the other's count of frames runs through it, before and after;
- both say the same elements in the same order with other capabilities, and the small one lies among
  the other's frames and is a twelfth of them or less.

Either joins. Two phones of one maker, of which one sends twelve times as much, are taken for one.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from probes.bursts import BURST_SILENCE_S, SEQUENCES
from probes.frames import Frame
from probes.stretches import STEP_MAX

_PAUSE_S_MAX: Final = 660.0
"""As in `probes.tracing`: a longer pause is no pause."""
_SHARE_THROUGH: Final = 0.5
"""Of the small track's bursts, those that the other's count must run through. A chance burst fits
before and after once in a thousand."""
_PART_BY_COUNT: Final = 1 / 2.72
"""The small track's frames, as a part of the other's, where the count says it."""
_PART_BY_SHAPE: Final = 1 / 12
"""Where only the elements say it. At a fifth the error of the count rises by a sixth to a third in
the crowds of `storepulse eval linking`; all four figures were chosen there, over all phones."""
_AMONG_S: Final = 60.0
"""Where only the elements say it: how far its bursts lie from the other's frames (median)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """What one phone seems to have sent."""

    number: int
    time_s: NDArray[np.float64]
    sequence: NDArray[np.int64]
    first: NDArray[np.int64]
    """Places of the first frame of each burst; `last` of the last."""
    last: NDArray[np.int64]
    exact: frozenset[int]
    shape: int

    @property
    def frames(self) -> int:
        return len(self.time_s)


def with_second_lists(frames: Sequence[Frame], phone_of: Sequence[int]) -> list[int]:
    """The phone of each frame, second lists joined to their phone's first.

    Args:
        frames: in order of time; phone_of: for each the track it is in, any numbers.
    Returns:
        Numbers from 0 in the order in which phones are first heard; [] for no frame.
    """
    tracks = _tracks(frames, phone_of)
    begin_s = np.array([track.time_s[0] for track in tracks])
    end_s = np.array([track.time_s[-1] for track in tracks])
    size = np.array([track.frames for track in tracks])
    of: dict[int, int] = {}
    for small in tracks:
        near = (begin_s <= small.time_s[-1] + _AMONG_S) & (end_s >= small.time_s[0] - _AMONG_S)
        near &= size * _PART_BY_COUNT >= small.frames
        fits = [
            (fit, -tracks[place].number)
            for place in np.flatnonzero(near)
            if (fit := _fit(small, tracks[place])) > 0
        ]
        if fits:
            of[small.number] = -max(fits)[1]
    numbers: dict[int, int] = {}
    joined = []
    for track in phone_of:
        while track in of:  # ends: each is joined to one of more frames
            track = of[track]
        joined.append(numbers.setdefault(track, len(numbers)))
    return joined


def _tracks(frames: Sequence[Frame], phone_of: Sequence[int]) -> list[_Track]:
    """The tracks whose addresses are all made up; others are not joined."""
    by_phone: dict[int, list[Frame]] = defaultdict(list)
    for frame, phone in zip(frames, phone_of, strict=True):
        by_phone[phone].append(frame)
    tracks = []
    for phone, some in by_phone.items():
        if not all(frame.random_address for frame in some):
            continue
        time_s = np.array([frame.time_s for frame in some])
        cuts = np.flatnonzero(np.diff(time_s) > BURST_SILENCE_S)
        tracks.append(
            _Track(
                phone, time_s, np.array([frame.sequence for frame in some], np.int64),
                np.concatenate(([0], cuts + 1)), np.concatenate((cuts, [len(some) - 1])),
                frozenset(frame.elements_exact for frame in some),
                Counter(frame.shape for frame in some).most_common(1)[0][0],
            )
        )  # fmt: skip
    return tracks


def _fit(small: _Track, large: _Track) -> float:
    """How well a track is the second list of another that has more frames; 0: it is not."""
    begins, ends = small.time_s[small.first], small.time_s[small.last]
    before = np.searchsorted(large.time_s, begins) - 1
    after = np.searchsorted(large.time_s, ends, "right")
    heard_before, heard_after = before >= 0, after < large.frames
    before, after = np.maximum(before, 0), np.minimum(after, large.frames - 1)
    since_s = np.where(heard_before, begins - large.time_s[before], np.inf)
    until_s = np.where(heard_after, large.time_s[after] - ends, np.inf)
    step_to = (small.sequence[small.first] - large.sequence[before]) % SEQUENCES
    step_from = (large.sequence[after] - small.sequence[small.last]) % SEQUENCES
    through = (since_s < _PAUSE_S_MAX) & (step_to > 0) & (step_to <= STEP_MAX)
    through &= (until_s < _PAUSE_S_MAX) & (step_from > 0) & (step_from <= STEP_MAX)
    among_s = float(np.median(np.minimum(since_s, until_s)))
    if through.mean() >= _SHARE_THROUGH:
        return 2.0 + float(through.mean())
    if (
        small.shape == large.shape
        and not small.exact & large.exact
        and small.frames <= _PART_BY_SHAPE * large.frames
        and among_s <= _AMONG_S
    ):
        return 1.0 / (1.0 + among_s)
    return 0.0

"""Link the bursts of one phone under changing addresses, and close its visit when it falls silent.

Pure. Three signs, the surest first: the same address; the same elements with a count of frames that
goes on; the same elements of a phone whose count is new in every burst, by time alone. The last
cannot tell alike phones apart that are there at once.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import exp
from typing import Final

import numpy as np

from probes.burst_pace import Paces, pauses_log_likelihood
from probes.bursts import SEQUENCES, Burst, sequence_step
from probes.visits import ONE_ADDRESS_SHARE, SILENCE_S_MAX, Visit, silence_s_allowed

_STEP_MAX: Final = 80
"""Frames that a phone sends between two of its bursts on other channels: up to 74 in the reference
captures where the count goes on at all."""
_STEP_MAX_OTHER_ELEMENTS: Final = 20
_OTHER_ELEMENTS_S_MAX: Final = 120.0
_CHANCE_MAX: Final = 0.05
"""With more phones there, a count must fit more closely, so that chance alone links few."""
_PAUSES_TOLD: Final = 9
_STAY_S: Final = 400.0
"""Stays that are weighed against a new arrival, on average: between a shop's few minutes and a
meal's half hour. Only the order of magnitude matters."""
_PACE_FITS: Final = 0.05
"""How far, as a share, a pause may lie from the phone's last one to be of the same clock."""
_BY_COUNT_SURE: Final = 2
"""Bursts linked by count that make sure that the phone counts on: one may be chance."""
_PAUSES_KEPT: Final = 64
_BURSTS_KEPT: Final = 4096
"""Of a phone heard for longer only the latest are kept: it is a fixed one by then."""


@dataclass(slots=True)
class _Stay:
    """A visit that is still going on."""

    burst_s: list[float]
    last_end_s: float
    kinds: set[int]
    kind: int
    senders: dict[int, int]
    """Bursts by address."""
    sequence_last: int
    random_address: bool
    signal_dbm: int | None
    bursts: int = 1
    """Those included whose times are no longer kept."""
    by_count: int = 0
    """Bursts that its running count of frames linked."""
    step_max: int = 0
    """The largest step of its count from burst to burst."""
    first_s: float = 0.0
    silence_s: float = SILENCE_S_MAX
    by_time: Burst | None = None
    """The latest burst, when only time linked it."""
    sequence_before: int | None = None
    """What the count was before that one."""

    def keeps_pace(self, start_s: float) -> bool:
        """A burst now would come after the same pause as the last one did."""
        if len(self.burst_s) < 2:
            return False
        pause_s = self.burst_s[-1] - self.burst_s[-2]
        return abs(start_s - self.burst_s[-1] - pause_s) <= _PACE_FITS * pause_s

    def set_silence(self) -> None:
        """Work out anew how long it may be silent; its bursts have changed."""
        times = self.burst_s[-_PAUSES_KEPT:]
        self.silence_s = silence_s_allowed([later - earlier for earlier, later in pairwise(times)])


@dataclass(slots=True)
class _KindCounts:
    """How a kind of phone counts its frames, learnt as the capture goes."""

    goes_on: int = 0
    starts_anew: int = 0
    arrivals: int = 0
    first_s: float = 0.0

    def arrivals_per_s(self, now_s: float) -> float:
        """How often a phone of this kind comes in; one in two hours before any was seen.

        Half of what looked like an arrival is not counted: it was a pause that looked too long.
        """
        return (0.5 + 0.5 * self.arrivals) / (3600.0 + max(now_s - self.first_s, 0.0))

    @property
    def counts_on(self) -> bool:
        return self.goes_on > 2 * self.starts_anew + 1


_KINDS_MAX: Final = 20_000


class Linker:
    """Links bursts, which must come about in order of time, into visits."""

    def __init__(self, paces: Paces) -> None:
        self._paces = np.array(paces.share)
        self._stays: dict[int, _Stay] = {}
        self._by_sender: dict[int, int] = {}
        self._by_kind: dict[int, dict[int, None]] = {}
        """Stays by kind, in the order in which they began to be of it."""
        self._counts: dict[int, _KindCounts] = {}
        self._number = 0
        self._looked_s = float("-inf")

    @property
    def open_stays(self) -> int:
        """How many visits are going on."""
        return len(self._stays)

    @property
    def begun(self) -> int:
        """How many visits have begun so far."""
        return self._number

    def feed(self, burst: Burst) -> list[Visit]:
        """Take one burst; return the visits that are over by its time."""
        over = []
        if burst.start_s - self._looked_s > 15.0:
            self._looked_s = burst.start_s
            over = self._close_silent(burst.start_s)
        number = self._match(burst)
        if number is None:
            self._start(burst)
        else:
            self._join(number, burst)
        return over

    def finish(self) -> list[Visit]:
        """The capture is over: close every visit."""
        return [self._close(number) for number in list(self._stays)]

    def _match(self, burst: Burst) -> int | None:
        for sender in burst.senders:
            number = self._by_sender.get(sender)
            if number is not None and self._still_there(number, burst):
                self._stays[number].by_time = None
                return number
        if not burst.random_address:
            return None
        number = self._by_running_count(burst)
        if number is None:
            number = self._by_time(burst)
            if number is not None:
                stay = self._stays[number]
                stay.by_time, stay.sequence_before = burst, stay.sequence_last
                return number
        if number is not None:
            self._stays[number].by_time = None
        return number

    def _still_there(self, number: int, burst: Burst) -> bool:
        stay = self._stays[number]
        return burst.start_s - stay.last_end_s <= stay.silence_s

    def _by_running_count(self, burst: Burst) -> int | None:
        best = None
        best_step = _STEP_MAX + 1
        for number in self._by_kind.get(burst.elements, ()):
            stay = self._stays[number]
            step = sequence_step(stay.sequence_last, burst.sequence_first)
            if (
                0 < step < best_step
                and stay.random_address
                and burst.start_s > stay.last_end_s
                and self._still_there(number, burst)
            ):
                best, best_step = number, step
        if best is None:
            return self._unmixed(burst) or self._by_count_alone(burst)
        self._stays[best].by_count += 1
        self._stays[best].step_max = max(best_step, self._stays[best].step_max)
        self._counts_of(burst.elements).goes_on += 1
        return best

    def _unmixed(self, burst: Burst) -> int | None:
        """A burst goes on where a stay's count was before time alone linked another to it.

        Then that other one was another phone's: it gets a stay of its own.
        """
        for number in self._by_kind.get(burst.elements, ()):
            stay = self._stays[number]
            other, before = stay.by_time, stay.sequence_before
            if other is None or before is None:
                continue
            step = sequence_step(before, burst.sequence_first)
            if not 0 < step <= _STEP_MAX or not self._still_there(number, burst):
                continue
            stay.burst_s.remove(other.start_s)
            stay.set_silence()
            stay.bursts -= 1
            for sender in other.senders:
                stay.senders[sender] -= 1
                if not stay.senders[sender]:
                    del stay.senders[sender]
            stay.sequence_last, stay.by_time = before, None
            stay.by_count += 1
            counts = self._counts_of(burst.elements)
            counts.goes_on += 1
            counts.starts_anew = max(0, counts.starts_anew - 1)
            self._start(other)
            return number
        return None

    def _by_count_alone(self, burst: Burst) -> int | None:
        """A phone that says other elements now and then, but counts on: the nearest count."""
        best = None
        best_step = _CHANCE_MAX * SEQUENCES / max(len(self._stays), 1)
        for number, stay in self._stays.items():
            step = sequence_step(stay.sequence_last, burst.sequence_first)
            allowed = stay.step_max if stay.by_count > 1 else 0
            if (
                0 < step <= max(_STEP_MAX_OTHER_ELEMENTS, allowed)
                and step < best_step
                and stay.random_address
                and 0 < burst.start_s - stay.last_end_s <= _OTHER_ELEMENTS_S_MAX
            ):
                best, best_step = number, step
        return best

    def _by_time(self, burst: Burst) -> int | None:
        """Of the alike phones whose count starts anew in each burst, the longest silent one."""
        alike = [
            number
            for number in self._by_kind.get(burst.elements, ())
            if self._stays[number].random_address
            and burst.start_s > self._stays[number].last_end_s
            and self._still_there(number, burst)
        ]
        if not alike:
            return None
        for number in alike:
            if self._stays[number].keeps_pace(burst.start_s):
                return number
        counts = self._counts_of(burst.elements)
        if counts.counts_on:
            return None  # this kind would have counted on: it is another phone
        fresh = [number for number in alike if self._stays[number].by_count < _BY_COUNT_SURE]
        if not fresh:
            return None
        counts.starts_anew += 1
        # Either a phone that is there bursts again, at its pace, or another one has come in.
        density, number = max((self._goes_on(self._stays[n], burst), n) for n in fresh)
        return number if density > counts.arrivals_per_s(burst.start_s) else None

    def _goes_on(self, stay: _Stay, burst: Burst) -> float:
        """Density of this stay's next burst to come now, as far as its pace is known."""
        times = stay.burst_s[-_PAUSES_TOLD:]
        past = pauses_log_likelihood([b - a for a, b in pairwise(times)])
        belief = self._paces * np.exp(past - past.max())
        pause_s = burst.start_s - stay.burst_s[-1]
        density = float(belief @ np.exp(pauses_log_likelihood([pause_s])) / belief.sum())
        return density * exp(-pause_s / _STAY_S)

    def _counts_of(self, kind: int) -> _KindCounts:
        if len(self._counts) >= _KINDS_MAX and kind not in self._counts:
            self._counts.clear()  # forgotten, not grown without end; learnt again soon
        return self._counts.setdefault(kind, _KindCounts())

    def _start(self, burst: Burst) -> None:
        self._number += 1
        self._stays[self._number] = _Stay(
            [burst.start_s], burst.end_s, {burst.elements}, burst.elements,
            dict.fromkeys(burst.senders, 1),
            burst.sequence_last, burst.random_address, burst.signal_dbm, first_s=burst.start_s,
        )  # fmt: skip
        counts = self._counts_of(burst.elements)
        if not counts.arrivals:
            counts.first_s = burst.start_s
        counts.arrivals += 1
        for sender in burst.senders:
            self._by_sender[sender] = self._number
        self._by_kind.setdefault(burst.elements, {})[self._number] = None

    def _join(self, number: int, burst: Burst) -> None:
        stay = self._stays[number]
        stay.burst_s.append(burst.start_s)
        stay.bursts += 1
        if len(stay.burst_s) > _BURSTS_KEPT:
            del stay.burst_s[: _BURSTS_KEPT // 2]
        stay.set_silence()
        stay.last_end_s = max(stay.last_end_s, burst.end_s)
        stay.sequence_last = burst.sequence_last
        if burst.signal_dbm is not None:
            stay.signal_dbm = max(burst.signal_dbm, stay.signal_dbm or burst.signal_dbm)
        for sender in burst.senders:
            if sender not in stay.senders:
                self._by_sender[sender] = number
            stay.senders[sender] = stay.senders.get(sender, 0) + 1
        if burst.elements not in stay.kinds:
            stay.kinds.add(burst.elements)
            self._by_kind.setdefault(burst.elements, {})[number] = None

    def _close_silent(self, now_s: float) -> list[Visit]:
        silent = [
            number
            for number, stay in self._stays.items()
            if now_s - stay.last_end_s > stay.silence_s
        ]
        return [self._close(number) for number in silent]

    def _close(self, number: int) -> Visit:
        stay = self._stays.pop(number)
        for sender in stay.senders:
            if self._by_sender.get(sender) == number:
                del self._by_sender[sender]
        for kind in stay.kinds:
            alike = self._by_kind[kind]
            del alike[number]
            if not alike:
                del self._by_kind[kind]
        burst_s = sorted(stay.burst_s)
        burst_s[0] = min(burst_s[0], stay.first_s)  # the kept bursts may be only the latest
        one_address = max(stay.senders.values()) >= ONE_ADDRESS_SHARE * stay.bursts
        return Visit(tuple(burst_s), stay.kind, stay.random_address, stay.signal_dbm, one_address)

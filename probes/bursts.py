"""Gather the probe requests that a phone sends at once into bursts. Pure: frames bring time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from probes.frames import Frame

BURST_SILENCE_S: Final = 2.0
"""Silence that ends a burst: phones scan the channels within a second, and the shortest pause
between two bursts of the phones in the reference captures is 3 s."""
_SEQUENCE_STEP_MAX: Final = 12
"""Within a burst the count of frames rises by the probes sent on channels that were not heard."""
SEQUENCES: Final = 4096


@dataclass(slots=True)
class Burst:
    """The probe requests that one phone sent at once. Still growing while it is open."""

    start_s: float
    end_s: float
    elements: int
    """Of its first frame."""
    sequence_first: int
    sequence_last: int
    random_address: bool
    signal_dbm: int | None
    """The strongest."""
    frames: int = 1
    directed: int = 0
    senders: list[int] = field(default_factory=list)
    """Each once, in the order heard: hashes have an order of their own, another in every run."""


def sequence_step(earlier: int, later: int) -> int:
    """How far the phone's count of frames went from one to the other, 0 to 4095 (it wraps)."""
    return (later - earlier) % SEQUENCES


class BurstGatherer:
    """Gathers frames, which must come in order of time, into bursts.

    A frame joins the burst of its sender; a frame of an unknown sender joins an open burst of the
    same elements (a phone may change its address within a burst), best the one whose count of
    frames it continues.
    """

    def __init__(self, silence_s: float = BURST_SILENCE_S) -> None:
        self._silence_s = silence_s
        self._open: dict[int, Burst] = {}
        self._by_sender: dict[int, int] = {}
        self._number = 0
        self._next_end_s = float("inf")

    def feed(self, frame: Frame) -> list[Burst]:
        """Take one frame; return the bursts that its time shows to have ended, by their start."""
        ended = self.pass_to(frame.time_s)
        number = self._by_sender.get(frame.sender)
        if number is None:
            number = self._joinable(frame)
        if number is None:
            self._start(frame)
            return ended
        burst = self._open[number]
        if frame.time_s > burst.end_s:
            burst.end_s = frame.time_s
        burst.frames += 1
        burst.directed += frame.directed
        burst.sequence_last = frame.sequence
        if frame.signal_dbm is not None and (
            burst.signal_dbm is None or frame.signal_dbm > burst.signal_dbm
        ):
            burst.signal_dbm = frame.signal_dbm
        if frame.sender not in self._by_sender:
            burst.senders.append(frame.sender)
            self._by_sender[frame.sender] = number
        return ended

    def pass_to(self, time_s: float) -> list[Burst]:
        """It is this time: return the bursts that it shows to have ended, by their start."""
        return self._ended(time_s) if time_s >= self._next_end_s else []

    def finish(self) -> list[Burst]:
        """The capture is over: return what is still open, by its start."""
        return self._ended(float("inf"))

    def _start(self, frame: Frame) -> None:
        burst = Burst(
            frame.time_s, frame.time_s, frame.elements, frame.sequence, frame.sequence,
            frame.random_address, frame.signal_dbm, directed=int(frame.directed),
            senders=[frame.sender],
        )  # fmt: skip
        self._number += 1
        self._open[self._number] = burst
        self._by_sender[frame.sender] = self._number
        self._next_end_s = min(self._next_end_s, frame.time_s + self._silence_s)

    def _joinable(self, frame: Frame) -> int | None:
        if not frame.random_address:
            return None  # a global address is the phone's own: it starts its own burst
        alike = None
        for number, burst in self._open.items():
            if not burst.random_address:
                continue
            step = sequence_step(burst.sequence_last, frame.sequence)
            if burst.elements == frame.elements:
                if step <= _SEQUENCE_STEP_MAX:
                    return number
                alike = number
            elif 0 < step <= 2:
                # Some phones send two lists of elements in turn, under one count.
                return number
        return alike

    def _ended(self, now_s: float) -> list[Burst]:
        ended = [n for n, burst in self._open.items() if now_s - burst.end_s > self._silence_s]
        bursts = []
        for number in ended:
            burst = self._open.pop(number)
            for sender in burst.senders:
                del self._by_sender[sender]
            bursts.append(burst)
        self._next_end_s = min(
            (burst.end_s + self._silence_s for burst in self._open.values()), default=float("inf")
        )
        return sorted(bursts, key=lambda burst: burst.start_s)


def gathered(frames: Iterator[Frame], silence_s: float = BURST_SILENCE_S) -> Iterator[Burst]:
    """Gather a finished stream of frames."""
    gatherer = BurstGatherer(silence_s)
    for frame in frames:
        yield from gatherer.feed(frame)
    yield from gatherer.finish()

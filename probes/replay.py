"""Captures in, one account of them out: visits, dwell, occupancy. Memory does not grow with frames.

Everything that is kept of a phone is gone when its visit closes; what remains is when it was heard.
An account that facts are to be made of keeps that for each quarter of an hour, and so grows with
the days; one whose windows are taken as they end (`take`) does not.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import floor, inf
from pathlib import Path
from random import Random
from typing import Final

from probes.between import BetweenCounter, gathered_together
from probes.bursts import BurstGatherer
from probes.calibration import Calibration
from probes.captures import CaptureWarning
from probes.dwell import DwellEstimate, estimate_dwell, unknown_dwell
from probes.dwell_pieces import estimate_dwell_of_pieces
from probes.frames import Frame, FrameCounts, FrameReader
from probes.keys import NEVER
from probes.linking import Linker
from probes.modes import STRICT_KEYS, STRICT_S, Listening, Mode
from probes.occupancy import WINDOW_S, Occupancy, PresenceCounter
from probes.pieces import HourOfPieces, PieceCounter
from probes.pieces_kept import FairDays
from probes.streams import Once, frames_of
from probes.throughout import ThereThroughout
from probes.visits import SILENCE_S_MAX, Visit

VISITORS_MIN: Final = 5
"""k: a figure about fewer visitors is a figure about persons."""
METHOD: Final = "probes.visits/4"
FINEST_S: Final = 900
"""The shortest window that is ever told."""
SAMPLE_VISITS: Final = 400
"""Visits kept to estimate the dwell of the whole: more narrow the interval no further, since what
is not known of the phones' pace outweighs them."""
SAMPLE_VISITS_FINEST: Final = 100
HOUR_S: Final = 3600
BOUNCE_UNKNOWN: Final = (
    "not identifiable: most visits of under 45 s fall between two bursts of a phone"
)


class VisitSample:
    """A fair sample of visits of bounded size, with the count of all (reservoir sampling)."""

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size = size
        # Fixed seed: the same captures give the same figures. Nothing secret hangs on it.
        self._random = Random(seed)  # noqa: S311
        self.kept: list[Visit] = []
        self.count = 0

    def add(self, visit: Visit) -> None:
        """Count a visit, and keep it with the chance that keeps the sample fair."""
        self.count += 1
        if len(self.kept) < self._size:
            self.kept.append(visit)
            return
        place = self._random.randrange(self.count)
        if place < self._size:
            self.kept[place] = visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What a run over captures found. Holds no address and no hash of one."""

    counts: FrameCounts
    repeats: int
    """Frames that several radios heard, counted once from here on."""
    first_s: float | None
    last_s: float | None
    visits: int
    """0 in strict mode, where pieces of visits are not counted as such."""
    fixed: int
    """Things and staff, left out of visits and dwell: there for four hours (those are left out of
    occupancy, too) or throughout the capture."""
    dwell: DwellEstimate
    occupancy: tuple[Occupancy, ...]
    by_quarter: dict[int, VisitSample] = field(repr=False)
    """Visits by the quarter of an hour (UTC, seconds) in which they began to be heard. Empty in
    strict mode, and where windows were taken as they ended."""
    pieces: tuple[dict[int, HourOfPieces], ...] = field(repr=False)
    """Strict mode: what each count of pieces of visits has, by the hour (UTC, seconds). A fair part
    of the hours where windows were taken as they ended."""
    warnings: tuple[CaptureWarning, ...]
    calibration: Calibration = field(repr=False)
    listening: Listening = field(default_factory=Listening)

    @property
    def span_s(self) -> float:
        if self.first_s is None or self.last_s is None:
            return 0.0
        return self.last_s - self.first_s


class Ears:
    """Takes frames in order of time and knows at any moment what has been heard so far."""

    def __init__(
        self, calibration: Calibration, listening: Listening | None = None, *,
        take: Callable[[Occupancy], None] | None = None,
    ) -> None:  # fmt: skip
        """Make ears that have heard nothing yet.

        Args:
            listening: without it the frames are of one key, and no time ends their visits.
            take: called with each window of ten minutes once nothing can change it. The account
                then holds no window and no quarter of an hour, and of strict mode's hours a fair
                part: memory does not grow with the days, and no facts can be made of it.
        """
        self._calibration = calibration
        self._take = take
        self._look_s = float("-inf")
        self._fair_days = FairDays()
        self._listening = listening or Listening()
        self._turns = listening.turns if listening else NEVER
        self._turn: int | None = None
        self._once = Once()
        self._bursts = BurstGatherer()
        self._linker = Linker(calibration.paces)
        self._presence = PresenceCounter(calibration.signal_dbm_min, calibration.signal_dbm_sure)
        self._sample = VisitSample(SAMPLE_VISITS)
        self._by_quarter: dict[int, VisitSample] = {}
        self._pieces = PieceCounter(calibration.paces)
        self._between = [
            BetweenCounter(calibration.paces, number) for number in range(STRICT_KEYS - 1)
        ]
        self._fixed = 0
        self._throughout = ThereThroughout()
        self._begin_s = 0.0
        """When the stretch began that is being listened to."""
        self._first_s: float | None = None
        self._last_s: float | None = None

    def hear(self, frame: Frame) -> None:
        """Take one frame."""
        if self._first_s is None:
            self._first_s = self._begin_s = frame.time_s
        elif self._last_s is not None and frame.time_s - self._last_s > SILENCE_S_MAX:
            # Nothing at all was heard for longer than any visit may be silent: all are over, and
            # what was there throughout was so up to here (another capture, or the radio was off).
            self._end_stretch(self._last_s)
            self._begin_s = frame.time_s
        self._turn_to(frame.time_s)
        self._last_s = frame.time_s
        if frame.time_s >= self._look_s:
            self._let_go(frame.time_s)
        if not self._once.first_time(frame):
            return
        self._presence.hear(frame)
        if self._listening.mode is Mode.STRICT:
            self._pieces.hear(frame)
            for counter in self._between:
                counter.hear(frame)
            return
        for burst in self._bursts.feed(frame):
            for visit in self._linker.feed(burst):
                self._close(visit, frame.time_s)

    def idle(self, time_s: float) -> None:
        """Nothing is being heard: what must not live longer goes now, not with the next frame."""
        if self._last_s is None:
            return
        over = time_s - self._last_s > SILENCE_S_MAX and self._begin_s <= self._last_s
        if over:
            self._end_stretch(self._last_s)
            self._begin_s = time_s
        self._presence.pass_to(time_s)
        self._turn_to(time_s)
        self._pieces.pass_to(time_s)
        for counter in self._between:
            counter.pass_to(time_s)

    @property
    def may_be_told(self) -> bool:
        """Enough visits are over for facts to be about five or more; in strict mode always."""
        return self._listening.mode is Mode.STRICT or self._sample.count >= VISITORS_MIN

    def _turn_to(self, time_s: float) -> None:
        """Where the key has changed, what is open could not be recognised, and must not live on."""
        turn = self._turns.number(time_s)
        if turn == self._turn:
            return
        if self._turn is not None and self._last_s is not None:
            self._end_stretch(self._last_s)
            self._begin_s = time_s
            # What it learnt of kinds of phones is under the key that has gone: dead weight.
            self._linker = Linker(self._calibration.paces)
        self._turn = turn

    def _let_go(self, time_s: float) -> None:
        """Every ten minutes: give what can no longer change, where somebody takes it."""
        self._look_s = time_s + WINDOW_S
        if self._take is None or self._first_s is None:
            return
        over = self._presence.windows_over(self._first_s, time_s, self._calibration)
        for window in self._as_may_be_known(over):
            self._take(window)
        for by_hour in self._counts():
            self._fair_days.thin(by_hour, now_s=time_s)

    def _counts(self) -> tuple[dict[int, HourOfPieces], ...]:
        return (self._pieces.by_hour, *(counter.by_hour for counter in self._between))

    def _as_may_be_known(self, windows: Sequence[Occupancy]) -> list[Occupancy]:
        if not self._listening.unknown_because("occupancy"):
            return list(windows)
        return [
            replace(window, people=None, low=None, high=None)
            for window in windows
            if window.people is not None
        ]

    def finish(self, counts: FrameCounts, warnings: Sequence[CaptureWarning]) -> Replay:
        """The captures are over: close what is open and give the account."""
        occupancy: list[Occupancy] = []
        if self._first_s is not None and self._last_s is not None:
            self._end_stretch(self._last_s)
            for counter in self._between:
                counter.end()
            occupancy = self._as_may_be_known(
                self._presence.windows(self._first_s, self._last_s, self._calibration)
            )
            if self._take is not None:
                for window in occupancy:
                    self._take(window)
                occupancy = []
        return Replay(
            counts=counts,
            repeats=self._once.repeats,
            first_s=self._first_s,
            last_s=self._last_s,
            visits=self._sample.count,
            fixed=self._fixed,
            dwell=self._dwell(),
            occupancy=tuple(occupancy),
            by_quarter=self._by_quarter,
            pieces=self._counts(),
            warnings=tuple(warnings),
            calibration=self._calibration,
            listening=self._listening,
        )

    def _dwell(self) -> DwellEstimate:
        learnt = self._calibration
        if self._listening.mode is Mode.STRICT:
            pieces = gathered_together(self._counts(), start_s=-inf, end_s=inf)
            dwell = estimate_dwell_of_pieces(
                pieces, learnt.paces, slot_s=STRICT_S, error_share=learnt.dwell_error_share
            )
            return replace(dwell, unheard_share=None)  # it is of pieces, not of visitors
        if not self._sample.count:
            return unknown_dwell(0, "no visit was heard")
        return estimate_dwell(self._sample.kept, learnt.paces, error_share=learnt.dwell_error_share)

    def _end_stretch(self, end_s: float) -> None:
        if self._listening.mode is Mode.STRICT:
            begin_s, _ = self._turns.span_s(self._turns.number(end_s))
            self._pieces.end(begin_s)
            self._once = Once(self._once.repeats)
            return
        for burst in self._bursts.finish():
            for visit in self._linker.feed(burst):
                self._close(visit, end_s)
        for visit in self._linker.finish():
            self._close(visit, end_s)
        visitors, things = self._throughout.end(begin_s=self._begin_s, end_s=end_s)
        self._fixed += things
        for visit in visitors:
            self._count(visit)

    def _close(self, visit: Visit, now_s: float) -> None:
        if visit.fixed:
            self._fixed += 1
            return
        for visitor in self._throughout.sort(visit, begin_s=self._begin_s, now_s=now_s):
            self._count(visitor)

    def _count(self, visit: Visit) -> None:
        self._sample.add(visit)
        if self._take is not None:
            return
        quarter = floor(visit.first_s / FINEST_S) * FINEST_S
        self._by_quarter.setdefault(quarter, VisitSample(SAMPLE_VISITS_FINEST)).add(visit)


_STANDARD: Final = Listening()


def replay(
    captures: Sequence[Path],
    calibration: Calibration,
    *,
    listening: Listening = _STANDARD,
    admits: Callable[[bytes], bool] | None = None,
    tell: Callable[[CaptureWarning], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
    take: Callable[[Occupancy], None] | None = None,
) -> Replay:
    """Run over captures as one stream in order of time.

    Args:
        listening: in which mode; it says when keys and state go.
        admits: whether a raw address may be heard at all (`probes.lists`).
        tell: called at once for each warning, which the account holds too.
        progress: called now and then with the bytes read and the bytes in all.
        take: as for `Ears`: with it captures may be of any length.
    Raises:
        CaptureRefused: one of the captures cannot be read at all.
    """
    warnings: list[CaptureWarning] = []

    def warn(warning: CaptureWarning) -> None:
        warnings.append(warning)
        if tell is not None:
            tell(warning)

    reader = FrameReader(turns=listening.turns, admits=admits)
    frames = frames_of(captures, reader, warn=warn, progress=progress)
    ears = heard(frames, calibration, listening, take=take)
    # What several captures had to tell came as they were read in turns: put in an order of its own.
    warnings.sort(key=lambda warning: (warning.capture, warning.message))
    for warning in warnings_about(reader.counts):
        warn(warning)
    return ears.finish(reader.counts, warnings)


def heard(
    frames: Iterable[Frame], calibration: Calibration, listening: Listening, *,
    take: Callable[[Occupancy], None] | None = None,
) -> Ears:  # fmt: skip
    """Ears that have heard these frames, which come in order of time."""
    ears = Ears(calibration, listening, take=take)
    for frame in frames:
        ears.hear(frame)
    return ears


def warnings_about(counts: FrameCounts) -> list[CaptureWarning]:
    """What the counts of frames have to tell a person."""
    found = []
    for link, number in sorted(counts.not_wifi.items()):
        found.append(
            CaptureWarning(
                "not_wifi",
                "all",
                f"{number} frames of link type {link} were skipped: 802.11 is read as "
                "105, 119, 127, 163 or 192 (capture in monitor mode)",
            )
        )
    if counts.without_time:
        found.append(
            CaptureWarning(
                "frame_without_time",
                "all",
                f"{counts.without_time} probe requests carry no time and were left out",
            )
        )
    return found

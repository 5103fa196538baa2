"""Measure the ears on one capture: parsing, the whole chain, memory, and scapy beside them."""

import resource
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from probes.calibration import read_calibration
from probes.captures import Capture, Record
from probes.errors import SourceFailure, SourceRefused
from probes.frames import Frame, FrameReader
from probes.modes import Listening, Mode
from probes.occupancy import Occupancy
from probes.replay import heard
from probes.streams import in_order

_SCAPY_FRAMES: Final = 2_000
_FRAMES_MIN: Final = 100_000
_DAY_S: Final = 86_400.0
_POINTS: Final = 10


@dataclass(frozen=True, slots=True)
class MemoryAt:
    """How much memory this process held after so many frames."""

    frames: int
    resident_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Rates are in frames a second of this process's own processor time."""

    frames_a_second_raw: float
    frames_a_second_parsed: float
    frames_a_second_chain: float
    frames_a_second_scapy: float
    parsed_to_scapy: float
    parsed_to_raw: float
    chain_frames: int
    chain_days: int
    """One day's frames again and again, each time some days later."""
    chain_windows: int
    mode: Mode
    memory: tuple[MemoryAt, ...]
    """At each tenth; the last when the account is made, its estimates included."""

    @property
    def grown_mb(self) -> float:
        """From the first tenth to the last while frames come: the account takes some more."""
        return self.memory[-2].resident_mb - self.memory[0].resident_mb


def measure(
    capture: Path, frames: int, *, mode: Mode = Mode.STANDARD,
    say: Callable[[str], None] = lambda _: None,
) -> Measured:  # fmt: skip
    """Measure parsing, the whole chain as `storepulse probes replay` runs it, and scapy.

    Args:
        frames: how long the replay is over which memory is watched; the capture is read again and
            again, each time later by whole days.
        say: told how far it is.
    Raises:
        SourceRefused: scapy is not installed, or the capture holds no frame.
    """
    with TemporaryDirectory() as folder:
        plain = _plain(capture, Path(folder))
        count = sum(1 for _ in _records(plain))
        if not count:
            raise SourceRefused(SourceFailure.NOT_A_CAPTURE, f"{capture.name} holds no frame")
        laps = -(-_FRAMES_MIN // count)
        raw = _rate(lambda: sum(1 for _ in range(laps) for _ in _records(plain)))
        parsed = _rate(lambda: _parse(plain, laps))
        raw_again = _rate(lambda: sum(1 for _ in range(laps) for _ in _records(plain)))
        scapy = _rate(lambda: _scapy(plain))
        chain, days, windows, memory = _chain(plain, frames, mode, say)
    raw = (raw + raw_again) / 2
    return Measured(
        frames_a_second_raw=raw, frames_a_second_parsed=parsed, frames_a_second_chain=chain,
        frames_a_second_scapy=scapy, parsed_to_scapy=parsed / scapy, parsed_to_raw=parsed / raw,
        chain_frames=frames, chain_days=days, chain_windows=windows, mode=mode,
        memory=tuple(memory),
    )  # fmt: skip


def _plain(capture: Path, folder: Path) -> Path:
    """The records as a plain file, so that what unpacking costs is in none of the figures."""
    records = Capture(capture, warn=lambda _: None)
    copy = folder / "plain.pcap"
    with copy.open("wb") as file:
        link = None
        for record in records.records():
            if link is None:
                link = record.link
                file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, link))
            if record.link == link and record.time_s is not None:
                seconds, rest = divmod(round(record.time_s * 1e6), 1_000_000)
                head = struct.pack("<IIII", seconds, rest, len(record.data), len(record.data))
                file.write(head + record.data)
    return copy


def _records(plain: Path) -> Iterator[Record]:
    return Capture(plain, warn=lambda _: None).records()


def _rate(run: Callable[[], int]) -> float:
    began_s = time.process_time()
    count = run()
    return count / (time.process_time() - began_s)


def _parse(plain: Path, laps: int) -> int:
    count = 0
    for _ in range(laps):
        reader = FrameReader()
        for record in _records(plain):
            reader.read(record)
            count += 1
    return count


def _chain(
    plain: Path, frames: int, mode: Mode, say: Callable[[str], None]
) -> tuple[float, int, int, list[MemoryAt]]:
    """The rate of reading, linking, people and dwell together; the days, windows and memory."""
    listening = Listening(mode)
    reader = FrameReader(turns=listening.turns)
    memory: list[MemoryAt] = []
    windows = 0

    def watched() -> Iterator[Frame]:
        for number, record in enumerate(islice(_endless(plain), frames), 1):
            frame = reader.read(record)
            if frame is not None:
                yield frame
            if number % max(frames // _POINTS, 1) == 0 and number < frames:
                _note(memory, number, say)

    def take(_: Occupancy) -> None:
        nonlocal windows
        windows += 1

    began_s = time.process_time()
    ordered = in_order(watched(), late=lambda: None)
    account = heard(ordered, read_calibration(), listening, take=take).finish(reader.counts, ())
    rate = reader.counts.frames / (time.process_time() - began_s)
    _note(memory, frames, say)
    return rate, int(account.span_s // _DAY_S) + 1, windows, memory


def _note(memory: list[MemoryAt], frames: int, say: Callable[[str], None]) -> None:
    memory.append(MemoryAt(frames, _resident_mb()))
    say(f"{frames:,} frames: {memory[-1].resident_mb:.1f} MB")


def _endless(plain: Path) -> Iterator[Record]:
    """The capture again and again, each lap some days after the one before, at the same hours."""
    later_s = 0.0
    while True:
        first_s = last_s = None
        for record in _records(plain):
            assert record.time_s is not None
            first_s = record.time_s if first_s is None else first_s
            last_s = record.time_s
            yield record._replace(time_s=record.time_s + later_s)
        if first_s is None or last_s is None:
            return
        later_s += _DAY_S * (max(last_s - first_s, 0.0) // _DAY_S + 1)


def _resident_mb() -> float:
    """What this process holds now; the most that it held where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _scapy(plain: Path) -> int:
    try:
        from scapy.layers import dot11  # noqa: F401  (registers the link types)
        from scapy.utils import PcapReader
    except ImportError as error:
        raise SourceRefused(
            SourceFailure.NO_SYSTEM, "scapy is needed for the comparison: pip install scapy"
        ) from error
    with PcapReader(str(plain)) as reader:
        return sum(1 for _ in islice(reader, _SCAPY_FRAMES))

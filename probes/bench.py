"""Measure the ears on one capture: parsing, the whole chain, memory, and scapy beside them."""

import resource
import struct
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from probes.calibration import read_calibration
from probes.captures import Capture, Record
from probes.errors import SourceFailure, SourceRefused
from probes.frames import Frame, FrameReader
from probes.listening import accounts_of_days
from probes.modes import Listening
from probes.streams import in_order

_SCAPY_FRAMES: Final = 2_000
_FRAMES_MIN: Final = 100_000
_LAP_PAUSE_S: Final = 3600.0


def measure(capture: Path, frames: int) -> dict[str, float]:
    """Figures by name; rates in frames a second of this process's own processor time.

    Args:
        frames: how long the replay is over which memory is watched; the capture is read again and
            again, each time later.
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
        chain, before_kb, after_kb = _chain(plain, frames)
        scapy = _rate(lambda: _scapy(plain))
    raw = (raw + raw_again) / 2
    return {
        "frames_a_second_raw": raw,
        "frames_a_second_parsed": parsed,
        "frames_a_second_chain": chain,
        "frames_a_second_scapy": scapy,
        "parsed_to_scapy": parsed / scapy,
        "parsed_to_raw": parsed / raw,
        "chain_frames": frames,
        "memory_mb_at_a_third": before_kb / 1024,
        "memory_mb_at_the_end": after_kb / 1024,
    }


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


def _chain(plain: Path, frames: int) -> tuple[float, int, int]:
    """Rate of reading, linking and visits together; memory (KB) after a third and at the end."""
    listening = Listening()
    reader = FrameReader(turns=listening.turns)
    before_kb = 0
    began_s = time.process_time()
    endless = (reader.read(record) for record in islice(_endless(plain), frames))
    whole = (frame for frame in endless if frame is not None)

    def watched() -> Iterator[Frame]:
        nonlocal before_kb
        for number, frame in enumerate(in_order(whole, late=lambda: None)):
            yield frame
            if number == frames // 3:
                before_kb = _peak_kb()

    for _ in accounts_of_days(
        watched(), read_calibration(), listening, counts=lambda: reader.counts
    ):
        pass
    rate = reader.counts.frames / (time.process_time() - began_s)
    after_kb = _peak_kb()
    return rate, before_kb, after_kb


def _endless(plain: Path) -> Iterator[Record]:
    """The capture again and again, each lap an hour after the one before."""
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
        later_s += last_s - first_s + _LAP_PAUSE_S


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


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

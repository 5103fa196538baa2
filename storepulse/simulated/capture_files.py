"""Write simulated probe requests as a capture file, as a radio in monitor mode would. Reads none.

Classic pcap, little-endian, microseconds, link type 127 (radiotap), frames with their check sum.
"""

import gzip
import struct
from datetime import datetime
from pathlib import Path
from typing import Final
from zlib import crc32

from storepulse.simulated.phones import Crowd, SentProbe

_FILE_HEADER: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 127)
_BROADCAST: Final = b"\xff" * 6
_PRESENT: Final = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 11
"""Flags, rate, channel, signal in dBm, antenna."""
_FCS_AT_END: Final = 0x10
_RATE_1_MBPS: Final = 2
_CHANNEL_6_MHZ: Final = 2437
_CHANNEL_2_GHZ_CCK: Final = 0x00A0


def write_capture(crowd: Crowd, path: Path) -> None:
    """Write what a crowd's phones sent; compressed if the name ends in .gz. Overwrites.

    The same crowd gives the same bytes.
    """
    data = capture_bytes(crowd)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def capture_bytes(crowd: Crowd) -> bytes:
    """The same as bytes, not compressed."""
    return _FILE_HEADER + b"".join(_record(probe) for probe in crowd.probes)


def _record(probe: SentProbe) -> bytes:
    frame = _radiotap(probe.signal_dbm) + _probe_request(probe)
    seconds, microseconds = _unix_time(probe.at)
    return struct.pack("<IIII", seconds, microseconds, len(frame), len(frame)) + frame


def _unix_time(moment: datetime) -> tuple[int, int]:
    whole = moment.replace(microsecond=0)
    return int(whole.timestamp()), moment.microsecond


def _radiotap(signal_dbm: int) -> bytes:
    fields = struct.pack(
        "<BBHHbB", _FCS_AT_END, _RATE_1_MBPS, _CHANNEL_6_MHZ, _CHANNEL_2_GHZ_CCK, signal_dbm, 0
    )
    return struct.pack("<BBHI", 0, 0, 8 + len(fields), _PRESENT) + fields


def _probe_request(probe: SentProbe) -> bytes:
    header = struct.pack(
        "<BBH6s6s6sH", 0x40, 0, 0, _BROADCAST, probe.address, _BROADCAST, probe.sequence << 4
    )
    frame = header + probe.body
    return frame + struct.pack("<I", crc32(frame))

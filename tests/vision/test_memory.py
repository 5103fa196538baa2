"""What is free goes back to the system."""

import platform
from pathlib import Path

import pytest

from vision.memory import give_back


def resident_mb() -> float:
    held = Path("/proc/self/statm").read_text("ascii")
    return int(held.split()[1]) * 4096 / 2**20


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="not run: another C library cannot give back"
)
def test_what_was_freed_between_what_is_kept_is_given_back() -> None:
    # Pieces below the size that glibc gives back by itself, every other one freed.
    pieces = [bytearray(b"x") * 60_000 for _ in range(1000)]
    held = resident_mb()
    del pieces[::2]
    assert give_back()
    assert resident_mb() < held - 15
    assert len(pieces) == 500

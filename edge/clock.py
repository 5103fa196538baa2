"""What the node's clocks say: wall clock, boot, time since boot, and whether NTP has hold of it."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from storepulse.wire import Clock

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_STA_UNSYNC: Final = 0x0040
"""linux/timex.h: the kernel's clock is not disciplined."""
_TIME_ERROR: Final = 5
"""linux/timex.h: what adjtimex returns when the clock is not synchronised."""

SynchronisedSetting = Literal["ask", "yes", "no"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of all clocks at once."""

    at: datetime
    clock: Clock


Now = Callable[[], Moment]
"""Where time comes from; tests hand in their own."""


class _Timex(ctypes.Structure):
    """struct timex of linux/timex.h up to `status`; the rest is only room for the kernel."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def kernel_says_synchronised() -> bool:
    """Ask the kernel (adjtimex, changing nothing); False where it cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    timex = _Timex()
    state = adjtimex(ctypes.byref(timex))
    return 0 <= state < _TIME_ERROR and not timex.status & _STA_UNSYNC


def boot_id() -> str:
    """The kernel's name for this boot; "unknown" where there is none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def seconds_since_boot() -> float:
    """Seconds since boot, sleep included: the wall clock goes on while a machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def now_of(synchronised: SynchronisedSetting) -> Now:
    """The clocks of this machine; `synchronised` other than "ask" is believed in place of NTP."""
    boot = boot_id()

    def now() -> Moment:
        told = kernel_says_synchronised() if synchronised == "ask" else synchronised == "yes"
        clock = Clock(boot=boot, monotonic_s=seconds_since_boot(), synchronised=told)
        return Moment(at=datetime.now(UTC), clock=clock)

    return now

"""Give memory back that is free but still held. Changes nothing that is computed.

glibc keeps what was freed, up to 64 MB at the end of each heap and all that lies between: after a
look and a search for faces some 100 MB, on a box that has 2 GB.
"""

import ctypes
import sys
from functools import cache


def give_back() -> bool:
    """Hand free memory back to the system; a few ms, best where nobody waits.

    Returns:
        Whether any was given; False also where the C library cannot (musl, macOS, Windows).
    """
    trim = _trim()
    return trim is not None and bool(trim(0))


@cache
def _trim() -> "ctypes._NamedFuncPointer | None":
    if not sys.platform.startswith("linux"):
        return None
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
    trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim

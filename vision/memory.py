"""Give memory back that is free but still held. Changes nothing that is computed.

glibc keeps what was freed, up to 64 MB at the end of each heap and all that lies between: after a
look and a search for faces some 100 MB, on a box that has 2 GB.
"""

import ctypes
import sys
from functools import cache
from typing import Any, Final


def give_back() -> bool:
    """Hand free memory back to the system; a few ms, best where nobody waits.

    Returns:
        Whether any was given; False also where the C library cannot (musl, macOS, Windows).
    """
    trim = _found("malloc_trim", ctypes.c_size_t)
    return trim is not None and bool(trim(0))


def one_heap() -> None:
    """Let all threads take memory from one place, said before they begin: what one thread's own
    heap has left free no other could use. Nothing where the C library has no such setting."""
    if (setting := _found("mallopt", ctypes.c_int, ctypes.c_int)) is not None:
        setting(_ARENA_MAX, 1)


_ARENA_MAX: Final = -8
"""glibc's number for it (malloc.h)."""


@cache
def _found(name: str, *arguments: Any) -> Any:
    """A function of the C library that answers with a number; None: it is not there."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):
        return None
    found.argtypes, found.restype = arguments, ctypes.c_int
    return found

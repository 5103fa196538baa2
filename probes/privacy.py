"""Have this process keep what it sees to itself, and end with its parent (operating system)."""

import ctypes
import resource
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4


def keep_to_itself() -> bool:
    """No core dump, and no other process of the same user may look into the memory.

    Called by every command that sees frames, before the first is read.

    Returns:
        Whether both held; False on systems without prctl, where only the core dump is off.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, min(most, 0) if most >= 0 else 0))
    if not sys.platform.startswith("linux"):
        return False
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return bool(prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)


def end_with_parent() -> None:
    """Have this process stopped (SIGTERM) when the one that started it is gone, killed or not.

    A listener that outlives its node would go on hearing for nobody. Nothing on systems without
    prctl: there it ends when it next has something to tell.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)

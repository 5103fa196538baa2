"""Make this process keep what it sees to itself (operating system). Changes nothing on the disk."""

import ctypes
import resource
import sys
from typing import Final

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

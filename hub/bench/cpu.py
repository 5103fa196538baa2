"""What a bench must know of processes: processor time, and a quick end of its own database."""

import os
import signal
from pathlib import Path

from hub.store.database import Database


def cpu_s(process: int) -> float:
    """CPU seconds of a process so far, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_cpu_s(parent: int | None) -> float:
    """CPU seconds of a process and its children, those that have ended included."""
    if parent is None:
        return 0.0
    ticks = 0
    for one in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = one.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended just now: its parent counts it
        if int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
        elif one.parent.name == str(parent):
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def throw_away(database: Database) -> None:
    """End a bench's own database server at once: nobody needs what it would still write."""
    if database.embedded is not None:
        os.kill(database.embedded.pid, signal.SIGQUIT)

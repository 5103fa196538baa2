"""Child processes of the demo: started, watched, waited for, and all ended at the end.

Each has its own session, so Ctrl-C reaches the demo alone, which ends them in its own order. What
a child says goes into a log file; its last lines are what a failed stage shows.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from storepulse.errors import StorepulseError

_LOOK_EVERY_S: Final = 0.05
_LAST_LINES: Final = 12
_TELL_TO_END_S: Final = 10.0
"""So long a child may take to put its things away after SIGTERM; then it is killed."""

Found = TypeVar("Found")


class StageFailed(StorepulseError):
    """A stage did not come to its end; the message says which, why, and a child's last lines."""


@dataclass(slots=True)
class Child:
    """One started process."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    log: Path
    """What it said on stderr, over all its lives."""
    out: Path
    """What this life said on stdout."""
    process: subprocess.Popen[bytes]

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def last_lines(self, count: int = _LAST_LINES) -> str:
        """The end of what it said, for a person."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-count:])

    def first_words(self) -> dict[str, Any] | None:
        """The first line of its stdout, a JSON object by which our servers say where they listen.

        None as long as there is no whole line.
        """
        line, newline, _ = self.out.read_text(errors="replace").partition("\n")
        if not newline:
            return None
        words: dict[str, Any] = json.loads(line)
        return words

    def kill(self) -> None:
        """As a power cut would: SIGKILL to the process itself, not to its children."""
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Children:
    """The children of one run; leaving the `with` block ends those that are left, newest first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._started: list[Child] = []
        logs.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in reversed(self._started):
            end(child)

    def start(self, name: str, argv: Sequence[str], **environment: str) -> Child:
        """Start a process; its stderr is appended to NAME.log, its stdout goes to NAME.out."""
        log, out = self._logs / f"{name}.log", self._logs / f"{name}.out"
        with log.open("ab") as said, out.open("wb") as told:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=said,
                env={**os.environ, **environment},
                start_new_session=True,
            )
        child = Child(name, tuple(argv), dict(environment), log, out, process)
        self._started.append(child)
        return child

    def start_again(self, child: Child) -> Child:
        """Start the same command anew, after its process ended."""
        return self.start(child.name, child.argv, **child.environment)


def end(child: Child, *, patience_s: float = _TELL_TO_END_S) -> None:
    """End a child and whatever it started: it is asked, then killed."""
    if child.alive:
        child.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(patience_s)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, signal.SIGKILL)
    child.process.wait()


def wait_until(
    look: Callable[[], Found | None],
    *,
    what: str,
    limit_s: float,
    needs: Sequence[Child] = (),
    look_every_s: float = _LOOK_EVERY_S,
) -> Found:
    """Look again and again until something is found.

    Args:
        look: gives None (or False) as long as it is not there; may raise OSError meanwhile.
        what: names it in the error.
        needs: children without which it cannot come: if one ends, waiting ends.
    Raises:
        StageFailed: it did not come in time, or a child that it needs has ended.
    """
    until = time.monotonic() + limit_s
    trouble = ""
    while True:
        try:
            found = look()
        except OSError as error:
            found, trouble = None, f" ({error})"
        if found is not None and found is not False:
            return found
        for child in needs:
            if not child.alive:
                raise StageFailed(
                    f"{what}: {child.name} ended with exit code {child.process.returncode}; "
                    f"it last said:\n{child.last_lines()}"
                )
        if time.monotonic() > until:
            said = "".join(f"\n{child.name} last said:\n{child.last_lines()}" for child in needs)
            raise StageFailed(f"{what}: not within {limit_s:g} s{trouble}{said}")
        time.sleep(look_every_s)


def run_to_end(argv: Sequence[str], *, what: str, limit_s: float, **environment: str) -> str:
    """Run a command and give back its stdout.

    Raises:
        StageFailed: it ended with another code than 0, or not in time.
    """
    try:
        done = subprocess.run(
            list(argv), capture_output=True, timeout=limit_s, check=False, text=True,
            stdin=subprocess.DEVNULL, env={**os.environ, **environment},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise StageFailed(f"{what}: not within {limit_s:g} s") from error
    if done.returncode != 0:
        last = "\n".join(done.stderr.splitlines()[-_LAST_LINES:])
        raise StageFailed(f"{what}: exit code {done.returncode}; it last said:\n{last}")
    return done.stdout

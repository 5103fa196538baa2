"""Prove that no address of a capture leaves: run the real chain over it, end it, search it all.

A node (`storepulse edge run`) with its supervised ears in a folder of its own, its core dumps
allowed, its broker recorded; with a hub, the hub's database too. Ended in three ways: shut down in
order after the facts have gone up; killed, and aborted, in the middle of the capture. Searched are
the folder (outbox, logs, core dumps), what the processes said, and the wire.
"""

import fcntl
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from struct import unpack
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from probes.captures import Capture
from probes.errors import SourceFailed, SourceFailure
from probes.frames import PROBE_REQUEST
from probes.leak_search import Leak, LeakSearch, files_under
from probes.link_headers import LINK_HEADERS
from probes.recording_broker import RecordingBroker, RecordingRelay
from probes.spellings import needles_of

ENDINGS: Final[Mapping[str, signal.Signals | None]] = {
    "shut down": None,
    "killed": signal.SIGKILL,
    "aborted": signal.SIGABRT,
}
_START_S: Final = 120.0
_END_S: Final = 60.0
_HEADER_BYTES: Final = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the chain, ended in one way."""

    ending: str
    leaks: tuple[Leak, ...]
    bytes_searched: int
    places: tuple[str, ...]
    """What was searched."""
    facts_went_up: bool


def needles_of_capture(capture: Path) -> tuple[dict[bytes, str], int, int]:
    """What must not be found: needles, how many addresses and how many network names they are of.

    Addresses are all three of each probe request; network names those that were asked for.
    """
    addresses: set[bytes] = set()
    names: set[bytes] = set()
    for record in Capture(capture, warn=lambda _: None).records():
        find = LINK_HEADERS.get(record.link)
        found = find(record.data, record.cut, record.fcs_noted) if find else None
        if found is None or found[1] - found[0] < _HEADER_BYTES:
            continue
        start, end = found[0], found[1]
        if record.data[start] != PROBE_REQUEST:
            continue
        addresses.update(record.data[start + at : start + at + 6] for at in (4, 10, 16))
        body = record.data[start + _HEADER_BYTES : end]
        if len(body) > 2 and body[0] == 0 and len(body) >= 2 + body[1]:
            names.add(body[2 : 2 + body[1]])
    addresses.discard(b"\xff" * 6)
    return needles_of(addresses, names), len(addresses), len(names)


def prove(
    capture: Path, *, with_hub: bool, mode: str, also: list[Path], say: Callable[[str], None],
    plant: Callable[[Path], None] | None = None,
    endings: Mapping[str, signal.Signals | None] = ENDINGS,
) -> Iterator[Run]:  # fmt: skip
    """Run, end and search, once for each ending.

    Args:
        also: files and folders to be searched besides (a database's dump, for one).
        endings: by name; the signal, or None for an end in order.
        plant: called with the folder before it is searched: a test's own leak.
    Raises:
        SourceFailed: the chain did not start.
    """
    needles, _, _ = needles_of_capture(capture)
    for ending, number in endings.items():
        say(f"running the chain, to be {ending}")
        with TemporaryDirectory(prefix="storepulse-proof-") as name, ExitStack() as opened:
            folder = Path(name)
            # Run by root, the hub's database runs as a lower user, who must get through here.
            folder.chmod(0o711)
            broker = _broker(folder, with_hub, opened)
            up = _run_chain(folder, capture, broker, number, mode)
            wire = broker.wire
            opened.close()  # the hub writes what it holds
            if plant is not None:
                plant(folder)
            search = LeakSearch(needles)
            leaks = search.search("wire", wire)
            places = ["wire"]
            for place, data in files_under(folder):
                if not data:
                    continue
                leaks += search.search(place, data)
                places.append(place)
            for more in also:
                for place, data in files_under(more) if more.is_dir() else [("", _read(more))]:
                    leaks += search.search(f"{more.name}/{place}", data)
                    places.append(f"{more.name}/{place}")
            yield Run(
                ending=ending, leaks=tuple(leaks), bytes_searched=search.bytes_searched,
                places=tuple(one for one in places if not one.startswith("name of ")),
                facts_went_up=up,
            )  # fmt: skip


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceFailed(
            SourceFailure.NOT_A_CAPTURE, f"cannot read {path}: {error.strerror}"
        ) from error


def _allow_core_dumps() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def _start(
    folder: Path, name: str, arguments: list[str], more: dict[str, str]
) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder), **more}
    environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    with (folder / f"{name}.out").open("wb") as out, (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "storepulse", *arguments],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
            preexec_fn=_allow_core_dumps,
        )


def _said(folder: Path, name: str, process: subprocess.Popen[bytes]) -> dict[str, str]:
    """The JSON line by which a command says that it is ready."""

    def ready() -> bool:
        return b"\n" in (folder / f"{name}.out").read_bytes() or process.poll() is not None

    _wait(ready, _START_S)
    first = (folder / f"{name}.out").read_bytes().split(b"\n")[0]
    try:
        said: dict[str, str] = json.loads(first)
    except ValueError as error:
        last = (folder / f"{name}.log").read_text(errors="replace").strip().splitlines()[-1:]
        raise SourceFailed(
            SourceFailure.NO_SYSTEM, f"the {name} did not start: {' '.join(last) or 'no word'}"
        ) from error
    return said


def _broker(folder: Path, with_hub: bool, opened: ExitStack) -> RecordingBroker | RecordingRelay:
    broker: RecordingBroker | RecordingRelay
    if not with_hub:
        broker = RecordingBroker()
    else:
        database = folder / "database"
        arguments = ["hub", "run", "--database", str(database), "--port", "0", "--broker-port", "0"]
        hub = _start(folder, "hub", [*arguments, "--chain", "proof"], {})
        opened.callback(_end, hub)
        at = urlsplit(_said(folder, "hub", hub)["broker"])
        broker = RecordingRelay(at.hostname or "127.0.0.1", at.port or 1883)
    opened.callback(broker.close)
    return broker


def _run_chain(
    folder: Path, capture: Path, broker: RecordingBroker | RecordingRelay,
    number: signal.Signals | None, mode: str,
) -> bool:  # fmt: skip
    """Run a node over the capture and end it; whether facts went up."""
    fed = capture.resolve()
    if number is not None:
        fed = folder / "capture"
        os.mkfifo(fed)
    ears = [sys.executable, "-m", "probes.worker", "--mode", mode]
    node = _start(
        folder,
        "node",
        [
            "edge", "run", "--data", str(folder / "node"), "--chain", "proof", "--shop", "s",
            "--node", "n", "--broker", f"mqtt://127.0.0.1:{broker.port}", "--port", "0",
            "--clock", "yes", "--verbose", "--capture", str(fed),
        ],
        # Photos are no part of this: a child that waits and ends with the node.
        {"STOREPULSE_EDGE_RADIO_COMMAND": shlex.join(ears), "STOREPULSE_EDGE_JUDGE_COMMAND": "cat"},
    )  # fmt: skip
    try:
        _said(folder, "node", node)
        if number is None:
            went_up = broker.wait_for_messages(b"/up/facts", _START_S)
            time.sleep(1.0)  # what follows the first packet
            return went_up
        with _half_fed(fed, capture.read_bytes(), node.pid) as listener:
            for pid in (listener, node.pid):
                os.kill(pid, number)
            _wait(lambda: not _alive(listener), _END_S)
        return False
    finally:
        _end(node)
        if number is not None:
            fed.unlink()


@contextmanager
def _half_fed(pipe: Path, whole: bytes, node: int) -> Iterator[int]:
    """Write half of the capture into the pipe of the ears, who wait for more; give their pid."""
    ends: list[int] = []

    def opened() -> bool:
        with suppress(OSError):
            ends.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(ends)

    _wait(opened, _START_S)
    os.set_blocking(ends[0], True)
    with os.fdopen(ends[0], "wb", buffering=0) as end:
        for at in range(0, max(len(whole) // 2, 1), 4096):
            end.write(whole[at : min(at + 4096, len(whole) // 2)])
        _wait(lambda: unpack("i", fcntl.ioctl(end, termios.FIONREAD, b"\0" * 4))[0] == 0, _END_S)
        yield _child_running(node, "probes.worker")


def _child_running(parent: int, module: str) -> int:
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return int(pid)
    raise SourceFailed(SourceFailure.NO_SYSTEM, "the node's ears are not running")


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait(until: Callable[[], bool], timeout_s: float) -> None:
    end_s = time.monotonic() + timeout_s
    while not until():
        if time.monotonic() > end_s:
            raise SourceFailed(SourceFailure.SILENT, "the chain did not come on in time")
        time.sleep(0.05)

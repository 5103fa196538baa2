"""Where payloads arrive: a folder, MQTT, UDP, a web hook (sockets, disk). Understands none of them.

Each way hands a payload to `take` and goes on until it is cancelled. What `take` refuses is told,
by its reason alone, and the way goes on: one bad payload stops no other.

A file is moved, and a message acknowledged, only when it was taken: what a kill met in between
comes again, with the key by which whoever took it knows it.
"""

import asyncio
import contextlib
import errno
import hashlib
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any, Final

from probes.errors import SourceFailed, SourceFailure, SourceRefused
from storepulse.units import MIB


@dataclass(frozen=True, slots=True)
class Delivery:
    """Whether a payload can have come before."""

    key: str = ""
    """Says the same of the same payload that comes again; "" where nothing comes twice."""
    repeated: bool = False
    """It may have been taken before: whoever knows its key must not count it again."""


ONCE: Final = Delivery()
Take = Callable[[bytes, float, Delivery], None]
"""Takes a payload and the moment of its receipt, seconds UTC. What it took is safe on return."""
Say = Callable[[str], None]

_LOOK_S: Final = 2.0
_DONE: Final = "done"
_REFUSED: Final = "refused"
_AGAIN_S: Final = (1.0, 60.0)
_DATAGRAM_BYTES_MAX: Final = 65_535
_WAITING_MAX: Final = 10_000
_SAID_AGAIN_S: Final = 3600.0
AWAY_S_MAX: Final = 600.0
"""A broker that is away for longer is told as a failure: the node's doctor shows it then, and the
node goes on trying."""
FILE_BYTES_MAX: Final = 256 * MIB
"""A larger file would take a small machine's memory: a day's log of a large house has a tenth."""


class Refusals:
    """Says why payloads are refused: each reason at once, then hourly with how many more came.

    Whoever sends rubbish all day must not fill the log with it.
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._said: dict[str, tuple[float, int]] = {}

    def note(self, reason: str, at_s: float) -> None:
        """One more payload was refused; `reason` repeats nothing of it."""
        said_s, more = self._said.get(reason, (float("-inf"), 0))
        if abs(at_s - said_s) < _SAID_AGAIN_S:
            self._said[reason] = said_s, more + 1
            return
        self._say(f"{reason} ({more} more since this was said last)" if more else reason)
        self._said[reason] = at_s, 0


async def from_folder(folder: Path, take: Take, *, say: Say, now: Callable[[], float]) -> None:
    """Take each file that is put into the folder, once it no longer grows, in order of names.

    What was taken moves to `done`, what was refused to `refused`; hidden files and those whose name
    ends in .part are still being written. A file that cannot be read stays, and is said.

    Raises:
        SourceFailed: the folder cannot be read or written.
    """
    refusals = Refusals(say)
    try:
        for place in (folder, folder / _DONE, folder / _REFUSED):
            place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_folder(folder, error) from error
    before: dict[Path, tuple[int, int]] = {}
    while True:
        try:
            sizes = {
                file: size for file in sorted(folder.iterdir()) if (size := _size_of_whole(file))
            }
            for file, size in sizes.items():
                if before.get(file) == size:
                    _take_file(file, take, say=say, refusals=refusals, received_s=now())
        except OSError as error:
            raise _no_folder(folder, error) from error
        before = sizes
        await asyncio.sleep(_LOOK_S)


def _take_file(file: Path, take: Take, *, say: Say, refusals: Refusals, received_s: float) -> None:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise SourceRefused(
                SourceFailure.WRONG_SHAPE,
                f"it is larger than {FILE_BYTES_MAX // MIB} MiB: part it into several files",
            )
        payload = file.read_bytes()
    except FileNotFoundError:
        return  # whoever put it there took it away again
    except OSError as error:
        refusals.note(f"{file.name} stays where it is: {error.strerror}", received_s)
        return
    except SourceRefused as refused:
        _set_aside(file, refused, say)
        return
    # A kill between taking and moving leaves it where it is: it looks like a new one.
    delivery = Delivery(_key(file.name.encode(), payload), repeated=True)
    try:
        take(payload, received_s, delivery)
    except SourceRefused as refused:
        _set_aside(file, refused, say)
    else:
        file.replace(file.parent / _DONE / file.name)


def _key(*parts: bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8))
        whole.update(part)
    return whole.hexdigest()


def _set_aside(file: Path, refused: SourceRefused, say: Say) -> None:
    say(f"{file.name} is set aside in {_REFUSED}: {refused}")
    file.replace(file.parent / _REFUSED / file.name)


def _size_of_whole(file: Path) -> tuple[int, int] | None:
    """Size and time of a file that may be read; None for any other thing."""
    if file.name.startswith(".") or file.suffix == ".part":
        return None
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return (stat.st_size, stat.st_mtime_ns) if S_ISREG(stat.st_mode) else None


def _no_folder(folder: Path, error: OSError) -> SourceFailed:
    why = {
        errno.EEXIST: "it is a file: name a folder",
        errno.ENOTDIR: "a part of its path is a file: name a folder",
        errno.EACCES: "this user may not write there: give the folder to the node's user",
        errno.EROFS: "it lies on a disk that cannot be written: what was read is moved within it",
        errno.ENOSPC: "the disk is full: free some room",
    }.get(error.errno or 0, error.strerror or str(error))
    return SourceFailed(SourceFailure.NOT_PERMITTED, f"the folder {folder} cannot be used: {why}")


async def from_topic(
    host: str, port: int, topic: str, take: Take, *, name: str, login: tuple[str, str] | None,
    say: Say, now: Callable[[], float],
) -> None:  # fmt: skip
    """Take each message of an MQTT topic filter; connects again, ever more slowly.

    A message is acknowledged when it was taken, not when it was received: one that a kill met in
    between comes again. (What a counter says with QoS 0 nobody keeps, and a kill may lose it.)

    Args:
        name: of this client at the broker, which keeps what is said while it is away.
        login: user and password; None for a broker that asks for none.
    Raises:
        SourceRefused: the library is not installed.
        SourceFailed: the broker refuses the login, or has been away for `AWAY_S_MAX`.
    """
    try:
        import aiomqtt
    except ImportError as error:
        raise _not_installed("MQTT") from error

    user, password = login or (None, None)
    refusals = Refusals(say)
    wait_s = _AGAIN_S[0]
    away_s = 0.0
    while True:
        try:
            client = aiomqtt.Client(
                host, port, identifier=name, clean_session=False, username=user, password=password
            )
            # Before it connects: the broker begins with what it has kept for us. By paho itself, as
            # aiomqtt offers no acknowledging.
            receipts = _Receipts(client._client)
            async with client:
                await client.subscribe(topic, qos=1)
                wait_s, away_s = _AGAIN_S[0], 0.0
                # What waits here is bounded by the broker, which sends only so many messages
                # ahead of their acknowledgements.
                async for message in client.messages:
                    payload = message.payload
                    if isinstance(payload, bytes | bytearray):
                        name_of = (message.mid.to_bytes(8), message.topic.value.encode())
                        key = _key(*name_of, payload) if message.qos else ""
                        delivery = Delivery(key, repeated=receipts.repeated(message.mid))
                        _take_or_note(bytes(payload), take, refusals, now(), delivery)
                    receipts.give(message.mid, message.qos)
        except aiomqtt.MqttError as error:
            if isinstance(error, aiomqtt.MqttCodeError) and _is_login(error.rc):
                raise _login_refused(host, port, login) from error
            if away_s >= AWAY_S_MAX:
                raise SourceFailed(
                    SourceFailure.SILENT,
                    f"the broker at {host}:{port} has been away for {away_s / 60:.0f} minutes "
                    f"({error}): is its address right, and does it run?",
                ) from error
            say(f"the broker at {host}:{port} is away ({error}); again in {wait_s:g} s")
            await asyncio.sleep(wait_s)
            away_s += wait_s
            wait_s = min(2 * wait_s, _AGAIN_S[1])


class _Receipts:
    """Acknowledges messages of one connection when it is told to, and not before."""

    def __init__(self, client: Any) -> None:
        """Args: client: paho's, not connected yet."""
        self._client = client
        self._repeated: set[int] = set()
        hear = client.on_message

        def note(it: Any, data: Any, message: Any) -> None:
            if message.dup:
                self._repeated.add(message.mid)
            hear(it, data, message)

        client.manual_ack_set(True)
        client.on_message = note

    def repeated(self, mid: int) -> bool:
        """Whether the broker said that it has sent this message before."""
        return mid in self._repeated

    def give(self, mid: int, qos: int) -> None:
        """The message is safe with us."""
        self._repeated.discard(mid)
        self._client.ack(mid, qos)


def _is_login(code: object) -> bool:
    """Whether a broker's answer is about who asks: by MQTT 3.1.1 (4, 5) or 5 (134, 135)."""
    return getattr(code, "value", code) in (4, 5, 134, 135)


def _login_refused(host: str, port: int, login: tuple[str, str] | None) -> SourceFailed:
    told = "it asks for a user" if login is None else "it does not know this user and password"
    return SourceFailed(
        SourceFailure.WRONG_SECRET,
        f"the broker at {host}:{port} refuses us: {told}; write USER:PASSWORD into a file and name "
        "it by ?secret=FILE",
    )


async def from_datagrams(
    host: str, port: int, take: Take, *, say: Say, now: Callable[[], float],
    ready: Callable[[int], None],
) -> None:  # fmt: skip
    """Take each UDP datagram (syslog). One that comes while ten thousand wait is lost, as UDP is.

    `ready` is told the port that is listened on.

    Raises:
        SourceFailed: the address cannot be listened on.
    """
    waiting: asyncio.Queue[bytes] = asyncio.Queue(_WAITING_MAX)

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:  # noqa: ARG002
            with contextlib.suppress(asyncio.QueueFull):
                waiting.put_nowait(data[:_DATAGRAM_BYTES_MAX])

    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(Receiver, local_addr=(host, port))
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    refusals = Refusals(say)
    ready(transport.get_extra_info("sockname")[1])
    try:
        while True:
            _take_or_note(await waiting.get(), take, refusals, now(), ONCE)
    finally:
        transport.close()


async def from_posts(app: object, host: str, port: int, *, ready: Callable[[int], None]) -> None:
    """Serve a web hook until this is cancelled; `ready` is told the port that is listened on.

    Raises:
        SourceFailed: the address cannot be listened on.
        SourceRefused: the library is not installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise _not_installed("a web hook") from error
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise _cannot_listen(host, port, error) from error
    # No access log: whoever posts, and what, stays out of all logs.
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")  # type: ignore[arg-type]

    class Server(uvicorn.Server):
        """Leaves the signals to the child that it is a part of."""

        @contextlib.contextmanager
        def capture_signals(self) -> Generator[None, None, None]:
            yield

    ready(listening.getsockname()[1])
    try:
        await Server(config).serve(sockets=[listening])
    finally:
        listening.close()


def _take_or_note(
    payload: bytes, take: Take, refusals: Refusals, at_s: float, delivery: Delivery
) -> None:
    try:
        take(payload, at_s, delivery)
    except SourceRefused as refused:
        refusals.note(f"what came was refused: {refused}", at_s)


def _cannot_listen(host: str, port: int, error: OSError) -> SourceFailed:
    why = {
        errno.EADDRINUSE: "another program, or another ear, has this port: name another one",
        errno.EADDRNOTAVAIL: "this machine has no such address: 0.0.0.0 listens on all it has",
        errno.EACCES: "ports below 1024 need the right CAP_NET_BIND_SERVICE: name a higher one",
    }.get(error.errno or 0, error.strerror or str(error))
    if isinstance(error, socket.gaierror):
        why = f"{host!r} is no address of this machine: 0.0.0.0 listens on all it has"
    return SourceFailed(SourceFailure.NOT_PERMITTED, f"cannot listen on {host}:{port}: {why}")


def _not_installed(way: str) -> SourceRefused:
    return SourceRefused(SourceFailure.NO_SYSTEM, f"{way} needs: pip install 'storepulse[probes]'")

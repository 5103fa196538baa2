"""Where payloads arrive: a folder, MQTT, UDP, a web hook (sockets, disk). Understands none of them.

Each way hands a payload to `take` and goes on until it is cancelled. What `take` refuses is told,
by its reason alone, and the way goes on: one bad payload stops no other.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final

from probes.errors import SourceFailed, SourceFailure, SourceRefused

Take = Callable[[bytes, float], None]
"""Takes a payload and the moment of its receipt, seconds UTC. What it took is safe on return."""
Say = Callable[[str], None]

_LOOK_S: Final = 2.0
_DONE: Final = "done"
_REFUSED: Final = "refused"
_AGAIN_S: Final = (1.0, 60.0)
_DATAGRAM_BYTES_MAX: Final = 65_535
_WAITING_MAX: Final = 10_000


async def from_folder(folder: Path, take: Take, *, say: Say, now: Callable[[], float]) -> None:
    """Take each file that is put into the folder, once it no longer grows, in order of names.

    What was taken moves to `done`, what was refused to `refused`; hidden files and those whose name
    ends in .part are still being written.

    Raises:
        SourceFailed: the folder cannot be read or written.
    """
    try:
        for place in (folder, folder / _DONE, folder / _REFUSED):
            place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _no_folder(folder, error) from error
    before: dict[Path, tuple[int, int]] = {}
    while True:
        try:
            sizes = {file: _size(file) for file in sorted(folder.iterdir()) if _is_whole(file)}
            for file, size in sizes.items():
                if before.get(file) == size:
                    _take_file(file, take, say=say, received_s=now())
        except OSError as error:
            raise _no_folder(folder, error) from error
        before = sizes
        await asyncio.sleep(_LOOK_S)


def _take_file(file: Path, take: Take, *, say: Say, received_s: float) -> None:
    try:
        take(file.read_bytes(), received_s)
    except SourceRefused as refused:
        say(f"{file.name} is set aside in {_REFUSED}: {refused}")
        file.replace(file.parent / _REFUSED / file.name)
    else:
        file.replace(file.parent / _DONE / file.name)


def _is_whole(file: Path) -> bool:
    return file.is_file() and not file.name.startswith(".") and file.suffix != ".part"


def _size(file: Path) -> tuple[int, int]:
    stat = file.stat()
    return stat.st_size, stat.st_mtime_ns


def _no_folder(folder: Path, error: OSError) -> SourceFailed:
    return SourceFailed(SourceFailure.NOT_PERMITTED, f"{folder}: {error.strerror or error}")


async def from_topic(
    host: str, port: int, topic: str, take: Take, *, name: str, login: tuple[str, str] | None,
    say: Say, now: Callable[[], float],
) -> None:  # fmt: skip
    """Take each message of an MQTT topic filter; connects again, ever more slowly.

    Args:
        name: of this client at the broker, which keeps what is said while it is away.
        login: user and password; None for a broker that asks for none.
    Raises:
        SourceRefused: the library is not installed.
    """
    try:
        import aiomqtt
    except ImportError as error:
        raise _not_installed("MQTT") from error

    user, password = login or (None, None)
    wait_s = _AGAIN_S[0]
    while True:
        try:
            async with aiomqtt.Client(
                host, port, identifier=name, clean_session=False, username=user, password=password
            ) as client:
                await client.subscribe(topic, qos=1)
                wait_s = _AGAIN_S[0]
                async for message in client.messages:
                    payload = message.payload
                    if isinstance(payload, bytes | bytearray):
                        _take_or_say(bytes(payload), take, say=say, received_s=now())
        except aiomqtt.MqttError as error:
            say(f"the broker at {host}:{port} is away ({error}); again in {wait_s:g} s")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _AGAIN_S[1])


async def from_datagrams(
    host: str, port: int, take: Take, *, say: Say, now: Callable[[], float]
) -> None:
    """Take each UDP datagram (syslog). One that comes while ten thousand wait is lost, as UDP is.

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
    try:
        while True:
            _take_or_say(await waiting.get(), take, say=say, received_s=now())
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


def _take_or_say(payload: bytes, take: Take, *, say: Say, received_s: float) -> None:
    try:
        take(payload, received_s)
    except SourceRefused as refused:
        say(str(refused))


def _cannot_listen(host: str, port: int, error: OSError) -> SourceFailed:
    return SourceFailed(
        SourceFailure.NOT_PERMITTED, f"cannot listen on {host}:{port}: {error.strerror or error}"
    )


def _not_installed(way: str) -> SourceRefused:
    return SourceRefused(SourceFailure.NO_SYSTEM, f"{way} needs: pip install 'storepulse[probes]'")

"""`storepulse hub run`: database, broker, ingest, couriers, scheduler and API as one process.

Starts and stops them in order; what each does is elsewhere.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from hub import broker as brokers
from hub.api import create_app
from hub.computing import ensure_default_policy
from hub.database import Database, open_database, where
from hub.errors import BrokerUnavailable
from hub.listener import Tally, listen, utc_now
from hub.news import News, hear_news
from hub.scheduler import schedule
from hub.settings import Settings, read_settings
from storepulse.errors import BadInput, Unavailable
from storepulse.loopback import is_loopback

_READY_S_MAX: Final = 15.0
"""A broker that does not answer by then does not hold up the hub: it is tried again and again."""
_POLL_S: Final = 0.02
_BROKER_LOOK_S: Final = 0.5

log = logging.getLogger(__name__)

Ready = Callable[[Mapping[str, str]], None]


class NotLoopback(BadInput):
    """An address that others could reach: there is no sign-in yet."""


class PortTaken(Unavailable):
    """The API's port cannot be had."""


class _Stopped(BaseException):
    """SIGTERM or SIGINT while the parts were still starting."""


def run_hub(
    *,
    database: str | None,
    broker: str | None,
    broker_port: int,
    host: str,
    port: int,
    chain: str | None,
    ready: Ready,
) -> None:
    """Run until SIGTERM or SIGINT, then stop everything that was started here.

    Raises:
        NotLoopback: `host` could be reached from elsewhere.
        PortTaken, BrokerUnavailable, DatabaseUnavailable: a part does not start.
    """
    _check_loopback(host)
    with contextlib.suppress(_Stopped), _signals_stop_the_start(), ExitStack() as parts:
        opened = parts.enter_context(open_database(database))
        with opened.connection() as connection:
            ensure_default_policy(connection)
        listening = parts.enter_context(_listening(host, port))
        child = None
        if broker is None and "STOREPULSE_HUB_BROKER" not in os.environ:
            child = parts.enter_context(OwnBroker(_broker_folder(database), broker_port))
            broker = child.url
        settings = read_settings(os.environ, broker=broker, chain=chain)
        asyncio.run(_serve(opened, settings, listening, child, ready))


def _check_loopback(host: str) -> None:
    if not is_loopback(host):
        raise NotLoopback(f"--host {host}: only 127.0.0.1 for now, there is no sign-in yet")


def _broker_folder(database: str | None) -> Path:
    """Beside the embedded database; ./data/broker where the database is elsewhere."""
    place = where(database)
    if "://" in place or "=" in place:
        return Path("data/broker")
    return Path(place).parent / "broker"


@contextmanager
def _signals_stop_the_start() -> Iterator[None]:
    """Until the loop has its own handlers, a signal unwinds what has been started."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise _Stopped

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"port {port} of {host} cannot be had ({error.strerror}): choose another by --port"
            ) from error
        yield listening


class OwnBroker:
    """A broker of ours that is started again on the same port when it dies."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.running = ExitStack()
        self.broker: brokers.Broker | None = None

    @property
    def url(self) -> str:
        assert self.broker is not None
        return self.broker.url

    def __enter__(self) -> "OwnBroker":
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.running.close()

    def _start(self) -> None:
        running = brokers.running_broker(self.folder, port=self.port)
        self.broker = self.running.enter_context(running)
        self.port = self.broker.port

    def start_again_if_gone(self) -> None:
        """Start it again if it has ended; a start that fails is tried again by the next look."""
        if self.broker is not None and brokers.is_running(self.broker.pid):
            return
        log.warning("the broker has ended; starting it again on port %s", self.port)
        self.running.close()
        self.broker = None
        with contextlib.suppress(BrokerUnavailable):
            self._start()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals stop all parts together, not the API alone.
        yield


async def _serve(
    database: Database,
    settings: Settings,
    listening: socket.socket,
    child: OwnBroker | None,
    ready: Ready,
) -> None:
    tally, news = Tally(), News()
    server = _Server(
        uvicorn.Config(
            create_app(database, tally=tally, news=news), log_level="warning", lifespan="off",
            server_header=False, timeout_graceful_shutdown=3,
        )
    )  # fmt: skip
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    work = [
        asyncio.create_task(listen(database, settings, tally=tally)),
        asyncio.create_task(schedule(database, now=utc_now)),
        asyncio.create_task(server.serve(sockets=[listening])),
        asyncio.create_task(hear_news(database, news)),
    ]
    if child is not None:
        work.append(asyncio.create_task(_keep_running(child)))
    stopping = asyncio.create_task(stop.wait())
    telling = asyncio.create_task(_tell_when_ready(server, tally, listening, settings, ready))
    try:
        await asyncio.wait([*work, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        serving = work[2]
        for task in (*work, stopping, telling):
            if task is not serving:
                task.cancel()
        ended = await asyncio.gather(*work, stopping, telling, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome


async def _keep_running(child: OwnBroker) -> None:
    while True:
        await asyncio.sleep(_BROKER_LOOK_S)
        await asyncio.to_thread(child.start_again_if_gone)


async def _tell_when_ready(
    server: uvicorn.Server, tally: Tally, listening: socket.socket, settings: Settings, ready: Ready
) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _READY_S_MAX
    while not server.started or (not tally.connected and loop.time() < until):
        await asyncio.sleep(_POLL_S)
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    ready({"listening": f"http://{shown}:{port}", "broker": settings.broker})

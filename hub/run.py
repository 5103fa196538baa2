"""`storepulse hub run`: database, broker, ingest, couriers, scheduler and API as one process.

Starts and stops them in order; what each does is elsewhere.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from hub.api import create_app
from hub.authority_files import (
    KeptAuthority,
    authority_folder,
    has_authority,
    keep_authority,
    server_pem,
    write_hub_certificate,
)
from hub.computing import ensure_default_policy
from hub.database import Database, open_database, where
from hub.door import create_door, door_config
from hub.enrolling import sync_revoked
from hub.errors import DatabaseUnavailable
from hub.listener import Tally, listen, utc_now
from hub.news import News, hear_news
from hub.own_broker import OwnBroker
from hub.people_store import first_link
from hub.scheduler import schedule
from hub.settings import Settings, read_settings, with_certificate
from hub.tokens import link_path
from storepulse.errors import BadInput, Unavailable
from storepulse.loopback import is_loopback
from storepulse.secret_files import write_whole

_READY_S_MAX: Final = 15.0
"""A broker that does not answer by then does not hold up the hub: it is tried again and again."""
_POLL_S: Final = 0.02
_BROKER_LOOK_S: Final = 0.2
_REVOKED_LOOK_S: Final = 1.0
_BROKER_PORT: Final = 1883
_BROKER_TLS_PORT: Final = 8883
DOOR_PORT: Final = 8443

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
    broker_port: int | None,
    host: str,
    port: int,
    chain: str | None,
    ready: Ready,
    tls: bool = False,
    tls_port: int = DOOR_PORT,
) -> None:
    """Run until SIGTERM or SIGINT, then stop everything that was started here.

    Args:
        tls: make an authority where there is none. Where there is one, TLS is on without asking:
            whoever was enrolled must not be met by a hub that lets everybody in.
    Raises:
        NotLoopback: `host` could be reached from elsewhere.
        PortTaken, BrokerUnavailable, DatabaseUnavailable: a part does not start.
    """
    _check_loopback(host)
    with contextlib.suppress(_Stopped), _signals_stop_the_start(), ExitStack() as parts:
        opened = parts.enter_context(open_database(database))
        with opened.connection() as connection:
            ensure_default_policy(connection)
            first = first_link(connection)
        listening = parts.enter_context(_listening(host, port))
        kept = _authority(authority_folder(database), tls=tls)
        door_listening = None if kept is None else parts.enter_context(_listening(host, tls_port))
        child = None
        if broker is None and "STOREPULSE_HUB_BROKER" not in os.environ:
            if broker_port is None:
                broker_port = _BROKER_PORT if kept is None else _BROKER_TLS_PORT
            child = parts.enter_context(OwnBroker(_broker_folder(database), broker_port, kept))
            broker = child.url
        settings = read_settings(os.environ, broker=broker, chain=chain)
        tally, news = Tally(), News()
        servers = [(_api(opened, tally, news), listening)]
        if kept is not None and door_listening is not None:
            settings = with_certificate(settings, ca=kept.ca, certificate=kept.hub)
            servers.append((_door(opened, kept, settings), door_listening))
        welcome = None if first is None else link_path(first)
        asyncio.run(_serve(opened, settings, servers, tally, news, kept, child, ready, welcome))


def _authority(folder: Path, *, tls: bool) -> KeptAuthority | None:
    if not tls and not has_authority(folder):
        return None
    kept = keep_authority(folder, now=utc_now())
    write_hub_certificate(kept, now=utc_now())
    return kept


def _api(database: Database, tally: Tally, news: News) -> "_Server":
    return _Server(
        uvicorn.Config(
            create_app(database, tally=tally, news=news), log_level="warning", lifespan="off",
            server_header=False, timeout_graceful_shutdown=3,
        )
    )  # fmt: skip


def _door(database: Database, kept: KeptAuthority, settings: Settings) -> "_Server":
    server = kept.folder / "door.pem"
    write_whole(server, server_pem(kept, now=utc_now()))
    door = create_door(database, kept, broker=lambda: settings.broker, now=utc_now)
    return _Server(door_config(door, ca=kept.ca, server=server))


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


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals stop all parts together, not the API alone.
        yield


async def _serve(
    database: Database,
    settings: Settings,
    servers: Sequence[tuple[_Server, socket.socket]],
    tally: Tally,
    news: News,
    kept: KeptAuthority | None,
    child: OwnBroker | None,
    ready: Ready,
    welcome: str | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = [asyncio.create_task(one.serve(sockets=[at])) for one, at in servers]
    work = [
        asyncio.create_task(listen(database, settings, tally=tally)),
        asyncio.create_task(schedule(database, now=utc_now)),
        asyncio.create_task(hear_news(database, news)),
    ]
    if child is not None:
        work.append(asyncio.create_task(_keep_running(child)))
    if kept is not None:
        work.append(asyncio.create_task(_keep_revoked(database, kept)))
    stopping = asyncio.create_task(stop.wait())
    telling = asyncio.create_task(_tell_when_ready(servers, tally, settings, ready, welcome))
    try:
        await asyncio.wait([*work, *serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for server, _ in servers:
            server.should_exit = True
        for task in (*work, stopping, telling):
            task.cancel()
        ended = await asyncio.gather(*work, *serving, stopping, telling, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome


async def _keep_running(child: OwnBroker) -> None:
    while True:
        await asyncio.sleep(_BROKER_LOOK_S)
        await asyncio.to_thread(child.start_again_if_gone)
        await asyncio.to_thread(child.cut_revoked)


async def _keep_revoked(database: Database, kept: KeptAuthority) -> None:
    """Tell the brokers of whoever was revoked by a command elsewhere, over the same database."""
    while True:
        # A database that is away, or a full disk, is told by others; who is revoked stays so.
        with contextlib.suppress(DatabaseUnavailable, OSError):
            await asyncio.to_thread(sync_revoked, database, kept, now=utc_now())
        await asyncio.sleep(_REVOKED_LOOK_S)


async def _tell_when_ready(
    servers: Sequence[tuple[_Server, socket.socket]],
    tally: Tally,
    settings: Settings,
    ready: Ready,
    welcome: str | None,
) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _READY_S_MAX
    while not all(server.started for server, _ in servers) or (
        not tally.connected and loop.time() < until
    ):
        await asyncio.sleep(_POLL_S)
    said = {"listening": _url(servers[0][1], "http"), "broker": settings.broker}
    if len(servers) > 1:
        said["door"] = _url(servers[1][1], "https")
    if welcome is not None:
        said["first"] = said["listening"] + welcome
    ready(said)


def _url(listening: socket.socket, scheme: str) -> str:
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}"

"""`storepulse hub run`: database, broker, ingest, couriers, scheduler and API as one process.

Starts and stops them in order; what each does is elsewhere.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from hub.api.app import create_app
from hub.api.news import News, hear_news
from hub.brokers.own_broker import OwnBroker
from hub.care.consent import ContactKind
from hub.care.keyring import FILE_NAME as KEYS_FILE
from hub.care.keyring import Keys, keep_keyring, keys_of
from hub.care.routes import LINK_PATH
from hub.care.sending import CareSettings, keep_caring
from hub.codes.computing import ensure_default_policy
from hub.errors import DatabaseUnavailable
from hub.feeds.running import keep_fed
from hub.figures.keeping import keep_figures
from hub.figures.retention import remove_old_facts
from hub.ingest.again import keep_trying_again
from hub.ingest.faults import remove_old_faults
from hub.ingest.garbage import collect_less_often
from hub.ingest.listener import Tally, listen, utc_now
from hub.nodes.authority_files import (
    KeptAuthority,
    authority_folder,
    has_authority,
    keep_authority,
    keep_server,
    renew_server,
    write_hub_certificate,
)
from hub.nodes.door import create_door, door_config
from hub.nodes.enrolling import sync_revoked
from hub.nodes.names import NodeNames, read_domains, read_names
from hub.notices.push import WebPush
from hub.notices.sending import keep_sending
from hub.people.provider import Client, Provider
from hub.people.store import first_link
from hub.people.tokens import link_path
from hub.phones.store import keep_ticket_pages
from hub.pictures.blobs import BlobStore, FolderBlobs
from hub.pictures.store import clean_up
from hub.plans.photo_work import work_off
from hub.scheduler import schedule
from hub.settings import Settings, read_settings, with_certificate
from hub.store.database import Database, beside, open_database
from storepulse.ca_route import ca_route
from storepulse.errors import BadInput, Unavailable
from storepulse.fresh_certificate import keep_fresh
from storepulse.loopback import is_loopback
from storepulse.server_names import LOOPBACK_NAMES, ip_or_none, shown_name
from storepulse.web_push import HOSTS, KEY_FILE, NOBODY, keep_push_key

_READY_S_MAX: Final = 15.0
"""A broker that does not answer by then does not hold up the hub: it is tried again and again."""
_POLL_S: Final = 0.02
_BROKER_LOOK_S: Final = 0.2
_REVOKED_LOOK_S: Final = 1.0
_RENEWAL_LOOK_S: Final = 86_400.0
_CLEAN_UP_S: Final = 86_400.0
_RETENTION_AFTER_S: Final = 3_600.0
_AFTER_FAULT_S: Final = 5.0
_BROKER_PORT: Final = 1883
_BROKER_TLS_PORT: Final = 8883
DOOR_PORT: Final = 8443

log = logging.getLogger(__name__)

Ready = Callable[[Mapping[str, str]], None]


class NotLoopback(BadInput):
    """An address that others could reach, without what that needs."""


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
    names: Sequence[str] = (),
) -> None:
    """Run until SIGTERM or SIGINT, then stop everything that was started here.

    Args:
        tls: make an authority where there is none. Where there is one, TLS is on without asking:
            whoever was enrolled must not be met by a hub that lets everybody in.
        names: under which phones, managers and nodes reach the hub, beside the loopback.
    Raises:
        NotLoopback: `host` could be reached from elsewhere, and there is no TLS or no name.
        PortTaken, BrokerUnavailable, DatabaseUnavailable: a part does not start.
    """
    folder = authority_folder(database)
    _check_host(host, secure=tls or has_authority(folder))
    settings = read_settings(os.environ, broker=broker, chain=chain, names=",".join(names) or None)
    reached_by = _names(host, settings)
    with contextlib.suppress(_Stopped), _signals_stop_the_start(), ExitStack() as parts:
        opened = parts.enter_context(open_database(database))
        with opened.connection() as connection:
            ensure_default_policy(connection)
            first = first_link(connection)
        listening = parts.enter_context(_listening(host, port))
        kept = _authority(folder, tls=tls)
        door_listening = None if kept is None else parts.enter_context(_listening(host, tls_port))
        child = None
        if broker is None and "STOREPULSE_HUB_BROKER" not in os.environ:
            if broker_port is None:
                broker_port = _BROKER_PORT if kept is None else _BROKER_TLS_PORT
            child = parts.enter_context(
                OwnBroker(
                    beside(database, "broker"), broker_port, kept, host=host, names=reached_by
                )
            )
            settings = replace(settings, broker=child.url)
        tally, news = Tally(), News()
        store = FolderBlobs(beside(database, "blobs"))
        keep_keyring(beside(database, KEYS_FILE))
        outward = Outward(
            keys=keys_of(beside(database, KEYS_FILE)), notice_mail=settings.notice_mail,
            care=_care(settings, listening, secure=kept is not None, names=reached_by),
            push=_push(settings, database),
        )  # fmt: skip
        with opened.connection() as connection:
            keep_ticket_pages(connection, outward.care.pages + LINK_PATH)
        app = create_app(
            opened, tally=tally, news=news, hosts=_hosts(reached_by), store=store,
            keys=outward.keys, notice_mail=bool(outward.notice_mail), care=outward.care,
            provider=_provider(settings), push=outward.push,
        )  # fmt: skip
        pem = None
        if kept is not None:
            settings = with_certificate(settings, ca=kept.ca, certificate=kept.hub)
            pem = keep_server(kept, names=reached_by, now=utc_now())
            app.include_router(ca_route(kept.ca))
        servers = [(_pages(app, pem), listening)]
        if kept is not None and pem is not None and door_listening is not None:
            told = _told_broker(settings.broker, own=child is not None, names=reached_by)
            allowed = NodeNames(own=reached_by, domains=read_domains(settings.node_domains))
            door = create_door(
                opened, kept, broker=lambda: told, now=utc_now, allowed=allowed, store=store
            )
            servers.append((_Server(door_config(door, ca=kept.ca, server=pem)), door_listening))
        hub = _Hub(
            opened, settings, servers, tally, news, kept, child, pem, reached_by, store, first,
            outward,
        )  # fmt: skip
        collect_less_often()
        asyncio.run(_serve(hub, ready))


@dataclass(frozen=True, slots=True)
class _Hub:
    """All that runs."""

    database: Database
    settings: Settings
    servers: Sequence[tuple["_Server", socket.socket]]
    """The pages first; with TLS, the door."""
    tally: Tally
    news: News
    kept: KeptAuthority | None
    child: OwnBroker | None
    pem: Path | None
    """Key and certificate of the servers."""
    names: tuple[str, ...]
    store: BlobStore
    first: str | None
    """The secret of the link for the first person; None where somebody can sign in."""
    outward: "Outward"


@dataclass(frozen=True, slots=True)
class Outward:
    """What goes out of the chain's own machines, and by what."""

    keys: Keys
    notice_mail: str = field(repr=False)
    care: CareSettings
    push: WebPush


def _care(
    settings: Settings, listening: socket.socket, *, secure: bool, names: Sequence[str]
) -> CareSettings:
    said: dict[ContactKind, str] = {"mail": settings.care_mail, "phone": settings.care_phone}
    here = _url(listening, "https" if secure else "http", names)
    return CareSettings(
        services={kind: address for kind, address in said.items() if address},
        pages=settings.public_url.rstrip("/") or here,
    )


def _push(settings: Settings, database: str | None) -> WebPush:
    hosts = tuple(one.strip() for one in settings.push_hosts.split(",") if one.strip())
    here = urlsplit(settings.public_url).hostname
    contact = settings.push_contact or (f"https://{here}" if here else NOBODY)
    key = keep_push_key(beside(database, KEY_FILE))
    return WebPush(key=key, contact=contact, hosts=hosts or HOSTS)


def _hosts(names: Sequence[str]) -> tuple[str, ...]:
    """Names as a Host header says them."""
    return tuple(f"[{name}]" if ":" in name else name for name in (*names, "::1"))


def _names(host: str, settings: Settings) -> tuple[str, ...]:
    """Under which names the hub answers: the loopback's, those said, and a plain address."""
    said = read_names(settings.names)
    address = ip_or_none(host)
    here = [] if address is None or address.is_unspecified else [host]
    names = tuple(dict.fromkeys([*LOOPBACK_NAMES, *said, *here]))
    if not is_loopback(host) and is_loopback(shown_name(names)):
        raise NotLoopback(
            f"--host {host}: say by --name under which name or address phones, managers and nodes "
            "reach this hub; it stands in its certificate"
        )
    return names


def _told_broker(url: str, *, own: bool, names: Sequence[str]) -> str:
    """Where nodes find the broker: one of ours answers by the hub's own name."""
    if not own:
        return url
    host = shown_name(names)
    shown = f"[{host}]" if ":" in host else host
    return f"mqtts://{shown}:{urlsplit(url).port}"


def _authority(folder: Path, *, tls: bool) -> KeptAuthority | None:
    if not tls and not has_authority(folder):
        return None
    kept = keep_authority(folder, now=utc_now())
    write_hub_certificate(kept, now=utc_now())
    return kept


def _pages(app: FastAPI, pem: Path | None) -> "_Server":
    return _Server(
        uvicorn.Config(
            app, log_level="warning", lifespan="off", server_header=False,
            timeout_graceful_shutdown=3, ssl_certfile=pem, ssl_keyfile=pem,
            # Who asks, and how, is what the connection says, and no header of the asker's.
            proxy_headers=False,
        )
    )  # fmt: skip


def _provider(settings: Settings) -> Provider | None:
    """The provider of sign-ins that was set up; asked for nothing before somebody signs in."""
    if not settings.oidc_issuer:
        return None
    return Provider(
        Client(
            issuer=settings.oidc_issuer, client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret, name=settings.oidc_name,
        )
    )  # fmt: skip


def _check_host(host: str, *, secure: bool) -> None:
    if not secure and not is_loopback(host):
        raise NotLoopback(
            f"--host {host}: without TLS the hub listens on 127.0.0.1 only; add --tls"
        )


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


async def _serve(hub: _Hub, ready: Ready) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    for server, _ in hub.servers:
        server.config.load()
    serving = [asyncio.create_task(one.serve(sockets=[at])) for one, at in hub.servers]
    work = [asyncio.create_task(kept_going(one)) for one in _work(hub)]
    stopping = asyncio.create_task(stop.wait())
    telling = asyncio.create_task(_tell_when_ready(hub, ready))
    try:
        await asyncio.wait([*work, *serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for server, _ in hub.servers:
            server.should_exit = True
        for task in (*work, stopping, telling):
            task.cancel()
        ended = await asyncio.gather(*work, *serving, stopping, telling, return_exceptions=True)
    for outcome in ended:
        if isinstance(outcome, Exception):
            raise outcome


_Part = Callable[[], Coroutine[Any, Any, None]]


def _work(hub: _Hub) -> list[_Part]:
    """What goes on beside the servers, until it is cancelled."""
    database, outward = hub.database, hub.outward
    work: list[_Part] = [
        partial(listen, database, hub.settings, tally=hub.tally),
        partial(schedule, database, now=utc_now),
        partial(hear_news, database, hub.news),
        partial(keep_fed, database, now=utc_now),
        partial(keep_figures, database, now=utc_now),
        partial(_keep_retention, database),
        partial(keep_trying_again, database, now=utc_now),
        partial(work_off, database, now=utc_now),
        partial(_keep_tidy, database, hub.store, hub.settings.blob_days),
        partial(
            keep_sending, database, outward.keys, mail=outward.notice_mail, now=utc_now,
            push=outward.push,
        ),
        partial(keep_caring, database, outward.keys, outward.care, now=utc_now),
    ]  # fmt: skip
    if hub.child is not None:
        work.append(partial(_keep_running, hub.child))
    if hub.kept is not None and hub.pem is not None:
        work.append(partial(_keep_revoked, database, hub.kept))
        work.append(partial(_keep_renewed, hub.kept, hub.pem, hub.names))
        contexts = [one.config.ssl for one, _ in hub.servers]
        work += [partial(keep_fresh, one, hub.pem) for one in contexts if one is not None]
    return work


async def kept_going(run: _Part, *, again_s: float = _AFTER_FAULT_S) -> None:
    """Start a part again when it breaks by a fault of ours: the others must not go with it."""
    while True:
        try:
            return await run()
        except Exception:
            log.exception("a part of the hub broke; again in %g s", again_s)
            await asyncio.sleep(again_s)


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


async def _keep_renewed(kept: KeptAuthority, pem: Path, names: tuple[str, ...]) -> None:
    """A hub that runs for years must not come to the end of its certificate."""
    while True:
        await asyncio.sleep(_RENEWAL_LOOK_S)
        with contextlib.suppress(OSError):  # told by others; the present one is good for long
            await asyncio.to_thread(renew_server, kept, pem, names=names, now=utc_now())


async def _keep_retention(database: Database) -> None:
    """Once a day, and not at the start: a hub that comes back has better things to do."""
    # Soon enough for a hub that is started anew every night.
    await asyncio.sleep(_RETENTION_AFTER_S)
    while True:
        try:
            await asyncio.to_thread(remove_old_facts, database, now=utc_now())
            await asyncio.to_thread(remove_old_faults, database, now=utc_now())
        except DatabaseUnavailable as error:
            log.warning("old facts or faults could not be removed: %s", error)
        except Exception:
            # The hub goes on whatever is wrong here; what is left goes tomorrow.
            log.exception("old facts or faults could not be removed")
        await asyncio.sleep(_CLEAN_UP_S)


async def _keep_tidy(database: Database, store: BlobStore, days: int) -> None:
    """Remove old pictures at the start, and once a day."""
    while True:
        try:
            removed = await asyncio.to_thread(clean_up, database, store, days=days, now=utc_now())
            if removed:
                log.info("%d pictures older than %d days were removed", removed, days)
        except (DatabaseUnavailable, OSError) as error:
            log.warning("old pictures could not be removed: %s", error)
        await asyncio.sleep(_CLEAN_UP_S)


async def _tell_when_ready(hub: _Hub, ready: Ready) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _READY_S_MAX
    while not all(server.started for server, _ in hub.servers) or (
        not hub.tally.connected and loop.time() < until
    ):
        await asyncio.sleep(_POLL_S)
    pages, *door = (listening for _, listening in hub.servers)
    said = {
        "listening": _url(pages, "http" if hub.pem is None else "https", hub.names),
        "broker": hub.settings.broker,
    }
    if hub.first is not None:
        said["first"] = said["listening"] + link_path(hub.first)
    if door:
        said["door"] = _url(door[0], "https", hub.names)
    ready(said)


def _url(listening: socket.socket, scheme: str, names: Sequence[str]) -> str:
    host, port = listening.getsockname()[:2]
    if not is_loopback(host):
        host = shown_name(names)
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}:{port}"

"""One node: puts outbox, link, children and API together and runs them until it is told to stop."""

import asyncio
import contextlib
import importlib.util
import json
import logging
import os
import shlex
import signal
import socket
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import uvicorn

from edge.api import Parts, make_app
from edge.backoff import Backoff
from edge.bays import Bays
from edge.bench import Bench, Heard
from edge.blobs import Pictures
from edge.checks import Checks
from edge.clock import now_of
from edge.closing import Closing
from edge.disk import Disk, hold
from edge.ears import Ears
from edge.errors import BadSettings
from edge.inbox import Inbox
from edge.judging import Judge
from edge.link import Link
from edge.lock import LOOPBACK_NAMES
from edge.on_demand import OnDemand
from edge.outbox import Outbox
from edge.owner import keep_owner_key
from edge.pairing import Phones
from edge.photos import Photos
from edge.plan_fetch import PlanFetch
from edge.plans import Plans
from edge.push import Pushes, read_quiet
from edge.renewal import Renewal
from edge.rounds import Rounds
from edge.second_answers import SecondAnswers
from edge.settings import Settings
from edge.staff import StaffNames
from edge.taps import Taps
from edge.workers import AskedWorker, Supervised, TellingWorker, WorkerState
from storepulse import __version__
from storepulse.ca_route import ca_route
from storepulse.facts import Fact
from storepulse.fresh_certificate import keep_fresh, names_in
from storepulse.loopback import is_loopback
from storepulse.server_names import shown_name
from storepulse.web_push import KEY_FILE, keep_push_key

log = logging.getLogger(__name__)

_AFTER_FAULT_S: Final = 5.0
_GOODBYE_S: Final = 5
_NO_WAY_OUT_S: Final = 900.0
"""Longest wait between tries to reach a push service: many shops' nodes never will."""


class _Server(uvicorn.Server):
    """Leaves the signals to the node: it has more to end than the API."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


class Node:
    """Everything that one node is."""

    def __init__(
        self,
        settings: Settings,
        *,
        planograms: Sequence[Path] = (),
        captures: Sequence[Path] = (),
    ) -> None:
        """Open the data folder, which this process then holds.

        Raises:
            DataInUse: another node holds the folder.
            DataDamaged, DiskFull, BadInput: what is there, or was given, cannot be used.
        """
        self._settings = settings
        self._now = now_of(settings.clock)
        with contextlib.ExitStack() as opened:
            opened.callback(os.close, hold(settings.data))
            self.disk = Disk(settings.data)
            opened.callback(self.disk.close)
            self._put_together(planograms, captures)
            self._opened = opened.pop_all()

    def _put_together(self, planograms: Sequence[Path], captures: Sequence[Path]) -> None:
        settings = self._settings
        self.outbox = Outbox(self.disk, node=settings.node, bytes_max=settings.outbox_bytes_max)
        self.inbox = Inbox(self.disk, self.outbox)
        self.owner_key = keep_owner_key(settings.data)
        self.phones = Phones(self.disk, self.outbox)
        self.checks = Checks(
            self.disk, self.outbox, today=lambda: self.plans.today(),
            told_rests=lambda: self.rounds.rests(),
        )  # fmt: skip
        self.taps = Taps(self.disk, self.outbox, pages=self.phones.ticket_pages)
        self.staff = StaffNames(self.disk)
        self.plans = Plans(settings.data / "planograms", clock=lambda: self._now().at)
        for file in planograms:
            self.plans.adopt(file)
        self.rounds = Rounds(self.disk, self.outbox, self.plans, settings.address, self._now)
        self.link = Link(
            settings, self.disk, self.outbox, self.inbox, self.phones, self._now,
            plans=self.plans.receipt,
        )  # fmt: skip
        self.plan_fetch = PlanFetch(
            settings.data, self.plans, self.phones, self.link.say_state,
            backoff=Backoff(longest_s=settings.reconnect_s_max), poll_s=settings.poll_s,
            heed=self.rounds.take,
        )  # fmt: skip
        self.plan_fetch.heed_config()
        self.renewal = Renewal(settings.data, self._now)
        self.judge_child = AskedWorker(
            "judge",
            shlex.split(settings.judge_command),
            restarts_max=settings.restarts_max,
            start_timeout_s=settings.judge_start_timeout_s,
            answer_timeout_s=settings.judge_timeout_s,
        )
        self.price_child = _price_child(settings)
        judge = Judge(self.judge_child, settings.address)
        self.photos = Photos(
            settings.data / "photos",
            self.disk,
            self.outbox,
            self.checks,
            self.plans,
            judge,
            Closing(self.disk, self.outbox, self.checks, settings.address),
            self.rounds,
            self._now,
            tries_max=settings.judge_tries_max,
            prices=SecondAnswers(
                self.disk, self.outbox, self.checks, self.price_child, settings.address, self._now
            ),
        )
        self.photos.tidy()
        self.bays = Bays(
            self.judge_child, self.disk, self.plans, settings.data / "photos", shop=settings.shop
        )
        self.pictures = Pictures(
            settings.data, self.disk, self._now, days=settings.pictures_days,
            backoff=Backoff(longest_s=settings.reconnect_s_max), poll_s=settings.poll_s,
        )  # fmt: skip
        self.pushes = Pushes(
            self.disk, self.phones, keep_push_key(settings.data / KEY_FILE), self._now,
            contact=settings.push_contact, quiet=read_quiet(settings.push_quiet),
            hosts=[one.strip() for one in settings.push_hosts.split(",") if one.strip()],
            backoff=Backoff(longest_s=_NO_WAY_OUT_S), poll_s=settings.poll_s,
        )  # fmt: skip
        self._children: list[Supervised] = [self.judge_child]
        self._heard = Heard()
        if captures:
            self._children.append(self._radio(captures))
        self.ears = Ears(settings, self._keep_facts, zone=lambda: self.plans.zone)
        self.bench = Bench(
            settings, now=self._now, phones=self.phones, plans=self.plans, judge=judge,
            workers=self._workers, heard=lambda: self._heard, version=__version__,
        )  # fmt: skip

    def _workers(self) -> list[WorkerState]:
        states = [child.state for child in self._children]
        # One that is asleep is no trouble and none of a person's business.
        if self.price_child is not None and self.price_child.state.phase != "stopped":
            states.append(self.price_child.state)
        return [*states, *self.ears.states]

    async def _keep_facts(self, facts: Sequence[Fact]) -> None:
        moment = self._now()
        await asyncio.to_thread(self.outbox.append_once, facts, moment)
        self._heard = self._heard.with_more(facts, moment.at)

    def _radio(self, captures: Sequence[Path]) -> TellingWorker:
        address = self._settings.address
        whose = ["--shop", address.shop, "--source", address.path]
        argv = [*shlex.split(self._settings.radio_command), *whose, *map(str, captures)]
        return TellingWorker(
            "radio", argv, self._keep_facts, restarts_max=self._settings.restarts_max
        )

    async def run(self, ready: Callable[[str], None]) -> None:
        """Serve until SIGTERM or SIGINT; `ready` is called with the URL once phones are served."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        listening = _listen(self._settings.host, self._settings.port)
        pem = self._settings.server_certificate
        config = uvicorn.Config(
            self._app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=_GOODBYE_S,
            ssl_certfile=pem,
            ssl_keyfile=pem,
            # Who asks, and how, is what the connection says, and no header of the asker's.
            proxy_headers=False,
        )
        config.load()
        server = _Server(config)
        served_at = _served_at(listening, pem)
        self.link.phones = served_at
        await asyncio.to_thread(self.phones.serve_at, served_at)
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "link": self.link.run,
            "renewal": self.renewal.run,
            "photos": self.photos.run,
            "pictures": self.pictures.run,
            "planograms": self.plan_fetch.run,
            "push": self.pushes.run,
            "rounds": self.rounds.run,
            "ears": self.ears.run,
            **{child.state.name: child.run for child in self._children},
            **({"prices": self.price_child.run} if self.price_child is not None else {}),
        }
        if pem is not None and config.ssl is not None:
            parts["https"] = partial(keep_fresh, config.ssl, pem)
        tasks = [
            asyncio.create_task(_kept_going(name, run), name=name) for name, run in parts.items()
        ]
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        stopping = asyncio.create_task(stop.wait())
        try:
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            ready(served_at)
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            log.info("stopping")
            stopping.cancel()
            server.should_exit = True
            await serving
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            listening.close()

    def close(self) -> None:
        """Give the folder back."""
        self._opened.close()

    def _app(self) -> Callable[..., Awaitable[None]]:
        app = make_app(
            Parts(
                photos=self.photos,
                checks=self.checks,
                taps=self.taps,
                staff=self.staff,
                inbox=self.inbox,
                plans=self.plans,
                rounds=self.rounds,
                bays=self.bays,
                outbox=self.outbox,
                now=self._now,
                link=lambda: self.link.state,
                workers=self._workers,
                bench=self.bench,
                upload_bytes_max=self._settings.upload_bytes_max,
                node=self._settings.address.path,
                shop=self._settings.shop,
                phones=self.phones,
                pushes=self.pushes,
                owner_key=self.owner_key,
                names=LOOPBACK_NAMES | _hosts(self._settings.server_certificate),
            )
        )
        if self._settings.server_certificate is not None and self._settings.tls_ca is not None:
            app.include_router(ca_route(self._settings.tls_ca))
        return app


def _price_child(settings: Settings) -> OnDemand | None:
    """Who reads price tags; None where nobody does."""
    if settings.prices == "no" or importlib.util.find_spec("rapidocr") is None:
        return None
    child = AskedWorker(
        "prices",
        shlex.split(settings.price_command),
        restarts_max=settings.restarts_max,
        start_timeout_s=settings.judge_start_timeout_s,
        answer_timeout_s=settings.judge_timeout_s,
    )
    return OnDemand(child, idle_s=settings.price_idle_s)


async def _kept_going(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Start a part again when it breaks by a fault of ours: the others must not go with it."""
    while True:
        try:
            return await run()
        except Exception:
            log.exception("%s broke; again in %g s", name, _AFTER_FAULT_S)
            await asyncio.sleep(_AFTER_FAULT_S)


def _served_at(listening: socket.socket, pem: Path | None) -> str:
    """The address to tell phones: by the certificate's own name where others may come."""
    host, port = listening.getsockname()[:2]
    if pem is not None and not is_loopback(host):
        host = shown_name(names_in(pem) or (host,))
    shown = f"[{host}]" if ":" in host else host
    return f"{'http' if pem is None else 'https'}://{shown}:{port}"


def _hosts(pem: Path | None) -> frozenset[str]:
    """The certificate's names as a Host header says them."""
    names = () if pem is None else names_in(pem)
    return frozenset(f"[{name}]" if ":" in name else name for name in names)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadSettings(f"cannot listen on {host}:{port}: {error.strerror}") from error
    listening.listen(128)
    return listening


def run_node(
    settings: Settings,
    *,
    planograms: Sequence[Path] = (),
    captures: Sequence[Path] = (),
) -> None:
    """Run a node until it is told to stop; prints one JSON line when phones are served."""

    async def main() -> None:
        node = Node(settings, planograms=planograms, captures=captures)
        try:
            await node.run(lambda url: print(json.dumps({"listening": url}), flush=True))  # noqa: T201
        finally:
            node.close()

    asyncio.run(main())

"""Look at everything a node needs, and say what is well and what to do. Changes nothing.

A node that runs is not disturbed: at the broker a certificate has one seat, so while the node
holds its folder only the TLS handshake is tried, and what the outbox says is the better witness.
"""

import asyncio
import os
import shlex
import shutil
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import aiomqtt

from edge.clock import Now, now_of
from edge.disk import FILE_NAME, LOCK_NAME, Disk, hold
from edge.enrolment import read_hub, trusting
from edge.errors import DataInUse
from edge.identity import Identity, read_identity
from edge.link import read_broker
from edge.outbox import Outbox
from edge.own_health import own_health
from edge.pairing import Phones
from edge.settings import Settings
from edge.workers import AskedWorker
from storepulse.errors import StorepulseError
from storepulse.units import GIB, MIB

Standing = Literal["well", "look", "ill"]

_CONNECT_S_MAX: Final = 5.0
_ALERT_S: Final = 1.0
"""A server that refuses a certificate in TLS 1.3 says so a moment after the handshake."""
_OUTBOX_AGE_MAX: Final = timedelta(minutes=10)
_DISK_ILL_BYTES: Final = 200 * MIB
_DISK_LOOK_BYTES: Final = GIB


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands."""

    name: str
    standing: Standing
    says: str
    do: str = ""
    """What to do about it; empty when it is well."""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in the order in which one thing needs the other."""
    now = now_of(settings.clock)
    try:
        identity = read_identity(settings.data)
    except StorepulseError as error:
        return [Finding("certificate", "ill", str(error), "enrol again by a new code")]
    return [
        await asyncio.to_thread(look_at_network, settings),
        look_at_clock(now),
        await asyncio.to_thread(look_at_hub, identity),
        await look_at_broker(settings),
        look_at_certificate(identity, now().at),
        look_at_outbox(settings.data, now().at),
        await asyncio.to_thread(look_at_phones, settings),
        look_at_disk(settings.data),
        await look_at_judge(settings),
    ]


def look_at_network(settings: Settings) -> Finding:
    """Whether the broker's name is found and something listens there."""
    broker = read_broker(settings.broker)
    where = f"{broker.host}:{broker.port}"
    try:
        with socket.create_connection((broker.host, broker.port), timeout=_CONNECT_S_MAX):
            return Finding("network", "well", f"{where} is reached")
    except socket.gaierror as error:
        return Finding("network", "ill", f"{broker.host} is not found: {error.strerror}",
                       "look at the network cable or Wi-Fi, and at the name server")  # fmt: skip
    except ConnectionRefusedError:
        return Finding("network", "ill", f"nothing listens at {where}",
                       "look whether the hub's broker runs, and at the port")  # fmt: skip
    except OSError as error:
        return Finding("network", "ill", f"{where} is not reached: {error}",
                       "look at the network, and whether a firewall stands between")  # fmt: skip


def look_at_clock(now: Now) -> Finding:
    """Whether the wall clock is set: facts of an unset one take part in no code before it is."""
    moment = now()
    shown = f"{moment.at:%Y-%m-%d %H:%M:%S} UTC"
    if moment.clock.synchronised:
        return Finding("clock", "well", f"{shown}, synchronised")
    return Finding("clock", "look", f"{shown}, not known to be right",
                   "let a time service run (systemd-timesyncd, chrony) and reach it")  # fmt: skip


def look_at_hub(identity: Identity | None) -> Finding:
    """Whether the hub's door answers and takes this node's certificate."""
    if identity is None:
        return Finding("hub", "look", "this node was never enrolled",
                       "ask for a code: storepulse edge enrol CODE --hub https://...")  # fmt: skip
    door = read_hub(identity.hub)
    context = trusting(cafile=identity.ca, certificate=identity.pem)
    trouble = _handshake(door.hostname or "", door.port or 8443, context)
    if trouble is None:
        return Finding("hub", "well", f"{identity.hub} answers and is the right one")
    return Finding("hub", "ill", f"{identity.hub}: {trouble}", _what_to_do(trouble))


async def look_at_broker(settings: Settings) -> Finding:
    """Whether the broker takes this node."""
    broker = read_broker(settings.broker)
    if _runs(settings.data):
        if not broker.secure:
            return Finding("broker", "well", "the node runs and holds the line: see the outbox")
        context = _broker_context(settings)
        trouble = await asyncio.to_thread(_handshake, broker.host, broker.port, context)
        if trouble is None:
            return Finding("broker", "well", f"{settings.broker} takes the certificate; the node "
                           "runs and holds the line: see the outbox")  # fmt: skip
        return Finding("broker", "ill", f"{settings.broker}: {trouble}", _what_to_do(trouble))
    tls = None
    if broker.secure:
        tls = aiomqtt.TLSParameters(
            ca_certs=_text(settings.tls_ca), certfile=_text(settings.tls_certificate),
            keyfile=_text(settings.tls_key),
        )  # fmt: skip
    try:
        async with (
            asyncio.timeout(_CONNECT_S_MAX),
            aiomqtt.Client(
                broker.host, broker.port, tls_params=tls, username=settings.broker_user or None,
                password=settings.broker_password or None, timeout=_CONNECT_S_MAX,
            ) as client,
        ):  # fmt: skip
            granted = await client.subscribe(settings.address.topic("down/acks"), qos=1)
            if any(getattr(code, "is_failure", code == 0x80) for code in granted):
                return Finding("broker", "ill", "it does not let this node listen",
                               _what_to_do("refused"))  # fmt: skip
    except (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as error:
        trouble = str(error) or "it closes the connection"
        return Finding("broker", "ill", f"{settings.broker}: {trouble}", _what_to_do(trouble))
    return Finding("broker", "well", f"{settings.broker} takes this node")


def look_at_certificate(identity: Identity | None, now: datetime) -> Finding:
    """How long the certificate is still good."""
    if identity is None:
        return Finding("certificate", "look", "none: this node was never enrolled",
                       "ask for a code: storepulse edge enrol CODE --hub https://...")  # fmt: skip
    left = identity.left(now)
    says = f"{identity.address.path}, good until {identity.certificate.not_valid_after_utc:%F}"
    if left <= timedelta(0):
        return Finding("certificate", "ill", f"{says}: it has ended",
                       "ask for a code: storepulse edge enrol; the outbox stays")  # fmt: skip
    if identity.certificate.not_valid_before_utc > now:
        return Finding("certificate", "ill", f"{says}: it is not good yet",
                       "set the clock: it is behind")  # fmt: skip
    if identity.renewal_due(now):
        return Finding("certificate", "look", f"{says}: {left.days} days left, not renewed yet",
                       "let the node run where it reaches the hub")  # fmt: skip
    return Finding("certificate", "well", f"{says}, {left.days} days left")


def look_at_outbox(data: Path, now: datetime) -> Finding:
    """Whether what the node says is taken."""
    if not (data / FILE_NAME).is_file():
        return Finding("outbox", "look", "none yet: this node has not run",
                       f"start it: storepulse edge run --data {data}")  # fmt: skip
    try:
        disk = Disk(data)
        try:
            waiting = Outbox(disk, node="", bytes_max=GIB).waiting()
        finally:
            disk.close()
    except StorepulseError as error:
        return Finding("outbox", "ill", str(error), "see what is said")
    if waiting.numbers == 0 or waiting.oldest_said_at is None:
        return Finding("outbox", "well", f"the hub has all {waiting.last_number} messages")
    age = now - waiting.oldest_said_at
    says = f"{waiting.numbers} wait, the oldest for {int(age.total_seconds() / 60)} minutes"
    if age <= _OUTBOX_AGE_MAX:
        return Finding("outbox", "well", says)
    return Finding("outbox", "look", says, "nothing is lost; look at broker and hub above")


def look_at_phones(settings: Settings) -> Finding:
    """Whether the node answers phones, how it says that it is, and how many are paired."""
    data = settings.data
    if not (data / FILE_NAME).is_file() or not _runs(data):
        return Finding("phones", "look", "the node does not run: no phone is served",
                       f"start it: storepulse edge run --data {data}")  # fmt: skip
    try:
        disk = Disk(data)
        try:
            phones = Phones(disk, Outbox(disk, node="", bytes_max=GIB))
            url = phones.served_at() or ""
            paired = sum(one.ended_at is None for one in phones.all())
        finally:
            disk.close()
        told = own_health(data, url, ca=settings.tls_ca)
    except StorepulseError as error:
        return Finding("phones", "ill", str(error), "look at what the node says on stderr")
    says = f"served at {url}, {paired} paired"
    ailing = [f"{one['name']} {one['phase']}" for one in told["workers"]
              if one["phase"] not in ("ready", "starting", "finished")]  # fmt: skip
    if told["status"] == "ok":
        return Finding("phones", "well", says)
    return Finding("phones", "look", "; ".join([says, *ailing, *told["link"]["alarms"]]),
                   "look at what the node says on stderr")  # fmt: skip


def look_at_disk(data: Path) -> Finding:
    """Whether there is room."""
    there = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    says = f"{free / GIB:.1f} GiB free"
    if free < _DISK_ILL_BYTES:
        return Finding("disk", "ill", says, "make room: soon nothing more can be kept")
    if free < _DISK_LOOK_BYTES:
        return Finding("disk", "look", says, "make room before photos fill it")
    return Finding("disk", "well", says)


async def look_at_judge(settings: Settings) -> Finding:
    """Whether the judging child comes up: it looks at an empty picture before it says so."""
    child = AskedWorker(
        "judge", shlex.split(settings.judge_command), restarts_max=1,
        start_timeout_s=settings.judge_start_timeout_s,
        answer_timeout_s=settings.judge_timeout_s,
    )  # fmt: skip
    running = asyncio.create_task(child.run())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        while child.state.phase == "starting":
            await asyncio.sleep(0.02)
        took_s = loop.time() - begun
        if child.state.phase == "ready":
            return Finding("judge", "well", f"ready in {took_s:.1f} s")
        return Finding("judge", "ill", child.state.trouble or child.state.phase,
                       "pip install 'storepulse[edge]', and look at the memory")  # fmt: skip
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _runs(data: Path) -> bool:
    """Whether a node holds the folder."""
    if not (data / LOCK_NAME).exists():
        return False
    try:
        os.close(hold(data))
    except DataInUse:
        return True
    return False


def _handshake(host: str, port: int, context: ssl.SSLContext) -> str | None:
    """Shake hands and wait a moment for a refusal; None: none came."""
    try:
        with (
            socket.create_connection((host, port), timeout=_CONNECT_S_MAX) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            secure.settimeout(_ALERT_S)
            with suppress(TimeoutError):
                if secure.recv(1) == b"":
                    return "it closes the connection"
    except ssl.SSLError as error:
        return f"TLS: {error.reason or error}"
    except OSError as error:
        return str(error)
    return None


def _broker_context(settings: Settings) -> ssl.SSLContext:
    if settings.tls_ca is None:
        return ssl.create_default_context()
    return trusting(cafile=settings.tls_ca, certificate=settings.tls_certificate)


def _what_to_do(trouble: str) -> str:
    if "Connection refused" in trouble:
        return "look whether it runs, and at the port"
    if "timed out" in trouble:
        return "look at the network, and whether a firewall stands between"
    return "where the certificate has ended or was revoked: ask for a code and enrol again"


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)

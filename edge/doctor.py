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

from edge.blobs import standing_of
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
from storepulse.checklists import Sentence
from storepulse.errors import StorepulseError
from storepulse.units import GIB, MIB

Standing = Literal["well", "look", "ill"]

_CONNECT_S_MAX: Final = 5.0
_ALERT_S: Final = 1.0
"""A server that refuses a certificate in TLS 1.3 says so a moment after the handshake."""
_OUTBOX_AGE_MAX: Final = timedelta(minutes=10)
_DISK_ILL_BYTES: Final = 200 * MIB
_DISK_LOOK_BYTES: Final = GIB


NOTHING: Final = Sentence("", "")
_ENROL: Final = Sentence(
    "ask for a code: storepulse edge enrol CODE --hub https://...",
    "索取注册码，然后运行 storepulse edge enrol CODE --hub https://...",
)
ENROL_AGAIN: Final = Sentence("enrol again by a new code", "请用新的注册码重新注册")
_FIREWALL: Final = Sentence(
    "look at the network, and whether a firewall stands between",
    "请检查网络，以及中间是否有防火墙",
)
_CERTIFICATE: Final = Sentence(
    "where the certificate has ended or was revoked: ask for a code and enrol again",
    "若证书已过期或被吊销：请索取注册码并重新注册",
)
_HOLDS_THE_LINE: Final = Sentence(
    "the node runs and holds the line: see the outbox", "主机正在运行并保持连接：请看发件箱"
)
JUDGE_DO: Final = Sentence(
    "pip install 'storepulse[edge]', and look at the memory",
    "请运行 pip install 'storepulse[edge]'，并检查内存",
)
_AS_SAID: Final = Sentence("see what is said", "请按原话处理")
_ON_STDERR: Final = Sentence("look at what the node says on stderr", "请查看主机在 stderr 上的输出")


def as_said(error: object) -> Sentence:
    """Words of a program or of a library, which speak one language."""
    return Sentence(str(error), f"原话：{error}")


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing stands."""

    name: str
    standing: Standing
    says: Sentence
    do: Sentence = NOTHING
    """What to do about it; empty when it is well."""


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything, in the order in which one thing needs the other."""
    now = now_of(settings.clock)
    try:
        identity = read_identity(settings.data)
    except StorepulseError as error:
        return [Finding("certificate", "ill", as_said(error), ENROL_AGAIN)]
    return [
        await asyncio.to_thread(look_at_network, settings),
        look_at_clock(now),
        await asyncio.to_thread(look_at_hub, identity),
        await look_at_broker(settings),
        look_at_certificate(identity, now().at),
        look_at_outbox(settings.data, now().at),
        look_at_pictures(settings.data, identity),
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
            says = Sentence(f"{where} is reached", f"{where} 可以连通")
            return Finding("network", "well", says)
    except socket.gaierror as error:
        return Finding(
            "network", "ill",
            Sentence(f"{broker.host} is not found: {error.strerror}",
                     f"找不到 {broker.host}：{error.strerror}"),
            Sentence("look at the network cable or Wi-Fi, and at the name server",
                     "请检查网线或 Wi-Fi，以及域名解析"),
        )  # fmt: skip
    except ConnectionRefusedError:
        return Finding(
            "network", "ill", Sentence(f"nothing listens at {where}", f"{where} 没有程序在监听"),
            Sentence("look whether the hub's broker runs, and at the port",
                     "请检查总系统的消息服务是否运行、端口是否正确"),
        )  # fmt: skip
    except OSError as error:
        says = Sentence(f"{where} is not reached: {error}", f"无法连接 {where}：{error}")
        return Finding("network", "ill", says, _FIREWALL)


def look_at_clock(now: Now) -> Finding:
    """Whether the wall clock is set: facts of an unset one take part in no code before it is."""
    moment = now()
    shown = f"{moment.at:%Y-%m-%d %H:%M:%S} UTC"
    if moment.clock.synchronised:
        return Finding("clock", "well", Sentence(f"{shown}, synchronised", f"{shown}，已同步"))
    return Finding(
        "clock", "look", Sentence(f"{shown}, not known to be right", f"{shown}，不确定是否准确"),
        Sentence("let a time service run (systemd-timesyncd, chrony) and reach it",
                 "请启用时间服务（systemd-timesyncd 或 chrony），并确保能连到它"),
    )  # fmt: skip


def look_at_hub(identity: Identity | None) -> Finding:
    """Whether the hub's door answers and takes this node's certificate."""
    if identity is None:
        says = Sentence("this node was never enrolled", "本主机从未注册")
        return Finding("hub", "look", says, _ENROL)
    door = read_hub(identity.hub)
    context = trusting(cafile=identity.ca, certificate=identity.pem)
    trouble = _handshake(door.hostname or "", door.port or 8443, context)
    if trouble is None:
        says = Sentence(
            f"{identity.hub} answers and is the right one", f"{identity.hub} 有应答，且身份正确"
        )
        return Finding("hub", "well", says)
    return Finding("hub", "ill", trouble.at(identity.hub), trouble.to_do())


async def look_at_broker(settings: Settings) -> Finding:
    """Whether the broker takes this node."""
    broker = read_broker(settings.broker)
    if _runs(settings.data):
        if not broker.secure:
            return Finding("broker", "well", _HOLDS_THE_LINE)
        context = _broker_context(settings)
        trouble = await asyncio.to_thread(_handshake, broker.host, broker.port, context)
        if trouble is None:
            says = Sentence(
                f"{settings.broker} takes the certificate; {_HOLDS_THE_LINE.en}",
                f"{settings.broker} 接受证书；{_HOLDS_THE_LINE.zh}",
            )
            return Finding("broker", "well", says)
        return Finding("broker", "ill", trouble.at(settings.broker), trouble.to_do())
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
                says = Sentence("it does not let this node listen", "不允许本主机接收消息")
                return Finding("broker", "ill", says, _CERTIFICATE)
    except (aiomqtt.MqttError, OSError, TimeoutError, ValueError) as error:
        trouble = _Trouble(str(error)) if str(error) else _CLOSES
        return Finding("broker", "ill", trouble.at(settings.broker), trouble.to_do())
    says = Sentence(f"{settings.broker} takes this node", f"{settings.broker} 接受本主机")
    return Finding("broker", "well", says)


def look_at_certificate(identity: Identity | None, now: datetime) -> Finding:
    """How long the certificate is still good."""
    if identity is None:
        says = Sentence("none: this node was never enrolled", "没有：本主机从未注册")
        return Finding("certificate", "look", says, _ENROL)
    left = identity.left(now)
    until = f"{identity.certificate.not_valid_after_utc:%F}"
    en, zh = (
        f"{identity.address.path}, good until {until}",
        f"{identity.address.path}，有效期至 {until}",
    )
    if left <= timedelta(0):
        return Finding(
            "certificate", "ill", Sentence(f"{en}: it has ended", f"{zh}：已过期"),
            Sentence("ask for a code: storepulse edge enrol; the outbox stays",
                     "索取注册码并运行 storepulse edge enrol；发件箱会保留"),
        )  # fmt: skip
    if identity.certificate.not_valid_before_utc > now:
        return Finding(
            "certificate", "ill", Sentence(f"{en}: it is not good yet", f"{zh}：尚未生效"),
            Sentence("set the clock: it is behind", "请校准时钟：时间慢了"),
        )  # fmt: skip
    if identity.renewal_due(now):
        return Finding(
            "certificate", "look",
            Sentence(f"{en}: {left.days} days left, not renewed yet",
                     f"{zh}：剩余 {left.days} 天，尚未续期"),
            Sentence("let the node run where it reaches the hub",
                     "请让主机在能连到总系统的网络中运行"),
        )  # fmt: skip
    says = Sentence(f"{en}, {left.days} days left", f"{zh}，剩余 {left.days} 天")
    return Finding("certificate", "well", says)


def look_at_outbox(data: Path, now: datetime) -> Finding:
    """Whether what the node says is taken."""
    if not (data / FILE_NAME).is_file():
        says = Sentence("none yet: this node has not run", "还没有：本主机尚未运行过")
        return Finding("outbox", "look", says, _start(data))
    try:
        disk = Disk(data)
        try:
            waiting = Outbox(disk, node="", bytes_max=GIB).waiting()
        finally:
            disk.close()
    except StorepulseError as error:
        return Finding("outbox", "ill", as_said(error), _AS_SAID)
    if waiting.numbers == 0 or waiting.oldest_said_at is None:
        sent = waiting.last_number
        says = Sentence(f"the hub has all {sent} messages", f"{sent} 条消息总系统已全部收到")
        return Finding("outbox", "well", says)
    age = now - waiting.oldest_said_at
    minutes = int(age.total_seconds() / 60)
    says = Sentence(
        f"{waiting.numbers} wait, the oldest for {minutes} minutes",
        f"{waiting.numbers} 条待发送，最早的已等待 {minutes} 分钟",
    )
    if age <= _OUTBOX_AGE_MAX:
        return Finding("outbox", "well", says)
    do = Sentence(
        "nothing is lost; look at broker and hub above", "没有丢失；请看上面的消息服务和总系统"
    )
    return Finding("outbox", "look", says, do)


def look_at_pictures(data: Path, identity: Identity | None) -> Finding:
    """Whether the pictures of judged photos go up."""
    if not (data / FILE_NAME).is_file():
        return Finding("pictures", "well", Sentence("none yet", "还没有"))
    try:
        disk = Disk(data)
        try:
            waiting, refused = standing_of(disk)
        finally:
            disk.close()
    except StorepulseError as error:
        return Finding("pictures", "ill", as_said(error), _AS_SAID)
    if waiting and identity is None:
        return Finding(
            "pictures", "look",
            Sentence(f"{waiting} stay here: this node was never enrolled",
                     f"{waiting} 张留在本机：本主机从未注册"),
            Sentence("the board shows them once it is", "注册后看板即可显示"),
        )  # fmt: skip
    says = Sentence("the hub has all", "总系统已全部收到")
    if waiting:
        says = Sentence(f"{waiting} wait for the hub", f"{waiting} 张等待上传到总系统")
    if refused:
        return Finding(
            "pictures", "look",
            Sentence(f"{says.en}; {refused} were refused or never made",
                     f"{says.zh}；{refused} 张被拒绝或未能生成"),
            Sentence("look at what the node says on stderr, and at the hub's alarms",
                     "请查看主机在 stderr 上的输出，以及总系统的告警"),
        )  # fmt: skip
    return Finding("pictures", "well", says)


def look_at_phones(settings: Settings) -> Finding:
    """Whether the node answers phones, how it says that it is, and how many are paired."""
    data = settings.data
    if not (data / FILE_NAME).is_file() or not _runs(data):
        says = Sentence("the node does not run: no phone is served", "主机没有运行：手机无法使用")
        return Finding("phones", "look", says, _start(data))
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
        return Finding("phones", "ill", as_said(error), _ON_STDERR)
    says = served_sentence(url, paired)
    ailing = [f"{one['name']} {one['phase']}" for one in told["workers"]
              if one["phase"] not in ("ready", "starting", "finished")]  # fmt: skip
    if told["status"] == "ok":
        return Finding("phones", "well", says)
    named = [*ailing, *told["link"]["alarms"]]
    says = Sentence("; ".join([says.en, *named]), "；".join([says.zh, *named]))
    return Finding("phones", "look", says, _ON_STDERR)


def served_sentence(address: str, paired: int) -> Sentence:
    """Where phones are served, and how many are paired."""
    return Sentence(f"served at {address}, {paired} paired", f"地址 {address}，已配对 {paired} 部")


def look_at_disk(data: Path) -> Finding:
    """Whether there is room."""
    there = next(folder for folder in (data, *data.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    says = Sentence(f"{free / GIB:.1f} GiB free", f"剩余 {free / GIB:.1f} GiB")
    if free < _DISK_ILL_BYTES:
        do = Sentence("make room: soon nothing more can be kept", "请清理空间：很快将无法保存")
        return Finding("disk", "ill", says, do)
    if free < _DISK_LOOK_BYTES:
        do = Sentence("make room before photos fill it", "请在被照片占满之前清理空间")
        return Finding("disk", "look", says, do)
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
            says = Sentence(f"ready in {took_s:.1f} s", f"{took_s:.1f} 秒后就绪")
            return Finding("judge", "well", says)
        return Finding("judge", "ill", as_said(child.state.trouble or child.state.phase),
                       JUDGE_DO)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a server was not spoken to: in a library's words, or in ours."""

    en: str
    zh: str = ""

    def at(self, address: str) -> Sentence:
        return Sentence(f"{address}: {self.en}", f"{address}：{self.zh or self.en}")

    def to_do(self) -> Sentence:
        if "Connection refused" in self.en:
            return Sentence(
                "look whether it runs, and at the port", "请检查它是否运行、端口是否正确"
            )
        return _FIREWALL if "timed out" in self.en else _CERTIFICATE


_CLOSES: Final = _Trouble("it closes the connection", "对方关闭了连接")


def _handshake(host: str, port: int, context: ssl.SSLContext) -> _Trouble | None:
    """Shake hands and wait a moment for a refusal; None: none came."""
    try:
        with (
            socket.create_connection((host, port), timeout=_CONNECT_S_MAX) as plain,
            context.wrap_socket(plain, server_hostname=host) as secure,
        ):
            secure.settimeout(_ALERT_S)
            with suppress(TimeoutError):
                if secure.recv(1) == b"":
                    return _CLOSES
    except ssl.SSLError as error:
        return _Trouble(f"TLS: {error.reason or error}")
    except OSError as error:
        return _Trouble(str(error))
    return None


def _broker_context(settings: Settings) -> ssl.SSLContext:
    if settings.tls_ca is None:
        return ssl.create_default_context()
    return trusting(cafile=settings.tls_ca, certificate=settings.tls_certificate)


def _start(data: Path) -> Sentence:
    command = f"storepulse edge run --data {data}"
    return Sentence(f"start it: {command}", f"请启动：{command}")


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)

"""The MQTT link: carries the outbox up, acknowledgements and actions down. Decides in `delivery`.

Whatever happens to it, the outbox and the phones' API go on: it tries again, ever more slowly.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

import aiomqtt
from pydantic import ValidationError

from edge.backoff import Backoff
from edge.clock import Now
from edge.delivery import Delivery, Pace, Send
from edge.disk import Disk
from edge.errors import BadSettings
from edge.inbox import Inbox
from edge.outbox import Outbox, through_of
from edge.pairing import Phones
from edge.settings import Settings
from storepulse import __version__
from storepulse.cancelled import heed_cancellation
from storepulse.errors import StorepulseError, Unavailable
from storepulse.facts import Fact
from storepulse.topics import Address, BadName, Channel, NotOurTopic, read_topic
from storepulse.wire import (
    ACKNOWLEDGEMENT_JSON,
    NODE_STATE_JSON,
    BadPayload,
    Message,
    NodeState,
    decode_actions,
    decode_config,
    encode_batch,
    explain,
    unpack,
)

log = logging.getLogger(__name__)

DOWN: Final[tuple[Channel, ...]] = ("down/acks", "down/actions", "down/config")
KEEPALIVE_S: Final = 20
_FAREWELL_S: Final = 2.0
_STATE_EVERY_S: Final = 30.0
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class LinkRefused(Unavailable):
    """The broker took the connection but not what we asked of it."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the link stands, for the health page."""

    connected: bool = False
    since: datetime | None = None
    trouble: str = ""
    """Why it is not connected; empty when it is."""
    alarms: tuple[str, ...] = ()
    """What must be looked at by a person, each once."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where the broker is."""

    host: str
    port: int
    secure: bool


def read_broker(url: str) -> Broker:
    """Read mqtt://HOST:PORT or mqtts://HOST:PORT. Raises `BadSettings`."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise BadSettings(f"broker {url!r}: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise BadSettings(
            f"broker {url!r} is not of the form mqtt://HOST:PORT or mqtts://HOST:PORT"
        )
    if parts.username or parts.password:
        raise BadSettings(
            "give the broker's user and password as STOREPULSE_EDGE_BROKER_USER and "
            "STOREPULSE_EDGE_BROKER_PASSWORD, not in its address: addresses end up in logs"
        )
    return Broker(parts.hostname, port, parts.scheme == "mqtts")


def leading_run(messages: Sequence[Message]) -> tuple[Channel, Sequence[Message]]:
    """The first messages that go to the same channel. At least one message is needed."""
    told = isinstance(messages[0].body, Fact)
    for place, message in enumerate(messages):
        if isinstance(message.body, Fact) != told:
            messages = messages[:place]
            break
    return ("up/facts" if told else "up/events"), messages


class Link:
    """One node's connection to the broker."""

    def __init__(
        self,
        settings: Settings,
        disk: Disk,
        outbox: Outbox,
        inbox: Inbox,
        paired: Phones,
        now: Now,
        *,
        plans: Callable[[], tuple[str, ...]] = lambda: (),
    ) -> None:
        """Raises `BadSettings` for an address of a broker that is none.

        Args:
            plans: which of the hub's planograms are here.
        """
        self.state = LinkState()
        self.phones = ""
        """Where phones are served; known once the node listens."""
        self._settings = settings
        self._broker = read_broker(settings.broker)
        self._address: Address = settings.address
        self._outbox = outbox
        self._inbox = inbox
        self._paired = paired
        self._plans = plans
        self._say = asyncio.Event()
        self._now = now
        self._disk = disk
        self._pace = Pace(settings.batches_max, settings.patience_s)
        self._delivery = Delivery()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Hold the connection until cancelled."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            # A child's last facts may be committed while the loop is closing.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._wake.set)

        self._disk.on_commit(wake)
        self._delivery = Delivery(await asyncio.to_thread(self._outbox.acknowledged))
        backoff = Backoff(longest_s=max(0.5, self._settings.reconnect_s_max))
        failures = 0
        while True:
            try:
                await self._session()
            except Exception as error:
                failures = 1 if self.state.connected else failures + 1
                first = _first_of(error)
                if not isinstance(first, (aiomqtt.MqttError, OSError, StorepulseError)):
                    log.error("the link broke off by a fault of its own", exc_info=error)
                self._trouble(f"{type(first).__name__}: {first}")
            await asyncio.sleep(backoff.wait_s(failures, random.random()))  # noqa: S311

    async def _session(self) -> None:
        topic = self._address.topic("state")
        offline = NODE_STATE_JSON.dump_json(
            NodeState(online=False, version=__version__, phones=self.phones)
        )
        will = aiomqtt.Will(topic, offline, qos=1, retain=True)
        async with self._client(will) as client:
            try:
                granted = await client.subscribe(
                    [(self._address.topic(channel), 1) for channel in DOWN]
                )
                if any(_refused(code) for code in granted):
                    raise LinkRefused(
                        f"broker {self._broker.host} does not let node {self._address.path} "
                        "listen below its own name: it is revoked or not enrolled there"
                    )
                await self._say_state(client)
                log.info("connected to %s:%s", self._broker.host, self._broker.port)
                self.state = replace(self.state, connected=True, since=self._now().at, trouble="")
                self._delivery = self._delivery.reconnected()
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._listen(client))
                    tasks.create_task(self._speak(client))
                    tasks.create_task(self._keep_state(client))
            except asyncio.CancelledError:
                with suppress(aiomqtt.MqttError, TimeoutError):
                    await client.publish(topic, offline, qos=1, retain=True, timeout=_FAREWELL_S)
                raise

    def _client(self, will: aiomqtt.Will) -> aiomqtt.Client:
        settings = self._settings
        tls = None
        if self._broker.secure:
            tls = aiomqtt.TLSParameters(
                ca_certs=_text(settings.tls_ca),
                certfile=_text(settings.tls_certificate),
                keyfile=_text(settings.tls_key),
            )
        return aiomqtt.Client(
            self._broker.host,
            self._broker.port,
            identifier=self._address.path.strip("/").replace("/", "-"),
            username=settings.broker_user or None,
            password=settings.broker_password or None,
            protocol=aiomqtt.ProtocolVersion.V311,
            # The outbox is our session: what a broker would remember of us is only in the way.
            clean_session=True,
            will=will,
            keepalive=KEEPALIVE_S,
            tls_params=tls,
        )

    async def _speak(self, client: aiomqtt.Client) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            now_s = loop.time()
            self._delivery = self._delivery.overdue(now_s, self._pace)
            step = self._delivery.next(now_s, self._pace)
            if isinstance(step, Send):
                batch = await asyncio.to_thread(self._next_batch, step.after)
                if batch is not None:
                    channel, payload, through = batch
                    # Awaited one by one: the broker then has them in the order of their numbers.
                    await client.publish(self._address.topic(channel), payload, qos=1)
                    heed_cancellation()
                    self._delivery = self._delivery.sent(through, loop.time())
                    continue
                pause_s = min(
                    self._settings.poll_s, self._delivery.patience_ends_s(self._pace) - now_s
                )
            else:
                pause_s = step.seconds
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0.01, pause_s))
            heed_cancellation()

    def _next_batch(self, after: int) -> tuple[Channel, bytes, int] | None:
        messages = self._outbox.unacknowledged(
            after, self._settings.batch_max, bytes_max=self._settings.batch_bytes_max
        )
        if not messages:
            return None
        channel, run = leading_run(messages)
        through = through_of(run[-1])
        self._outbox.offer(through)
        return channel, encode_batch(self._address, run), through

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            try:
                address, channel = read_topic(str(message.topic))
                if address != self._address:
                    raise NotOurTopic(f"topic {message.topic} is another node's")
                await self._take(channel, payload)
                if channel == "down/config":
                    # The receipt: also for one that is known, as the first may have been lost.
                    await self._say_state(client)
            except ValidationError as error:
                log.warning("%s: cannot be read: %s", message.topic, explain(error))
            except (BadPayload, BadName, NotOurTopic) as error:
                log.warning("%s: %s", message.topic, error)
            except StorepulseError as error:
                # Not kept, not receipted: the hub sends it again.
                log.error("%s: not kept: %s", message.topic, error)

    async def _take(self, channel: Channel, payload: bytes) -> None:
        if channel == "down/acks":
            acknowledgement = ACKNOWLEDGEMENT_JSON.validate_json(unpack(payload))
            taken = await asyncio.to_thread(self._outbox.acknowledge, acknowledgement)
            if taken in ("taken", "known"):
                now_s = asyncio.get_running_loop().time()
                self._delivery = self._delivery.heard(acknowledgement.through, now_s)
                self._wake.set()
            elif taken == "beyond":
                self._alarm(
                    f"the hub acknowledged number {acknowledgement.through} of epoch "
                    f"{acknowledgement.epoch}, which this node never said: its file is an older "
                    "copy of itself. Move node.sqlite away, so that a new epoch begins"
                )
        elif channel == "down/actions":
            actions = decode_actions(payload)
            ours = [action for action in actions if action.shop == self._address.shop]
            for action in actions:
                if action.shop != self._address.shop:
                    log.warning("action %s is for shop %s: ignored", action.id, action.shop)
            await asyncio.to_thread(self._inbox.receive, ours, self._now())
        elif channel == "down/config":
            config = decode_config(payload)
            if await asyncio.to_thread(self._paired.take_config, config, self._now()):
                log.info("took configuration %d", config.revision)

    async def say_state(self) -> None:
        """Tell the hub soon how this node stands; with no link, it is told when there is one."""
        self._say.set()

    async def _keep_state(self, client: aiomqtt.Client) -> None:
        said = self._now().clock.synchronised
        while True:
            asked = False
            with suppress(TimeoutError):
                asked = await asyncio.wait_for(self._say.wait(), _STATE_EVERY_S)
            self._say.clear()
            # Only from the moment the clock is set does the hub know what the earlier hours were.
            if asked or self._now().clock.synchronised != said:
                await self._say_state(client)
                said = self._now().clock.synchronised
            heed_cancellation()

    async def _say_state(self, client: aiomqtt.Client) -> None:
        waiting = await asyncio.to_thread(self._outbox.waiting)
        config = await asyncio.to_thread(self._paired.config_revision)
        moment = self._now()
        state = NodeState(
            online=True,
            clock=moment.clock,
            at=moment.at,
            version=__version__,
            outbox=waiting.numbers,
            phones=self.phones,
            config=config,
            plans=self._plans(),
        )
        payload = NODE_STATE_JSON.dump_json(state)
        await client.publish(self._address.topic("state"), payload, qos=1, retain=True)

    def _trouble(self, trouble: str) -> None:
        if trouble != self.state.trouble:
            log.warning("no link to %s:%s: %s", self._broker.host, self._broker.port, trouble)
        since = self._now().at if self.state.connected else self.state.since
        self.state = replace(self.state, connected=False, since=since, trouble=trouble)

    def _alarm(self, alarm: str) -> None:
        if alarm not in self.state.alarms:
            log.error("%s", alarm)
            self.state = replace(self.state, alarms=(*self.state.alarms, alarm)[-10:])


def _refused(granted: object) -> bool:
    return bool(getattr(granted, "is_failure", granted == 0x80))


def _first_of(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _text(path: object) -> str | None:
    return None if path is None else str(path)

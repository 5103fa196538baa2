"""Listen to the nodes over MQTT: store what they say, and acknowledge it when it is committed.

The rim: what becomes of a message is decided in `hub.ingest.sorting`.

What comes while the database is at work waits in lanes, and all that waits in a lane goes into one
transaction: the more there is, the larger it gets, and a single message waits for nobody. A node
has always the same lane, so that its words keep their order; there are two, so that one reads while
the other's rows are written.

The session is a clean one. A persistent session would have the broker keep messages for a hub that
is away; but a broker keeps them in memory, up to a limit, and its acknowledgement says nothing
about our database. The node keeps each message until *we* acknowledge it and says it again, so a
second, weaker store in between would only replay what comes anyway.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import uuid4

import aiomqtt
import psycopg
from pydantic import ValidationError

from hub.actions.couriers import Publish, send_due, send_to_node
from hub.errors import DatabaseUnavailable, NodeRefused
from hub.ingest.allowance import STATES, Allowances
from hub.ingest.batches import note_state, note_unreadable
from hub.ingest.lanes import Lane, Waiting, runs_of
from hub.ingest.sorting import why_unstorable
from hub.ingest.workers import Store, storing
from hub.nodes.config_courier import send_config_to_node, send_configs_due
from hub.nodes.store import is_revoked
from hub.settings import Settings
from hub.store.database import Database
from storepulse.cancelled import heed_cancellation
from storepulse.errors import BadInput
from storepulse.topics import Address, Channel, every_node, read_topic
from storepulse.wire import (
    ACKNOWLEDGEMENT_JSON,
    NODE_STATE_JSON,
    Acknowledgement,
    BadPayload,
    NodeState,
    explain,
    unpack,
)

_HEARD: Final[tuple[Channel, ...]] = ("up/facts", "up/events", "state")
_RETRY_S_MIN: Final = 0.1
_KEEPALIVE_S: Final = 20
_LANES: Final = 2
"""For each way to store (`hub.ingest.workers`)."""
_TOGETHER_MAX: Final = 200
"""Payloads in one transaction."""
_ACKS_AT_ONCE: Final = 100
_T = TypeVar("_T")

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What the listener did so far: for a page about health, and for tests."""

    connected: bool = False
    batches: int = 0
    messages: int = 0
    unreadable: int = 0
    quarantined: int = 0
    alarms: int = 0
    actions_sent: int = 0
    configs_sent: int = 0
    last_trouble: str = ""


def utc_now() -> datetime:
    """The moment, by this machine's clock."""
    return datetime.now(UTC)


async def listen(
    database: Database,
    settings: Settings,
    *,
    tally: Tally | None = None,
    now: Callable[[], datetime] = utc_now,
) -> None:
    """Listen until cancelled; a broker or a database that goes away is waited for."""
    listener = _Listener(database, settings, tally or Tally(), now)
    async with storing(
        database, settings.ingest_workers, retry_s_max=settings.retry_s_max,
        trouble=listener.note_trouble,
    ) as stores:  # fmt: skip
        await _listen(listener, stores)


async def _listen(listener: "_Listener", stores: Sequence[Store]) -> None:
    settings = listener.settings
    wait_s = _RETRY_S_MIN
    while True:
        try:
            await listener.one_connection(stores)
        except (aiomqtt.MqttError, OSError) as error:
            if listener.tally.connected:
                wait_s = _RETRY_S_MIN
            listener.note_trouble(f"broker {settings.broker}: {error}")
        except Exception as error:
            # A fault of ours. What was not acknowledged is said again; the hub's other parts go on.
            log.exception("listening broke off; again in %g s", wait_s)
            listener.note_trouble(f"listening broke off: {error!r}")
        finally:
            listener.tally.connected = False
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, settings.retry_s_max)


class _Listener:
    def __init__(
        self,
        database: Database,
        settings: Settings,
        tally: Tally,
        now: Callable[[], datetime],
    ) -> None:
        self.database = database
        self.settings = settings
        self.tally = tally
        self.now = now
        self.states = Allowances(STATES)

    async def one_connection(self, stores: Sequence[Store]) -> None:
        """Connect, subscribe, and serve until the connection breaks.

        Raises:
            MqttError, OSError: there is no connection, or no longer.
        """
        settings = self.settings
        async with aiomqtt.Client(
            settings.broker_host,
            settings.broker_port,
            identifier=f"storepulse-hub-{uuid4().hex[:12]}",
            username=settings.broker_user or None,
            password=settings.broker_password or None,
            clean_session=True,
            keepalive=_KEEPALIVE_S,
            tls_params=_tls(settings),
            # Beyond it payloads are let go; the node says them again.
            max_queued_incoming_messages=settings.queue_max,
            max_inflight_messages=_ACKS_AT_ONCE,
        ) as client:
            # So many acknowledgements are under way on purpose; aiomqtt would warn of each.
            client.pending_calls_threshold = 2 * _LANES * len(stores) * _ACKS_AT_ONCE
            filters = [every_node(name, chain=settings.chain) for name in _HEARD]
            await client.subscribe([(name, 1) for name in filters])
            heed_cancellation()
            self.tally.connected = True
            self.tally.last_trouble = ""
            served = [(Lane(settings.queue_max), store) for store in stores for _ in range(_LANES)]
            work = [self._work_off(client, lane, store) for lane, store in served]
            lanes = [lane for lane, _ in served]
            await _first_of(self._read(client, lanes), self._send_down(client), *work)

    async def _read(self, client: aiomqtt.Client, lanes: Sequence[Lane]) -> None:
        async for message in client.messages:
            topic = message.topic.value
            payload = message.payload if isinstance(message.payload, bytes) else b""
            try:
                address, channel = read_topic(topic)
            except BadInput as error:
                await self._note_unreadable(topic, str(error), self.now())
                continue
            if channel not in _HEARD or address.chain != self.settings.chain:
                # amqtt (0.12) sends whoever connects all retained messages that match anybody's
                # subscription, not only his own.
                continue
            lane = lanes[hash(address.path) % len(lanes)]
            await lane.put(Waiting(address, channel == "state", payload, message.retain))

    async def _work_off(self, client: aiomqtt.Client, lane: Lane, store: Store) -> None:
        while True:
            for run in runs_of(await lane.take(_TOGETHER_MAX)):
                received_at = self.now()
                if run[0].is_state:
                    await self._hear_state(client, run[0], received_at)
                else:
                    await self._hear_batches(client, store, run, received_at)

    async def _hear_batches(
        self, client: aiomqtt.Client, store: Store, run: Sequence[Waiting], received_at: datetime
    ) -> None:
        said = [(one.address, one.payload) for one in run]
        told = await self._until_it_answers(lambda: store(said, received_at))
        self.tally.batches += told.batches
        self.tally.messages += told.messages
        self.tally.quarantined += told.quarantined
        self.tally.alarms += len(told.alarms)
        for alarm in told.alarms:
            log.warning("%s", alarm)
        for trouble in told.troubles:
            self.note_trouble(trouble)
        for address, reason in told.unreadable:
            await self._note_unreadable(address.topic("up/facts"), reason, received_at)
        # Only now: everything up to there is committed.
        await self._acknowledge(client, told.acknowledgements)

    async def _hear_state(
        self, client: aiomqtt.Client, said: Waiting, received_at: datetime
    ) -> None:
        address, payload, retained = said.address, said.payload, said.retained
        if not payload:  # a retained state that was cleared
            return
        if not self.states.has(address.path, received_at):
            if (reason := self.states.why_none(address.path)) is not None:
                await self._note_unreadable(address.topic("state"), reason, received_at)
            return
        self.states.spend(address.path, 1, len(payload), received_at)
        try:
            await self._refuse_revoked(address)
            state = _read_state(payload)
            told = await self._in_a_thread(
                lambda: note_state(
                    self.database, address, state, received_at=received_at, retained=retained
                )
            )
        except BadInput as error:
            await self._note_unreadable(address.topic("state"), str(error), received_at)
            return
        except psycopg.Error as error:
            log.exception("the state of %s could not be stored", address.path)
            self.note_trouble(f"database: {error}")
            return
        if state.online:
            # The node need not run out of patience to learn that the hub is back.
            await self._acknowledge(client, [(address, one) for one in told])
            publish = _publisher(client)
            with contextlib.suppress(DatabaseUnavailable):  # the timer sends them
                self.tally.actions_sent += await send_to_node(
                    self.database, publish, address, now=received_at
                )
                self.tally.configs_sent += await send_config_to_node(
                    self.database, publish, address, now=received_at
                )

    async def _refuse_revoked(self, address: Address) -> None:
        """The broker shuts the revoked out; what was under way, or waits there, ends here."""

        def look() -> bool:
            with self.database.connection() as connection:
                return is_revoked(connection, address)

        if await self._in_a_thread(look):
            raise NodeRefused(f"node {address.path} is revoked: what it says is not stored")

    async def _acknowledge(
        self, client: aiomqtt.Client, told: Sequence[tuple[Address, Acknowledgement]]
    ) -> None:
        publish = _publisher(client)
        for first in range(0, len(told), _ACKS_AT_ONCE):
            await asyncio.gather(
                *(
                    publish(address.topic("down/acks"), ACKNOWLEDGEMENT_JSON.dump_json(one))
                    for address, one in told[first : first + _ACKS_AT_ONCE]
                )
            )

    async def _note_unreadable(self, topic: str, reason: str, received_at: datetime) -> None:
        self.tally.unreadable += 1
        log.warning("%s: %s", topic, reason)
        # Shortened by its levels: /storepulse/{chain}/{shop}/{node}, where the topic has them.
        node_path = "/storepulse/" + "/".join(topic.split("/")[2:5])
        await self._in_a_thread(
            lambda: note_unreadable(self.database, node_path, reason, received_at=received_at)
        )

    async def _send_down(self, client: aiomqtt.Client) -> None:
        settings = self.settings
        while True:
            try:
                self.tally.actions_sent += await send_due(
                    self.database, _publisher(client), now=self.now(), resend_s=settings.resend_s
                )
                self.tally.configs_sent += await send_configs_due(
                    self.database, _publisher(client), now=self.now(), resend_s=settings.resend_s
                )
            except DatabaseUnavailable as error:
                self.note_trouble(str(error))
            await asyncio.sleep(settings.courier_tick_s)

    async def _in_a_thread(self, work: Callable[[], _T]) -> _T:
        return await self._until_it_answers(lambda: asyncio.to_thread(work))

    async def _until_it_answers(self, store: Callable[[], Awaitable[_T]]) -> _T:
        """Store; while the database is away, try again."""
        wait_s = _RETRY_S_MIN
        while True:
            try:
                return await store()
            except DatabaseUnavailable as error:
                self.note_trouble(str(error))
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, self.settings.retry_s_max)

    def note_trouble(self, trouble: str) -> None:
        """Say it once, not with every try."""
        if trouble != self.tally.last_trouble:
            log.warning("%s", trouble)
        self.tally.last_trouble = trouble


async def _first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Run side by side until one ends or fails; the others are cancelled, and its error raised.

    Not a TaskGroup: before Python 3.13 that leaves the count of cancellations behind by which we
    know that we were told to stop.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


def _read_state(payload: bytes) -> NodeState:
    try:
        state = NODE_STATE_JSON.validate_json(unpack(payload))
    except ValidationError as error:
        raise BadPayload(f"state cannot be read: {explain(error)}") from error
    reason = why_unstorable(NODE_STATE_JSON.dump_python(state, mode="json"))
    if reason is not None:
        raise BadPayload(f"state cannot be kept: {reason}")
    return state


def _tls(settings: Settings) -> aiomqtt.TLSParameters | None:
    if not settings.secure:
        return None
    certificate = None if settings.tls_certificate is None else str(settings.tls_certificate)
    return aiomqtt.TLSParameters(
        ca_certs=None if settings.tls_ca is None else str(settings.tls_ca),
        certfile=certificate,
        keyfile=certificate,
    )


def _publisher(client: aiomqtt.Client) -> Publish:
    async def publish(topic: str, payload: bytes) -> None:
        await client.publish(topic, payload, qos=1)
        heed_cancellation()

    return publish

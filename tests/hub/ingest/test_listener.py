"""A real broker, a real database: what a node says is stored, then acknowledged."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from hub.actions.store import NewAction, actions, insert_actions
from hub.brokers.broker import Broker, BrokerKind, installed_kind, running_broker
from hub.ingest.facts_store import facts_of_days
from hub.ingest.listener import Tally, listen
from hub.settings import BadSettings, Settings, read_settings
from hub.shops_store import nodes
from hub.store import postgres
from hub.store.database import Database, open_database
from storepulse.actions import Action
from storepulse.checklists import Sentence
from storepulse.events import ActionMarked, Event
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import (
    ACKNOWLEDGEMENT_JSON,
    NODE_STATE_JSON,
    Acknowledgement,
    Clock,
    Key,
    Message,
    NodeState,
    decode_actions,
    encode_batch,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS = Address("acme", "17", "node-1")
RESEND_S = 0.2
KINDS: list[BrokerKind] = (
    ["embedded", "mosquitto"] if installed_kind() == "mosquitto" else ["embedded"]
)


@pytest.fixture(scope="module", params=KINDS)
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    folder = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    folder.chmod(0o711)
    with running_broker(folder, kind=request.param) as running:
        yield running
    shutil.rmtree(folder)


def quick(broker_url: str) -> Settings:
    return Settings(
        chain="acme", broker=broker_url, courier_tick_s=0.05, resend_s=RESEND_S, retry_s_max=0.2
    )


@asynccontextmanager
async def listening(database: Database, broker_url: str) -> AsyncIterator[Tally]:
    tally = Tally()
    task = asyncio.create_task(listen(database, quick(broker_url), tally=tally))
    try:
        yield tally
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def node_of(port: int) -> AsyncIterator["Node"]:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe([(OURS.topic("down/acks"), 1), (OURS.topic("down/actions"), 1)])
        yield Node(client)


class Node:
    """The wire's other end: says things, and keeps what comes down."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client

    async def say(self, *bodies: Fact | Event, first: int = 1) -> None:
        clock = Clock(boot="b", monotonic_s=1.0, synchronised=True)
        messages = [
            Message(
                key=Key(node="node-1", epoch="e", number=n), said_at=NOON, clock=clock, body=body
            )
            for n, body in enumerate(bodies, start=first)
        ]
        await self.say_bytes(encode_batch(OURS, messages))

    async def say_bytes(self, payload: bytes) -> None:
        await self.client.publish(OURS.topic("up/facts"), payload, qos=1)

    async def say_state(self, state: NodeState, *, retain: bool = True) -> None:
        payload = NODE_STATE_JSON.dump_json(state)
        await self.client.publish(OURS.topic("state"), payload, qos=1, retain=retain)

    async def hear(self) -> Acknowledgement | list[str]:
        """The next acknowledgement, or the ids of the next actions."""
        async with asyncio.timeout(60):
            async for message in self.client.messages:
                payload = bytes(message.payload)
                if message.topic.value == OURS.topic("down/acks"):
                    return ACKNOWLEDGEMENT_JSON.validate_json(payload)
                if message.topic.value == OURS.topic("down/actions"):
                    return [one.id for one in decode_actions(payload)]
                # amqtt sends retained messages also to those who did not ask for them.
        raise AssertionError("the connection ended")


def fact(name: str) -> Fact:
    return Fact(
        id=name, shop="17", metric="dwell_mean", start=NOON, end=NOON + timedelta(minutes=15),
        value=2.4, low=2.1, high=2.8,
    )  # fmt: skip


def facts(database: Database) -> list[str]:
    with database.connection() as connection:
        return [one.fact.id for one in facts_of_days(connection, NOON.date(), NOON.date())]


async def until(met: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not met():
            await asyncio.sleep(0.01)


async def test_what_is_said_is_stored_and_then_acknowledged(
    database: Database, broker: Broker
) -> None:
    async with listening(database, broker.url) as tally, node_of(broker.port) as node:
        await until(lambda: tally.connected)
        await node.say(*(fact(f"f{number:03}") for number in range(100)))
        assert await node.hear() == Acknowledgement(epoch="e", through=100)
        assert len(facts(database)) == 100
        await node.say(fact("f000"))
        assert await node.hear() == Acknowledgement(epoch="e", through=100)
        assert len(facts(database)) == 100


async def test_bytes_that_nobody_can_read_are_counted_and_hurt_nothing(
    database: Database, broker: Broker
) -> None:
    async with listening(database, broker.url) as tally, node_of(broker.port) as node:
        await until(lambda: tally.connected)
        for payload in (b"", b"\xff\x00", b"[{}]", b"\x28\xb5\x2f\xfdbomb", b"[" * 100_000):
            await node.say_bytes(payload)
        await node.client.publish(OURS.topic("state"), b"{", qos=1)
        await node.client.publish(
            OURS.topic("state"), b'{"online":true,"version":"a\\u0000"}', qos=1
        )
        await node.say(fact("f"))
        assert await node.hear() == Acknowledgement(epoch="e", through=1)
        assert tally.unreadable == 7
    with database.connection() as connection:
        alarms = connection.execute("select distinct kind, node_path from alarms").fetchall()
    assert alarms == [{"kind": "unreadable batch", "node_path": OURS.path}]


async def test_another_chain_is_not_listened_to(database: Database, broker: Broker) -> None:
    other = Address("other", "17", "node-1")
    state = NODE_STATE_JSON.dump_json(NodeState(online=True))
    async with node_of(broker.port) as node:
        await node.client.subscribe("storepulse/1/+/+/+/state", qos=1)
        await node.client.publish(other.topic("state"), state, qos=1, retain=True)
        async with listening(database, broker.url) as tally:
            await until(lambda: tally.connected)
            await node.client.publish(other.topic("state"), state, qos=1)
            await node.client.publish(other.topic("up/facts"), b"[]", qos=1)
            await node.say_state(NodeState(online=True), retain=False)
            await until(lambda: _online(database))
        await node.client.publish(other.topic("state"), b"", qos=1, retain=True)
    with database.connection() as connection:
        assert [one.address for one in nodes(connection)] == [OURS]


async def test_an_action_comes_down_until_its_receipt_goes_up(
    database: Database, broker: Broker
) -> None:
    action = Action(
        id="a1", shop="17", kind="talk_track", dimension="people", day="2026-11-20",
        title=Sentence("t", "t"), text=Sentence("x", "x"), reason="r",
        created_at=NOON, due_at=NOON + timedelta(days=1),
    )  # fmt: skip
    async with listening(database, broker.url) as tally, node_of(broker.port) as node:
        await until(lambda: tally.connected)
        await node.say_state(NodeState(online=True))
        await until(lambda: _online(database))
        with database.connection() as connection:
            insert_actions(connection, [NewAction(action=action)])
        assert [await node.hear() for _ in range(3)] == [["a1"]] * 3
        await node.say(ActionMarked(action="a1", event="receipt_stored", at=NOON))
        while await node.hear() == ["a1"]:
            pass
        with database.connection() as connection:
            assert [one.state for one in actions(connection)] == ["delivered"]
        # What was on its way when the receipt came still comes, and a broker may say it twice. An
        # action that is pushed on and on comes in each pause: one without it is there to be heard.
        pauses = 0
        late: list[Any] = ["a1"]
        while late:
            pauses += 1
            assert pauses < 20, "the action comes on and on"
            await asyncio.sleep(2 * RESEND_S)  # nothing to wait for: time to be said again
            await node.say(fact(f"f{pauses}"), first=1 + pauses)
            late = []
            while (heard := await node.hear()) == ["a1"]:
                late.append(heard)
            assert heard == Acknowledgement(epoch="e", through=1 + pauses)
        await node.say_state(NodeState(online=False))
        await until(lambda: not _online(database))
        await node.client.publish(OURS.topic("state"), b"", qos=1, retain=True)


def _online(database: Database) -> bool:
    with database.connection() as connection:
        return any(one.online for one in nodes(connection))


async def test_a_hub_that_comes_back_tells_the_nodes_that_are_there_where_they_stand(
    database: Database, broker: Broker
) -> None:
    async with node_of(broker.port) as node:
        await node.say_state(NodeState(online=True))
        async with listening(database, broker.url) as tally:
            await until(lambda: tally.connected)
            await node.say(fact("f"))
            assert await node.hear() == Acknowledgement(epoch="e", through=1)
        async with listening(database, broker.url):
            # Nothing was said: the retained state alone makes the hub speak.
            assert await node.hear() == Acknowledgement(epoch="e", through=1)
        await node.client.publish(OURS.topic("state"), b"", qos=1, retain=True)


async def test_nothing_is_acknowledged_while_the_database_is_away(
    open_folder: Path, no_sync: Any, broker: Broker
) -> None:
    folder = open_folder / f"killed-{broker.kind}"
    with (
        postgres.attach(folder, settings=no_sync) as server,
        open_database(str(folder), wait_s_max=0.3) as database,
    ):
        async with listening(database, broker.url) as tally, node_of(broker.port) as node:
            await until(lambda: tally.connected)
            await node.say(fact("f1"))
            assert await node.hear() == Acknowledgement(epoch="e", through=1)
            os.kill(server.pid, signal.SIGKILL)
            await node.say(fact("f2"), first=2)
            await until(lambda: "does not answer" in tally.last_trouble)
            with await asyncio.to_thread(postgres.attach, folder, settings=no_sync):
                assert await node.hear() == Acknowledgement(epoch="e", through=2)
                assert facts(database) == ["f1", "f2"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_that_goes_away_is_waited_for(
    database: Database, open_folder: Path, kind: BrokerKind
) -> None:
    folder = open_folder / f"broker-{kind}"
    with running_broker(folder, kind=kind) as first:
        async with listening(database, first.url) as tally:
            await until(lambda: tally.connected)
            os.kill(first.pid, signal.SIGKILL)
            await until(lambda: not tally.connected)
            with running_broker(folder, kind=kind, port=first.port) as second:
                await until(lambda: tally.connected)
                async with node_of(second.port) as node:
                    await node.say(fact("f"))
                    assert await node.hear() == Acknowledgement(epoch="e", through=1)


def test_settings_come_from_the_command_line_then_the_environment() -> None:
    environ = {"STOREPULSE_HUB_CHAIN": "acme", "STOREPULSE_HUB_RESEND_S": "7"}
    settings = read_settings(environ, chain=None, broker="mqtt://broker")
    assert (settings.chain, settings.resend_s) == ("acme", 7.0)
    assert (settings.broker_host, settings.broker_port) == ("broker", 1883)
    assert read_settings(environ, chain="other").chain == "other"


@pytest.mark.parametrize("broker_url", ["http://x", "mqtt://", "mqtt://h:port", "mqtt://h:70000"])
def test_a_setting_without_meaning_is_told(broker_url: str) -> None:
    with pytest.raises(BadSettings, match="mqtt://HOST:PORT"):
        read_settings({}, broker=broker_url)
    with pytest.raises(BadSettings, match="resend_s"):
        read_settings({}, resend_s=0)

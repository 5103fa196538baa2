"""The commands as processes: killed in the middle of the catch-up, nothing is lost or doubled."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import pytest

from hub.brokers.broker import BrokerKind, installed_kind, is_running
from hub.ingest.facts_store import facts_of_days
from hub.store.database import Database
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import (
    ACKNOWLEDGEMENT_JSON,
    NODE_STATE_JSON,
    Clock,
    Key,
    Message,
    NodeState,
    encode_batch,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OURS = Address("acme", "17", "node-1")
FACTS = 1000
BATCH = 20
KINDS: list[BrokerKind] = (
    ["embedded", "mosquitto"] if installed_kind() == "mosquitto" else ["embedded"]
)


@contextmanager
def command(*words: str, stdout: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen([sys.executable, "-m", "storepulse", "hub", *words], stdout=stdout)
    try:
        yield child
    finally:
        child.terminate()
        child.wait(120)
        if child.stdout is not None:
            child.stdout.close()


class OutboxNode:
    """A node that says each batch until it is acknowledged, as the outbox does."""

    def __init__(self) -> None:
        self.through = 0

    async def deliver(self, port: int, *, last: int, until: int) -> None:
        """Say what is above `through` up to `last`, again and again, until the hub has `until`.

        Again when nothing more is acknowledged: who says all of it each second buries a slow hub.
        """
        async with asyncio.timeout(120), aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe(OURS.topic("down/acks"), qos=1)
            state = NODE_STATE_JSON.dump_json(NodeState(online=True))
            await client.publish(OURS.topic("state"), state, qos=1, retain=True)
            heard = asyncio.create_task(self._hear(client, until))
            try:
                while not heard.done():
                    for first in range(self.through + 1, last + 1, BATCH):
                        await client.publish(OURS.topic("up/facts"), batch(first), qos=1)
                    known = -1
                    while known != self.through and not heard.done():
                        known = self.through
                        await asyncio.wait([heard], timeout=2)
                heard.result()
            finally:
                heard.cancel()

    async def _hear(self, client: aiomqtt.Client, until: int) -> None:
        async for message in client.messages:
            if message.topic.value != OURS.topic("down/acks"):
                continue  # amqtt sends retained messages also to those who did not ask for them
            told = ACKNOWLEDGEMENT_JSON.validate_json(bytes(message.payload))
            self.through = max(self.through, told.through)
            if self.through >= until:
                return


def batch(first: int) -> bytes:
    clock = Clock(boot="b", monotonic_s=1.0, synchronised=True)
    return encode_batch(
        OURS,
        [
            Message(
                key=Key(node="node-1", epoch="e", number=number),
                said_at=NOON,
                clock=clock,
                body=Fact(
                    id=f"f{number}", shop="17", metric="visitors", start=NOON,
                    end=NOON + timedelta(minutes=15), value=3, low=2, high=4,
                ),
            )
            for number in range(first, min(first + BATCH, FACTS + 1))
        ],
    )  # fmt: skip


@pytest.mark.journey
@pytest.mark.parametrize("kind", KINDS)
async def test_a_hub_killed_in_the_middle_of_the_catch_up_holds_each_fact_once(
    database: Database, open_folder: Path, kind: BrokerKind
) -> None:
    folder = open_folder / f"commands-{kind}"
    words = ["--port", "0", "--kind", kind, "--folder", str(folder), "--json"]
    with command("broker", "run", *words, stdout=subprocess.PIPE) as broker:
        assert broker.stdout is not None
        told = json.loads(await asyncio.to_thread(broker.stdout.readline))
        assert told["kind"] == kind
        url = f"mqtt://127.0.0.1:{told['port']}"
        place = ["--database", database.place, "--broker", url, "--chain", "acme"]
        node = OutboxNode()
        with command("ingest", *place) as ingest:
            await node.deliver(told["port"], last=500, until=60)
            os.kill(ingest.pid, signal.SIGKILL)
        # Of the first half much was under way, and the second half was not said yet.
        with command("ingest", *place) as ingest:
            await node.deliver(told["port"], last=FACTS, until=FACTS)
            ingest.terminate()
            assert await asyncio.to_thread(ingest.wait, 120) == 0
    assert not is_running(told["pid"])
    with database.connection() as connection:
        held = facts_of_days(connection, NOON.date(), NOON.date())
        alarms = connection.execute("select * from alarms").fetchall()
    assert sorted(int(one.fact.id[1:]) for one in held) == list(range(1, FACTS + 1))
    assert alarms == []


@pytest.mark.journey
async def test_a_worker_killed_while_messages_come_is_made_good_by_the_hub_alone(
    database: Database, open_folder: Path
) -> None:
    folder = open_folder / "commands-workers"
    words = ["--port", "0", "--folder", str(folder), "--json"]
    with command("broker", "run", *words, stdout=subprocess.PIPE) as broker:
        assert broker.stdout is not None
        told = json.loads(await asyncio.to_thread(broker.stdout.readline))
        url = f"mqtt://127.0.0.1:{told['port']}"
        place = ["--database", str(open_folder / "hub"), "--broker", url, "--chain", "acme"]
        node = OutboxNode()
        with command("ingest", *place, "--workers", "2") as ingest:
            await node.deliver(told["port"], last=500, until=60)
            # The node has one worker and we do not know which: both, one after the other.
            for worker, last in zip(children_of(ingest.pid), (750, FACTS), strict=True):
                os.kill(worker, signal.SIGKILL)
                await node.deliver(told["port"], last=last, until=last)
            async with asyncio.timeout(120):
                # The one that the node does not have is started again when nobody waits for it.
                while len(left := children_of(ingest.pid)) < 2:
                    await asyncio.sleep(0.05)
            ingest.terminate()
            assert await asyncio.to_thread(ingest.wait, 120) == 0
    assert not any(is_running(one) for one in left)
    with database.connection() as connection:
        held = facts_of_days(connection, NOON.date(), NOON.date())
        alarms = connection.execute("select * from alarms").fetchall()
    assert sorted(int(one.fact.id[1:]) for one in held) == list(range(1, FACTS + 1))
    assert alarms == []


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def test_a_broker_that_ends_by_itself_is_told(open_folder: Path) -> None:
    words = ["--port", "0", "--folder", str(open_folder / "ended"), "--json"]
    with command("broker", "run", *words, stdout=subprocess.PIPE) as broker:
        assert broker.stdout is not None
        os.kill(json.loads(broker.stdout.readline())["pid"], signal.SIGKILL)
        assert broker.wait(120) == 1

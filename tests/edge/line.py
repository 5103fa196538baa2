"""A real broker, a real node and a small hub, each of which a test can kill and start again."""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiomqtt
import httpx

from edge.owner import owner_key
from storepulse.actions import Action
from storepulse.cancelled import heed_cancellation
from storepulse.events import ActionMarked
from storepulse.free_ports import free_port
from storepulse.topics import Address, Channel, every_node, read_topic
from storepulse.wire import (
    ACKNOWLEDGEMENT_JSON,
    NODE_STATE_JSON,
    Acknowledgement,
    Message,
    NodeState,
    decode_batch,
    encode_actions,
    pack,
)

HERE = Path(__file__).parent
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
UP: tuple[Channel, ...] = ("up/facts", "up/events", "state")
ADDRESS = Address("chain", "shop-17", "node-1")


async def until(true: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


class Broker:
    """A broker on one port of loopback, of the kind that is asked for."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.port = free_port()
        self._argv = [sys.executable, str(HERE / "amqtt_broker.py"), str(self.port)]
        if kind == "mosquitto":
            assert MOSQUITTO is not None
            config = folder / "mosquitto.conf"
            config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
            self._argv = [MOSQUITTO, "-c", str(config)]
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = subprocess.Popen(self._argv, stderr=subprocess.DEVNULL)
        await until(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as asking:
            asking.settimeout(1)
            return asking.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class NodeProcess:
    """`storepulse edge run` as a process of its own."""

    def __init__(self, folder: Path, broker: Broker, *options: str) -> None:
        self.data = folder / "data"
        self.url = ""
        self._errors = (folder / "node.err").open("ab")
        self._argv = [
            sys.executable, "-m", "storepulse", "edge", "run", "--verbose", "--data",
            str(self.data), "--chain", ADDRESS.chain, "--shop", ADDRESS.shop, "--node",
            ADDRESS.node, "--broker", f"mqtt://127.0.0.1:{broker.port}", "--clock", "yes", *options,
        ]  # fmt: skip
        judge = [sys.executable, str(HERE / "fake_judge.py"), str(folder / "judged")]
        self._environ = {
            **os.environ,
            "STOREPULSE_EDGE_JUDGE_COMMAND": shlex.join(judge),
            "STOREPULSE_EDGE_BATCH_MAX": "20",
            "STOREPULSE_EDGE_PATIENCE_S": "1",
            "STOREPULSE_EDGE_RECONNECT_S_MAX": "0.5",
            "STOREPULSE_EDGE_POLL_S": "0.1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = subprocess.Popen(
            self._argv, stdout=subprocess.PIPE, stderr=self._errors, env=self._environ
        )
        assert self._process.stdout is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        self.url = json.loads(line)["listening"]

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._gone()

    def terminate(self) -> int:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._gone()

    def _gone(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        code = self._process.wait(60)
        self._process.stdout.close()
        self._process = None
        return code

    def close(self) -> None:
        self.kill()
        self._errors.close()

    def owner(self) -> httpx.AsyncClient:
        """Speaks to the node as its owner does, from the same machine."""
        headers = {"authorization": f"Bearer {owner_key(self.data)}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30)

    async def health(self) -> dict[str, dict[str, int]]:
        async with self.owner() as client:
            answer = await client.get("/healthz")
        told: dict[str, dict[str, int]] = answer.json()
        return told

    async def drained(self, last: int) -> None:
        """Wait until the hub has everything up to `last`."""
        async with asyncio.timeout(60):
            while True:
                outbox = (await self.health())["outbox"]
                if outbox["acknowledged"] >= last and outbox["waiting"] == 0:
                    return
                await asyncio.sleep(0.05)


class SmallHub:
    """Keeps messages by their key, acknowledges what has no gap, sends actions until receipted."""

    def __init__(self, broker: Broker) -> None:
        self.arrived: list[list[int]] = []
        """The numbers that came, connection by connection."""
        self.kept: dict[int, Message] = {}
        self.states: list[NodeState] = []
        self.acknowledge_at_most = 10**9
        self.actions: list[Action] = []
        self._broker = broker

    def prefix(self) -> int:
        through = 0
        while through + 1 in self.kept:
            through += 1
        return through

    def receipts(self) -> list[ActionMarked]:
        bodies = [message.body for message in self.kept.values()]
        return [body for body in bodies if isinstance(body, ActionMarked)]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["SmallHub"]:
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            # Said again: before Python 3.12 asyncio.wait_for, by which aiomqtt waits, swallows a
            # cancellation that comes in the same moment as the answer.
            while not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=1)
            (end,) = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(end, asyncio.CancelledError), end

    async def _run(self) -> None:
        while True:
            try:
                async with aiomqtt.Client("127.0.0.1", self._broker.port) as client:
                    for channel in UP:
                        await client.subscribe(every_node(channel), qos=1)
                    await self._acknowledge(client)
                    async with asyncio.TaskGroup() as tasks:
                        tasks.create_task(self._listen(client))
                        tasks.create_task(self._push(client))
            except* aiomqtt.MqttError:
                pass
            await asyncio.sleep(0.1)

    async def _listen(self, client: aiomqtt.Client) -> None:
        self.arrived.append([])
        async for packet in client.messages:
            assert isinstance(packet.payload, bytes)
            address, channel = read_topic(str(packet.topic))
            assert address == ADDRESS
            if channel == "state":
                self.states.append(NODE_STATE_JSON.validate_json(packet.payload))
                continue
            for message in decode_batch(packet.payload):
                assert isinstance(message, Message)
                self.arrived[-1].append(message.key.number)
                assert self.kept.setdefault(message.key.number, message) == message
            await self._acknowledge(client)
            heed_cancellation()

    async def _acknowledge(self, client: aiomqtt.Client) -> None:
        if self.kept:
            through = min(self.prefix(), self.acknowledge_at_most)
            epoch = next(iter(self.kept.values())).key.epoch
            said = Acknowledgement(epoch=epoch, through=through)
            payload = ACKNOWLEDGEMENT_JSON.dump_json(said)
            await client.publish(ADDRESS.topic("down/acks"), payload, qos=1)

    async def _push(self, client: aiomqtt.Client) -> None:
        while True:
            receipted = {receipt.action for receipt in self.receipts()}
            waiting = [action for action in self.actions if action.id not in receipted]
            if waiting:
                payload = pack(encode_actions(waiting))
                await client.publish(ADDRESS.topic("down/actions"), payload, qos=1)
                heed_cancellation()
            await asyncio.sleep(0.1)

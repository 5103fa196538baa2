"""`python -m hub.bench.sender`: many nodes' streams over one connection, for the bench of ingest.

What is sent is written before the clock starts, as nodes write it. Each node keeps a few messages
under way, says the next when the hub has acknowledged, and says again what met with silence. A
share of the messages is sent twice on purpose. One line of JSON on stdin starts each run, one on
stdout ends it; nothing is judged here.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import ACKNOWLEDGEMENT_JSON, Clock, Key, Message, encode_batch

CHAIN: Final = "bench"
EPOCH: Final = "11111111-0000-4000-8000-000000000000"
FIRST: Final = datetime(2026, 11, 2, tzinfo=UTC)
_METRICS: Final = ("dwell_mean", "bounce_45s", "visitors", "occupancy", "screen_touches")
_QUARTER: Final = timedelta(minutes=15)
_TWICE_EVERY: Final = 50
"""One message in so many is sent twice."""
_PATIENCE_S: Final = 20.0
_LOOK_S: Final = 0.5


def node_address(number: int) -> Address:
    """The node of this number; each has a shop of its own."""
    return Address(CHAIN, f"bench-{number:05d}", "n1")


def quarter_facts(number: int, first: int, count: int) -> list[Fact]:
    """The facts `first` (from 0) to `first + count - 1` of a node: five metrics a quarter hour."""
    address = node_address(number)
    return [_fact(address, at) for at in range(first, first + count)]


def _fact(address: Address, at: int) -> Fact:
    quarter, which = divmod(at, len(_METRICS))
    metric, start = _METRICS[which], FIRST + quarter * _QUARTER
    name = str(uuid5(NAMESPACE_URL, f"{address.path} {metric} {start}"))
    value = 0.5 + (at * 7 % 100) / 250
    more: dict[str, Any] = {}
    if metric != "screen_touches":
        more = {"low": value - 0.1, "high": value + 0.1, "n": 3 + at % 40, "independent": 0.2}
    return Fact(
        id=name, shop=address.shop, metric=metric, start=start, end=start + _QUARTER, value=value,
        coverage=0.95, dims={"mode": "counting"}, method="probes.visits/1",
        source=f"{address.path}/radio0", **more,
    )  # fmt: skip


def payloads(number: int, first: int, messages: int, size: int) -> Iterator[tuple[bytes, int]]:
    """A node's messages of `size` facts from message `first` on, with each one's last number."""
    address = node_address(number)
    for which in range(first, first + messages):
        numbered = enumerate(quarter_facts(number, which * size, size), start=which * size + 1)
        yield (
            encode_batch(
                address,
                [
                    Message(
                        key=Key(node=address.node, epoch=EPOCH, number=key), said_at=fact.end,
                        clock=Clock(boot="b", monotonic_s=100.0 + key, synchronised=True),
                        body=fact,
                    )
                    for key, fact in numbered
                ],
            ),
            (which + 1) * size,
        )  # fmt: skip


@dataclass(slots=True)
class _Node:
    topic: str
    waiting: list[tuple[bytes, int]]
    """Payloads that the hub has not acknowledged, the next first, with the last number of each."""
    under_way: int = 0
    """How many of them are sent."""
    quiet_since: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one run took, from the first message to the last acknowledgement."""

    wall_s: float
    cpu_s: float
    sent: int
    again: int
    """Messages that were sent twice on purpose."""
    repeated: int
    """Messages that met with silence for 20 s and were said again."""
    bytes_sent: int


@dataclass(slots=True)
class _Run:
    client: mqtt.Client
    window: int
    nodes: dict[str, _Node] = field(default_factory=dict)
    sent: int = 0
    again: int = 0
    repeated: int = 0
    bytes_sent: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    open_nodes: int = 0

    def begin(self) -> None:
        with self.lock:
            self.open_nodes = len(self.nodes)
            for node in self.nodes.values():
                self._fill(node)

    def _fill(self, node: _Node) -> None:
        while node.under_way < min(self.window, len(node.waiting)):
            payload, _ = node.waiting[node.under_way]
            node.under_way += 1
            self._send(node, payload)
            if self.sent % _TWICE_EVERY == 0:
                self.again += 1
                self._send(node, payload)
        node.quiet_since = time.monotonic()

    def _send(self, node: _Node, payload: bytes) -> None:
        self.sent += 1
        self.bytes_sent += len(payload)
        self.client.publish(node.topic, payload, qos=1)

    def heard(self, topic: str, through: int) -> None:
        with self.lock:
            node = self.nodes.get(topic)
            if node is None or not node.waiting:
                return
            while node.waiting and node.waiting[0][1] <= through:
                node.waiting.pop(0)
                node.under_way = max(0, node.under_way - 1)
            if node.waiting:
                self._fill(node)
            else:
                self.open_nodes -= 1
                if not self.open_nodes:
                    self.done.set()

    def look(self) -> None:
        """Say again what met with silence."""
        with self.lock:
            for node in self.nodes.values():
                if node.waiting and time.monotonic() - node.quiet_since > _PATIENCE_S:
                    self.repeated += node.under_way
                    node.under_way = 0
                    self._fill(node)


def main() -> None:
    """Words: PORT NODES SIZE WINDOW. A line {"first": message, "messages": n} starts a run."""
    port, nodes, size, window = (int(word) for word in sys.argv[1:])
    run: list[_Run] = []

    def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        told = ACKNOWLEDGEMENT_JSON.validate_json(message.payload)
        if run:
            run[-1].heard(message.topic, told.through)

    subscribed = threading.Event()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="bench-sender")
    client.max_inflight_messages_set(4 * nodes)
    client.max_queued_messages_set(0)
    client.on_message = on_message
    client.on_subscribe = lambda *_words: subscribed.set()
    client.connect("127.0.0.1", port, keepalive=60)
    client.loop_start()
    client.subscribe(f"storepulse/1/{CHAIN}/+/+/down/acks", qos=0)
    subscribed.wait(10)
    for line in sys.stdin:
        asked = json.loads(line)
        one = _Run(client, window)
        for number in range(nodes):
            address = node_address(number)
            waiting = list(payloads(number, asked["first"], asked["messages"], size))
            one.nodes[address.topic("down/acks")] = _Node(address.topic("up/facts"), waiting)
        run[:] = [one]
        began, used = time.perf_counter(), time.process_time()
        one.begin()
        while not one.done.wait(_LOOK_S):
            one.look()
        sent = Sent(
            wall_s=time.perf_counter() - began, cpu_s=time.process_time() - used, sent=one.sent,
            again=one.again, repeated=one.repeated, bytes_sent=one.bytes_sent,
        )  # fmt: skip
        sys.stdout.write(json.dumps(asdict(sent)) + "\n")
        sys.stdout.flush()
    client.loop_stop()


if __name__ == "__main__":
    main()

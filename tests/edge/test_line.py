"""Kill -9 of broker and node in the middle of a stream: every message arrives, in order, once kept.

Through the real command, a real broker (the embedded one, and mosquitto where it is installed) and
a small hub of the test's own; the real hub has its part in tests/journeys.
"""

import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiomqtt
import httpx
import pytest
from typer.testing import CliRunner

from edge.cli import app
from edge.clock import now_of
from edge.disk import Disk
from edge.doctor import Finding, look_at_phones
from edge.outbox import Outbox
from edge.settings import Settings
from storepulse.events import ActionMarked, ChecklistMade
from storepulse.facts import Fact
from tests.edge.line import ADDRESS, MOSQUITTO, Broker, NodeProcess, SmallHub, until
from tests.edge.samples import PLAN, action, fact

pytestmark = pytest.mark.journey
UUID = "3f9c1f6e-0000-4000-8000-000000000001"


@pytest.fixture(
    params=[
        "amqtt",
        pytest.param(
            "mosquitto",
            marks=pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed"),
        ),
    ]
)
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Broker]:
    started = Broker(request.param, tmp_path)
    await started.start()
    yield started
    started.kill()


@pytest.fixture
async def one_broker(tmp_path: Path) -> AsyncIterator[Broker]:
    """For what does not depend on the kind of broker."""
    started = Broker("amqtt", tmp_path)
    await started.start()
    yield started
    started.kill()


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[NodeProcess]:
    """A node whose broker never answers."""
    process = NodeProcess(tmp_path, Broker("amqtt", tmp_path))
    yield process
    process.close()


@pytest.fixture
def node(tmp_path: Path, broker: Broker) -> Iterator[NodeProcess]:
    process = NodeProcess(tmp_path, broker)
    yield process
    process.close()


def say(node: NodeProcess, first: int, last: int) -> None:
    """As `storepulse edge say` does it, in another process than the node's."""
    disk = Disk(node.data)
    outbox = Outbox(disk, node="", bytes_max=2**30)
    outbox.append_once([fact(number) for number in range(first, last)], now_of("yes")())
    disk.close()


def in_order(hub: SmallHub) -> bool:
    """A number comes after the one below it, on this connection or on an earlier one.

    Only the first of a connection may come from the middle of a window. A jump upward is right
    where the hub, back again, acknowledges what it already has.
    """
    came: set[int] = set()
    for numbers in hub.arrived:
        for place, number in enumerate(numbers):
            if place and number > 1 and number - 1 not in came:
                return False
            came.add(number)
    return True


async def test_a_stream_survives_the_death_of_broker_and_node(
    broker: Broker, node: NodeProcess
) -> None:
    hub = SmallHub(broker)
    hub.acknowledge_at_most = 200
    await node.start()
    async with hub.running():
        say(node, 0, 600)
        await until(lambda: len(hub.kept) > 220)
        broker.kill()
        hub.acknowledge_at_most = 500
        say(node, 600, 1000)
        await broker.start()
        await until(lambda: len(hub.kept) > 520)
        node.kill()
        hub.acknowledge_at_most = 10**9
        await node.start()
        await node.drained(1000)
    assert in_order(hub)
    assert [hub.kept[number].body for number in range(1, 1001)] == [fact(n) for n in range(1000)]


async def test_what_is_said_while_the_hub_is_away_arrives_when_it_is_back(
    broker: Broker, node: NodeProcess
) -> None:
    hub = SmallHub(broker)
    await node.start()
    say(node, 0, 50)
    async with hub.running():
        await until(lambda: len(hub.kept) == 50)
    say(node, 50, 300)
    async with hub.running():
        await node.drained(300)
    assert in_order(hub)
    assert [hub.kept[number].body for number in range(1, 301)] == [fact(n) for n in range(300)]


async def test_an_action_is_kept_once_though_the_node_dies_over_it(
    broker: Broker, node: NodeProcess
) -> None:
    hub = SmallHub(broker)
    hub.actions = [action(f"action-{number}") for number in range(1, 4)]
    hub.acknowledge_at_most = 0
    await node.start()
    async with hub.running():
        await until(lambda: bool(hub.receipts()))
        node.kill()
        hub.kept.clear()  # as a hub that died before it had stored them
        hub.actions.append(action("action-4"))
        await node.start()
        hub.acknowledge_at_most = 10**9
        await until(lambda: len(hub.receipts()) == 4)
        await node.drained(4)
        async with node.owner() as client:
            told = (await client.get("/api/actions")).json()
    assert sorted(one["action"]["id"] for one in told) == [f"action-{n}" for n in range(1, 5)]
    assert [(r.action, r.event) for r in hub.receipts()] == [
        (f"action-{n}", "receipt_stored") for n in range(1, 5)
    ]


async def test_a_node_says_when_it_comes_and_its_will_when_it_dies(
    broker: Broker, node: NodeProcess
) -> None:
    hub = SmallHub(broker)
    await node.start()
    async with hub.running():
        await until(lambda: bool(hub.states) and hub.states[-1].online)
        clock = hub.states[-1].clock
        assert clock is not None
        assert clock.synchronised
        node.kill()
        await until(lambda: not hub.states[-1].online)
        await node.start()
        await until(lambda: hub.states[-1].online)
        assert node.terminate() == 0
        await until(lambda: not hub.states[-1].online)


async def test_taps_and_ticks_reach_the_hub_in_the_order_they_were_made(
    broker: Broker, node: NodeProcess
) -> None:
    hub = SmallHub(broker)
    hub.actions = [action()]
    await node.start()
    uuids = [f"3f9c1f6e-0000-4000-8000-00000000000{n}" for n in range(4)]
    async with hub.running(), node.owner() as client:
        await until(lambda: bool(hub.receipts()))
        for uuid, kind in zip(uuids, ("reception", "experience", "reception"), strict=False):
            assert (await client.post("/api/taps", json={"uuid": uuid, "kind": kind})).is_success
        await client.delete(f"/api/taps/{uuids[0]}")
        ticked = {"uuid": uuids[3], "event": "ticked"}
        assert (await client.post("/api/actions/action-1", json=ticked)).is_success
        await node.drained(6)
    kinds = [type(hub.kept[number].body).__name__ for number in range(1, 7)]
    assert kinds == [
        "ActionMarked", "ReceptionTapped", "ExperienceBegun", "ReceptionTapped", "TapUndone",
        "ActionMarked",
    ]  # fmt: skip
    last = hub.kept[6].body
    assert isinstance(last, ActionMarked)
    assert last.event == "ticked"


async def test_a_second_node_on_the_same_folder_says_why_and_goes(lonely: NodeProcess) -> None:
    await lonely.start()
    second = subprocess.run(
        [sys.executable, "-m", "storepulse", "edge", "run", "--data", str(lonely.data), "--chain",
         "chain", "--shop", "shop-17", "--node", "node-1"],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert second.returncode == 1
    assert "another node is running" in second.stderr
    assert second.stderr.count("\n") == 1


async def test_the_outbox_can_be_looked_into_while_the_node_runs(lonely: NodeProcess) -> None:
    await lonely.start()
    say(lonely, 0, 3)
    shown = subprocess.run(
        [sys.executable, "-m", "storepulse", "edge", "outbox", str(lonely.data), "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    told = json.loads(shown.stdout)
    assert (told["numbers"], told["acknowledged"]) == (3, 0)
    assert [one["data"]["id"] for one in told["messages"]] == ["fact-0", "fact-1", "fact-2"]


async def test_a_phone_pairs_beside_a_running_node_outlives_its_death_and_is_ended(
    lonely: NodeProcess,
) -> None:
    def command(*words: str) -> Any:
        result = CliRunner().invoke(app, [*words, "--data", str(lonely.data), "--json"])
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def look() -> Finding:
        return look_at_phones(Settings(data=lonely.data, chain="c", shop="s", node="n"))

    await lonely.start()
    found = await asyncio.to_thread(look)
    assert (found.standing, found.says.en) == ("well", f"served at {lonely.url}, 0 paired")
    made = command("pair")
    assert made["address"] == lonely.url
    async with httpx.AsyncClient(base_url=lonely.url, timeout=60) as phone:
        asked = {"code": made["code"], "uuid": UUID, "name": "Li's phone"}
        assert (await phone.post("/api/pair", json=asked)).status_code == 200
        # The answer was lost and the node with it: the same phone, once.
        lonely.kill()
        await lonely.start()
        phone.base_url = httpx.URL(lonely.url)
        assert (await phone.get("/api/phone")).status_code == 200
        assert (await phone.post("/api/pair", json=asked)).status_code == 200
        (listed,) = command("phones", "list")
        assert (await asyncio.to_thread(look)).says.en.endswith("1 paired")
        command("phones", "end", listed["phone"])
        assert (await phone.get("/api/phone")).status_code == 401
    said = [body["type"] for body in waiting_in(lonely)]
    assert said == ["storepulse.phone.paired.v1"] * 2 + ["storepulse.phone.ended.v1"]


def waiting_in(node: NodeProcess) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["outbox", str(node.data), "--json"])
    told: list[dict[str, Any]] = json.loads(result.stdout)["messages"]
    return told


async def test_a_photo_is_answered_though_the_node_dies_over_it(
    one_broker: Broker, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(PLAN))
    node = NodeProcess(tmp_path, one_broker, "--planogram", str(plan))
    hub = SmallHub(one_broker)
    form = {"uuid": UUID, "bay": "b1"}
    await node.start()
    async with hub.running(), node.owner() as phone:
        url = "/api/photos"
        post = asyncio.create_task(phone.post(url, data=form, files={"file": b"wait"}))
        await until((tmp_path / "judged").exists)
        node.kill()
        with pytest.raises(httpx.HTTPError):
            await post
        (node.data / "photos" / UUID / "go").touch()
        await node.start()
        async with node.owner() as owner:
            answers = [await owner.post(url, data=form, files={"file": b"wait"}) for _ in range(2)]
        await node.drained(3)
    node.close()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    made = hub.kept[1].body
    assert isinstance(made, ChecklistMade)
    assert made.checklist.id == answers[0].json()["checklist"]["id"]
    assert sorted(hub.kept) == [1, 2, 3]


async def test_what_the_radio_tells_is_said_once_over_restarts(
    one_broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    radio = [sys.executable, str(Path(__file__).with_name("fake_radio.py"))]
    monkeypatch.setenv("STOREPULSE_EDGE_RADIO_COMMAND", shlex.join(radio))
    capture = tmp_path / "capture"
    capture.write_text("30")
    node = NodeProcess(tmp_path, one_broker, "--capture", str(capture))
    hub = SmallHub(one_broker)
    async with hub.running():
        await node.start()
        await node.drained(30)
        node.kill()
        capture.write_text("40")
        await node.start()
        await node.drained(40)
    node.close()
    told = [hub.kept[number].body for number in sorted(hub.kept)]
    assert told == [fact(number, source=ADDRESS.path) for number in range(40)]


async def test_a_door_counter_at_the_broker_is_heard_by_the_node_and_told_once(
    one_broker: Broker, tmp_path: Path
) -> None:
    door = f"door+mqtt://127.0.0.1:{one_broker.port}/shop/door?error=0.05"
    node = NodeProcess(tmp_path, one_broker, "--ear", door)
    hub = SmallHub(one_broker)
    async with hub.running():
        await node.start()
        async with aiomqtt.Client("127.0.0.1", one_broker.port) as counter:
            # Kept by the broker until the ear is there; its day is long over: told at once.
            rows = json.dumps({"time": "2025-11-17T09:00:00Z", "in": 9, "out": 2})
            await counter.publish("shop/door", rows, qos=1, retain=True)
        await node.drained(2)
        node.kill()
        await node.start()
        async with node.owner() as owner:
            workers = (await owner.get("/healthz")).json()["workers"]
        await node.drained(2)
    node.close()
    told = [message.body for message in hub.kept.values() if isinstance(message.body, Fact)]
    assert [(one.metric, one.value, one.shop) for one in told] == [
        ("visitors", 9.0, ADDRESS.shop)
    ] * len(told)
    assert len({one.id for one in told}) == len(told) == 2
    assert "door+mqtt" in json.dumps(workers)

"""The commands over a database of facts, and the whole hub as one process."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from typer.testing import CliRunner

from hub.brokers.broker import is_running
from hub.cli import app
from hub.codes.computing import UnknownShop
from hub.codes.policy import BadPolicy, default_json
from hub.codes.policy_cli import NoPolicy
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.run import NotLoopback, OwnBroker, run_hub
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.checklists import Checklist, ChecklistItem, Sentence
from storepulse.demo.children import StageFailed
from storepulse.demo.doors import last_of
from storepulse.demo.requests import Visitor
from storepulse.errors import BadInput
from storepulse.events import ChecklistMade
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.wire import Clock, Key, Message, decode_actions, encode_batch
from tests.hub.shop_facts import DAY, SHOP, back, dwell, goods, midnight, people

DAY_TEXT = DAY.isoformat()


def hub(database: Database, *words: str) -> Any:
    result = CliRunner().invoke(app, [*words, "--database", database.place, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def chain(database: Database) -> Database:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP, name="Harbour", region="east"))
        save_shop(connection, Shop(shop="18", name="Hill", simulated=True))
        facts = [
            *(fact for n in range(3) for fact in people(back(n), 6)),
            goods(DAY, 0.64, doubt=0.06),
            dwell(DAY, 2.9, doubt=0.05),
        ]
        insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=midnight(DAY))
    return database


def test_codes_are_printed_as_the_interface_says(chain: Database) -> None:
    codes = hub(chain, "codes", "--day", DAY_TEXT)
    assert len(codes) == 8
    needed = {
        "shop", "dimension", "colour", "probability", "value", "low", "high", "rule",
        "turns_green_at", "facts", "turning", "policy_version", "unit",
    }  # fmt: skip
    assert all(needed <= set(code) for code in codes)
    mine = {code["dimension"]: code for code in codes if code["shop"] == SHOP}
    assert {name: code["colour"] for name, code in mine.items()} == {
        "people": "red", "goods": "red", "place": "yellow", "conversion": "unknown",
    }  # fmt: skip
    assert mine["conversion"]["probability"] is None
    assert mine["goods"]["facts"] == [goods(DAY, 0.64).id]
    assert all(code["colour"] == "unknown" for code in codes if code["shop"] == "18")


def test_codes_follow_a_policy_file(chain: Database, tmp_path: Path) -> None:
    body = default_json()
    body["version"], body["goods"]["rules"][0]["below"] = 7, 0.5
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(body))
    asked = ("codes", "--shop", SHOP, "--day", DAY_TEXT, "--policy", str(file))
    code = next(one for one in hub(chain, *asked) if one["dimension"] == "goods")
    assert (code["colour"], code["policy_version"]) == ("orange", 7)
    file.write_text(json.dumps(body | {"change_probability": 2}))
    with pytest.raises(BadPolicy, match=r"above 0\.5 and below 1"):
        hub(chain, *asked)


def test_without_a_day_the_newest_one_is_shown(chain: Database) -> None:
    assert {code["day"] for code in hub(chain, "codes")} == {DAY_TEXT}


def test_actions_that_nobody_pushed_say_so(chain: Database) -> None:
    found = {one["kind"]: one for one in hub(chain, "actions", "--day", DAY_TEXT)}
    # Three open days without a word of experiences call for an action, too.
    assert set(found) == {"talk_track", "correction_checklist", "evidence_missing"}
    assert found["talk_track"]["state"] == "not_pushed"
    assert hub(chain, "actions", "--shop", "18", "--day", DAY_TEXT) == []
    Scheduler(chain).step(midnight(DAY) + timedelta(hours=20))
    pushed = {one["kind"]: one["state"] for one in hub(chain, "actions", "--day", DAY_TEXT)}
    assert {"talk_track": "pushed", "correction_checklist": "pushed"}.items() <= pushed.items()


def test_reading_writes_nothing(chain: Database) -> None:
    hub(chain, "actions", "--day", DAY_TEXT)
    hub(chain, "codes", "--day", DAY_TEXT)
    with chain.connection() as connection:
        for table in ("actions", "codes", "policies"):
            rows = connection.execute(f"select 1 from {table}").fetchall()
            assert rows == [], table


def test_the_board_shows_sign_and_word(chain: Database) -> None:
    result = CliRunner().invoke(app, ["board", "--day", DAY_TEXT, "--database", chain.place])
    assert "■ red" in result.stdout
    assert "○ unknown" in result.stdout
    assert "Hill (simulated)" in result.stdout
    assert [row["shop"] for row in hub(chain, "board", "--day", DAY_TEXT)] == [SHOP, "18"]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(("codes", "--day", "tomorrow"), BadInput, id="no day"),
        pytest.param(("codes", "--day", "0001-01-01"), BadInput, id="no such day"),
        pytest.param(("codes", "--shop", "nobody", "--day", DAY_TEXT), UnknownShop, id="no shop"),
        pytest.param(("actions", "--shop", "nobody"), UnknownShop, id="no shop either"),
        pytest.param(("codes", "--policy", "none.json"), NoPolicy, id="no policy"),
    ],
)
def test_bad_input_is_refused(
    database: Database, words: tuple[str, ...], error: type[BadInput]
) -> None:
    with pytest.raises(error):
        hub(database, *words)


@pytest.mark.parametrize(
    ("tls", "names", "why"),
    [
        pytest.param(False, ["hub.lan"], "without TLS", id="no TLS"),
        pytest.param(True, [], "say by --name", id="no name"),
        pytest.param(True, ["localhost"], "say by --name", id="a name of the loopback"),
    ],
)
def test_others_are_let_near_only_with_tls_and_a_name(
    tls: bool, names: list[str], why: str, tmp_path: Path
) -> None:
    with pytest.raises(NotLoopback, match=why):
        run_hub(
            database=str(tmp_path / "hub"), broker=None, broker_port=0, host="0.0.0.0", port=0,
            chain=None, ready=lambda _: None, tls=tls, names=names,
        )  # fmt: skip


def test_a_broker_of_ours_that_dies_comes_back_on_its_port(open_folder: Path) -> None:
    with OwnBroker(open_folder / "own-broker", 0) as own:
        assert own.broker is not None
        first, url = own.broker.pid, own.url
        own.start_again_if_gone()
        assert own.broker.pid == first
        os.kill(first, signal.SIGKILL)
        until = time.monotonic() + 120
        while is_running(first) and time.monotonic() < until:
            time.sleep(0.01)
        own.start_again_if_gone()
        assert own.broker.pid != first
        assert own.url == url


@pytest.fixture
def running_hub(database: Database) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    child = subprocess.Popen(
        [sys.executable, "-m", "storepulse", "hub", "run", "--database", database.place,
         "--broker-port", "0", "--port", "0", "--chain", "acme"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stderr is not None
    line = child.stdout.readline()
    assert line, child.stderr.read()
    try:
        yield child, json.loads(line)
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait(120)
        child.stdout.close()
        child.stderr.close()


def messages(now: datetime) -> list[Message]:
    """A judged photo: the figure and the checklist, as a node says them."""
    key = {"node": "n1", "epoch": "e1"}
    clock = Clock(boot="b1", monotonic_s=100.0, synchronised=True)
    fact = Fact(
        id="exposure-1", shop="12", metric="exposure_main_push", start=now, end=now, value=0.55,
        low=0.5, high=0.6, n=30, dims={"bay": "b1"}, method="m/1",
        source="/storepulse/acme/12/n1",
    )  # fmt: skip
    made = ChecklistMade(
        checklist=Checklist(
            id="list-of-the-node", shop="12", bay="b1", photo="p1", planogram="plan",
            planogram_version=1, made_at=now,
            items=(
                ChecklistItem(
                    id="i1", kind="missing", sentence=Sentence(en="put it back", zh="补货"),
                    box_xyxy_px=(0, 0, 1, 1), confidence=0.9,
                ),
            ),
        )
    )  # fmt: skip
    return [
        Message(key=Key(number=1, **key), said_at=now, clock=clock, body=fact),
        Message(key=Key(number=2, **key), said_at=now, clock=clock, body=made),
    ]


async def say_and_hear(broker: str) -> list[str | None]:
    """Say a photo's figures as a node, until the action has come down; its checklists."""
    address = Address("acme", "12", "n1")
    host, port = broker.removeprefix("mqtt://").split(":")
    async with aiomqtt.Client(host, int(port)) as client:
        await client.subscribe(address.topic("down/actions"), qos=1)
        fact, event = messages(datetime.now(UTC))
        for topic, message in (("up/facts", fact), ("up/events", event)):
            await client.publish(
                address.topic(topic),  # type: ignore[arg-type]
                encode_batch(address, [message]),
                qos=1,
            )
        async with asyncio.timeout(60):
            async for heard in client.messages:
                assert isinstance(heard.payload, bytes)
                actions = decode_actions(heard.payload)
                named = [action.checklist for action in actions if action.dimension == "goods"]
                if named:
                    return named
    raise AssertionError("the broker closed the connection")


@pytest.mark.journey
def test_the_hub_runs_as_one_process_from_fact_to_action(
    running_hub: tuple[subprocess.Popen[str], dict[str, str]],
) -> None:
    child, ready = running_hub
    ann = Visitor(ready["listening"])
    assert ann.get("/healthz") == {"status": "ok"}
    given = {"name": "Ann", "password": "long enough words"}
    ann.send("POST", f"/api/welcome/{last_of(ready['first'])}", given)
    eve = Visitor(ready["listening"])
    with pytest.raises(StageFailed, match="link_used_or_ended"):
        eve.send("POST", f"/api/welcome/{last_of(ready['first'])}", given | {"name": "Eve"})
    assert ann.get("/healthz")["broker"] is True
    checklists = asyncio.run(say_and_hear(ready["broker"]))
    assert checklists == ["list-of-the-node"]
    codes = ann.get("/api/shops/12/codes")
    assert [code["colour"] for code in codes] == ["unknown", "red", "unknown", "unknown"]
    (stream,) = ann.get("/api/streams")
    assert (stream["through"], stream["messages"]) == (2, 2)
    child.send_signal(signal.SIGTERM)
    assert child.wait(120) == 0
    assert child.stderr is not None
    assert "Traceback" not in child.stderr.read()

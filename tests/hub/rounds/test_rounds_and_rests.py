"""Head office says what is photographed when, managers let findings rest, nodes hear of both."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from hub.phones.store import configs_to_send
from hub.rounds.cli import app, rests_app
from hub.rounds.store import RestChanged, let_rest, rests_due, rounds_due
from hub.shops_store import Shop, save_shop, see_node
from hub.store.database import Database
from storepulse.rounds import RestDue
from storepulse.topics import Address
from tests.hub.visitor import Visitor, visitor_of

NOW = datetime(2026, 11, 22, 20, tzinfo=UTC)
TWICE = [{"opens": "09:00", "due": "11:00"}, {"opens": "15:00", "due": "17:00"}]


@pytest.fixture
def chain(database: Database) -> Database:
    with database.connection() as connection:
        for shop, region, kind, zone in (
            ("s1", "east", "mall", "Asia/Shanghai"), ("s2", "east", "street", "UTC"),
            ("s3", "west", "mall", "UTC"),
        ):  # fmt: skip
            save_shop(connection, Shop(shop=shop, region=region, format=kind, timezone=zone))
            see_node(connection, Address("c", shop, "n"), at=NOW)
    return database


def publish(office: Visitor, **said: Any) -> Any:
    return office.post("/api/rounds/daily", json={"name": "Daily", "windows": TWICE} | said)


def revisions(database: Database) -> dict[str, int]:
    with database.connection() as connection:
        rows = connection.execute("select shop, config_revision from nodes")
        return {row["shop"]: row["config_revision"] for row in rows}


def due(database: Database, shop: str) -> list[tuple[int, int, date | None]]:
    with database.connection() as connection:
        found = rounds_due(connection, shop, now=NOW)
    return [(one.version, len(one.weekdays), one.starts_on) for one in found]


def test_a_round_reaches_the_shops_that_it_names_and_leaves_those_that_it_drops(
    chain: Database,
) -> None:
    office = visitor_of(chain, now=NOW)
    before = revisions(chain)
    assert publish(office, formats=["mall"]).json() == {"round": "daily", "version": 1}
    after = revisions(chain)
    assert {shop for shop in after if after[shop] > before[shop]} == {"s1", "s3"}
    # At eight in the evening of the 22nd in London it is the 23rd in Shanghai.
    publish(office, regions=["west"], starts_on="2026-11-23")
    again = revisions(chain)
    assert {shop for shop in again if again[shop] > after[shop]} == {"s1", "s3"}
    start = date(2026, 11, 23)
    assert due(chain, "s1") == [(2, 0, start)]
    assert due(chain, "s2") == []
    assert due(chain, "s3") == [(1, 7, None), (2, 7, start)]
    listed = office.get("/api/rounds").json()
    assert [(one["due"]["version"], one["reached"]) for one in listed] == [(2, 1), (1, 2)]
    with pytest.raises(psycopg.errors.IntegrityError), chain.connection() as connection:
        connection.execute("update rounds set name = 'x'")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param({"windows": []}, "1 to 24 windows", id="no window"),
        pytest.param({"windows": [*TWICE, {"opens": "10:00", "due": "12:00"}]}, "overlap",
                     id="windows overlap"),
        pytest.param({"windows": [{"opens": "10:00", "due": "09:00"}]}, "due after it opens",
                     id="due before it opens"),
        pytest.param({"bays": ["b1", "b1"]}, "named twice", id="a bay twice"),
        pytest.param({"name": " "}, "needs a name", id="no name"),
        pytest.param({"regions": [""]}, "region", id="a region without a name"),
    ],
)  # fmt: skip
def test_a_round_that_cannot_be_is_refused_by_name(
    chain: Database, said: dict[str, Any], words: str
) -> None:
    office = visitor_of(chain, now=NOW)
    answer = publish(office, **said)
    assert answer.status_code in (400, 422)
    assert words in answer.json()["error"]["message"]
    assert office.get("/api/rounds").json() == []


def test_each_role_sees_and_does_what_is_its_own(chain: Database) -> None:
    office = visitor_of(chain, now=NOW)
    publish(office, shops=["s1"])
    east, west = (visitor_of(chain, "region", regions=[one], name=one) for one in ("east", "west"))
    assert [one["due"]["round"] for one in east.get("/api/rounds").json()] == ["daily"]
    assert west.get("/api/rounds").json() == []
    assert publish(east).status_code == 403
    manager = visitor_of(chain, "shop", shops=["s1"], now=NOW)
    rest = {"sku": "tea", "reason": "delivery_due", "until": "2026-11-25"}
    assert manager.post("/api/shops/s1/rests", json=rest).status_code == 200
    assert manager.post("/api/shops/s2/rests", json=rest).status_code == 404
    assert manager.get("/api/shops/s2/rests").json() == []
    assert visitor_of(chain, "clerk", shops=["s1"]).get("/api/shops/s1/rests").status_code == 403
    assert office.other().get("/api/rounds").status_code == 401


def test_a_rest_goes_to_the_shop_and_ends_by_its_day_or_by_a_word(chain: Database) -> None:
    manager = visitor_of(chain, "region", regions=["east"], now=NOW)
    before = revisions(chain)
    rest = {"sku": "tea", "reason": "delivery_due", "until": "2026-11-25", "bay": "b1"}
    manager.post("/api/shops/s1/rests", json=rest)
    # Said again it is one rest, under the new words.
    newer = rest | {"until": "2026-11-23", "reason": "promotion_change", "note": "new display"}
    made = manager.post("/api/shops/s1/rests", json=newer).json()
    manager.post("/api/shops/s1/rests", json=rest | {"bay": ""})
    after = revisions(chain)
    assert {shop for shop in after if after[shop] > before[shop]} == {"s1"}
    with chain.connection() as connection:
        told = rests_due(connection, "s1", now=NOW)
        later = rests_due(connection, "s1", now=NOW.replace(day=23, hour=17))
        connection.execute("update nodes set online = true")
        (config,) = [one.config for one in configs_to_send(connection, now=NOW, sent_before=NOW)
                     if one.to.shop == "s1"]  # fmt: skip
    assert config.rests == told
    assert [(one.bay, one.reason, one.until.day) for one in told] == [
        ("b1", "promotion_change", 23), ("", "delivery_due", 25),
    ]  # fmt: skip
    # An hour after midnight of the 24th in Shanghai the first one is over.
    assert [one.bay for one in later] == [""]
    path = f"/api/shops/s1/rests/{made['id']}"
    assert manager.delete(path).status_code == 200
    assert manager.delete(path).status_code == 404
    assert [one["bay"] for one in manager.get("/api/shops/s1/rests").json()] == [""]


def test_of_two_who_let_one_product_rest_at_once_the_second_is_told(chain: Database) -> None:
    with chain.connection() as first:
        rest = RestDue(bay="", sku="tea", reason="other", until=date(2026, 11, 25))
        let_rest(first, "s1", rest, now=NOW)

        def second() -> None:
            with chain.connection() as connection:
                let_rest(connection, "s1", rest, now=NOW)

        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(second)
            with chain.connection() as looks:
                while not looks.execute(
                    "select 1 from pg_locks where not granted and locktype = 'transactionid'"
                ).fetchone():
                    assert not waits.done()
            first.commit()
            with pytest.raises(RestChanged, match="look again"):
                waits.result()


@pytest.mark.parametrize(
    "until",
    [pytest.param("2026-11-22", id="over"), pytest.param("2026-12-25", id="too far away")],
)
def test_a_rest_has_a_day_soon(chain: Database, until: str) -> None:
    manager = visitor_of(chain, "region", regions=["east"], now=NOW)
    said = {"sku": "tea", "reason": "other", "until": until}
    answer = manager.post("/api/shops/s1/rests", json=said)
    assert answer.status_code == 400
    assert "choose a day from 2026-11-23 to 2026-12-24" in answer.json()["error"]["message"]


def test_commands_publish_end_and_list(chain: Database) -> None:
    where = ["--database", chain.place]
    run = CliRunner().invoke
    windows = ["--at", "09:00-11:00", "--at", "15:00-17:00", "--weekdays", "mon,friday"]
    done = run(app, ["publish", "daily", *windows, "--format", "mall", *where])
    assert done.output == "round daily version 1 is published for 2 shops\n"
    assert run(app, ["end", "daily", *where]).exit_code == 0
    assert run(app, ["list", *where]).output.splitlines() == [
        "daily version 2: ended, every bay with a planogram, 3 shops",
        "daily version 1: 09:00-11:00 and 15:00-17:00 on mon, fri, every bay with a planogram, "
        "2 shops",
    ]
    refused = run(app, ["publish", "daily", "--at", "nine", *where])
    assert "must be HH:MM-HH:MM" in str(refused.exception)
    assert "known are mon" in str(run(app, ["publish", "d", "--weekdays", "noday"]).exception)
    # Tomorrow: the day may end between here and there.
    day = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    added = run(rests_app, ["add", "s2", "tea", "--until", day, *where])
    rest = added.output.split(":")[0]
    assert rest in run(rests_app, ["list", "s2", *where]).output
    assert run(rests_app, ["end", "s2", rest, *where]).exit_code == 0
    assert run(rests_app, ["list", "s2", "--json", *where]).output == "[]\n"

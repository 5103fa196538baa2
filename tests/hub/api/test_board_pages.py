"""A page of the board is a part of the whole one, for whoever asks; codes come as stored."""

from datetime import timedelta
from typing import Any

import pytest

from hub.codes.colours import WORST_FIRST
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.shop_facts import DAY, back, dwell, goods, midnight
from tests.hub.visitor import Visitor, visitor_of

NOON = midnight(DAY) + timedelta(hours=12)
SHARES = {"a-1": 0.95, "a-2": 0.6, "a-3": 0.75, "b-1": 0.85, "b-2": 0.65, "b-3": None}


@pytest.fixture
def house(database: Database) -> Database:
    with database.connection() as connection:
        for shop, share in SHARES.items():
            save_shop(connection, Shop(shop=shop, name=f"Shop {shop}", region=shop[0]))
            if share is not None:
                facts = [
                    goods(DAY, share, shop=shop, id=f"g-{shop}"),
                    dwell(DAY, 3.5, doubt=0.1, shop=shop, id=f"d-{shop}"),
                ]
                insert_facts(connection, [SaidFact(one) for one in facts], received_at=NOON)
    Scheduler(database).step(NOON)
    return database


@pytest.fixture
def head(house: Database) -> Visitor:
    return visitor_of(house, now=NOON)


def test_the_pages_together_are_the_board(head: Visitor) -> None:
    whole = head.get("/api/board").json()
    assert [row["shop"] for row in whole] == ["a-2", "b-2", "a-3", "a-1", "b-1", "b-3"]
    pages = [head.get("/api/board", params={"limit": 4, "skip": skip}) for skip in (0, 4, 8)]
    assert [one.headers["x-total-count"] for one in pages] == ["6"] * 3
    assert [row for one in pages for row in one.json()] == whole


@pytest.mark.parametrize(
    ("asked", "shops"),
    [
        pytest.param({"region": "b"}, ["b-2", "b-1", "b-3"], id="region"),
        pytest.param({"colour": "red"}, ["a-2", "b-2"], id="colour"),
        pytest.param({"called": "SHOP B-"}, ["b-2", "b-1", "b-3"], id="part of a name"),
        pytest.param({"called": "%"}, [], id="no pattern"),
        pytest.param({"region": "b", "colour": "red"}, ["b-2"], id="both"),
        pytest.param({"format": "mall"}, [], id="none"),
    ],
)
def test_a_page_is_chosen_by_what_is_asked(
    head: Visitor, asked: dict[str, str], shops: list[str]
) -> None:
    answer = head.get("/api/board", params=asked | {"limit": 10})
    assert [row["shop"] for row in answer.json()] == shops
    assert answer.headers["x-total-count"] == str(len(shops))


def test_a_region_sees_and_counts_its_own_shops_alone(house: Database) -> None:
    answer = visitor_of(house, "region", now=NOON, regions=["a"]).get("/api/board?limit=10")
    assert [row["shop"] for row in answer.json()] == ["a-2", "a-3", "a-1"]
    assert answer.headers["x-total-count"] == "3"
    nodes_only = visitor_of(house, "installer", now=NOON)
    assert nodes_only.get("/api/board?limit=10").status_code == 403


def test_a_correction_moves_a_shop_on_the_page(house: Database, head: Visitor) -> None:
    mended = goods(DAY, 0.97, shop="a-2", id="g-a-2~2")
    with house.connection() as connection:
        insert_facts(connection, [SaidFact(mended)], received_at=NOON)
    Scheduler(house).step(NOON)
    assert head.get("/api/board?limit=10").json() == head.get("/api/board").json()
    with house.connection() as connection:
        rows = connection.execute("select shop, rank from shown_days where day = %s", [DAY])
        ranks = {row["shop"]: WORST_FIRST[row["rank"]] for row in rows}
    assert ranks == {row["shop"]: row["colour"] for row in head.get("/api/board").json()}


def test_on_a_day_that_nobody_computed_a_page_shows_shops_without_codes(head: Visitor) -> None:
    rows = head.get("/api/board", params={"limit": 3, "day": "2026-10-01"}).json()
    assert [(row["shop"], row["colour"], row["codes"]) for row in rows] == [
        (shop, "unknown", []) for shop in ("a-1", "a-2", "a-3")
    ]


def rows_of(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Columns as a board's rows, as far as they say the same."""
    words = {one[0]: one for one in WORST_FIRST} | {"-": None}
    return [
        {
            "shop": shop,
            "codes": [
                {
                    "dimension": one["dimension"], "colour": words[one["colour"][at]],
                    "turning": words[one["turning"][at]], "value": one["value"][at],
                    "probability": one["probability"][at],
                }
                for one in columns["dimensions"]
                if one["colour"][at] != "-"
            ],
        }
        for at, shop in enumerate(columns["shop"])
    ]  # fmt: skip


def test_the_columns_say_what_the_rows_say(head: Visitor) -> None:
    whole = head.get("/api/board").json()
    said = rows_of(head.get("/api/board/columns").json())
    assert [row["shop"] for row in said] == sorted(row["shop"] for row in whole)
    for row in said:
        (other,) = [one for one in whole if one["shop"] == row["shop"]]
        assert len(row["codes"]) == 4
        for mine, its in zip(row["codes"], other["codes"], strict=True):
            for name in ("value", "probability"):
                assert mine.pop(name) == pytest.approx(its[name], abs=5e-5)
            assert mine == {name: its[name] for name in mine}


def test_columns_know_the_day_before_and_shops_without_codes(house: Database) -> None:
    head = visitor_of(house, now=NOON)
    earlier = goods(back(1), 0.95, shop="a-2", id="g-a-2-before")
    with house.connection() as connection:
        insert_facts(connection, [SaidFact(earlier)], received_at=NOON)
        save_shop(connection, Shop(shop="c-1"))
    Scheduler(house).step(NOON)
    with house.connection() as connection:
        connection.execute("delete from codes where shop = 'c-1' and dimension <> 'place'")
    asked = {"shop": ["a-2", "c-1", "not one"], "day": DAY.isoformat()}
    found = head.get("/api/board/columns", params=asked).json()
    assert found["shop"] == ["a-2", "c-1"]
    said = {one["dimension"]: (one["colour"], one["before"][0]) for one in found["dimensions"]}
    assert said["goods"] == ("r-", "g")
    assert said["people"][0] == "u-"
    assert said["place"][0][1] == "u"


def test_a_region_has_its_own_shops_in_its_columns(house: Database) -> None:
    region = visitor_of(house, "region", now=NOON, regions=["a"])
    assert region.get("/api/board/columns").json()["shop"] == ["a-1", "a-2", "a-3"]
    assert region.get("/api/board/columns?shop=b-1").json()["shop"] == []
    nodes_only = visitor_of(house, "installer", now=NOON)
    assert nodes_only.get("/api/board/columns").status_code == 403


def test_the_history_is_asked_for_by_shop(head: Visitor) -> None:
    found = head.get("/api/history", params={"shop": ["a-2", "b-1"]}).json()
    assert [row["shop"] for row in found["shops"]] == ["a-2", "b-1"]


def test_a_shops_codes_are_the_stored_ones_and_those_computed_anew(
    house: Database, head: Visitor
) -> None:
    stored = head.get("/api/shops/a-2/codes").json()
    assert stored[1]["rule_zh"] == "主推商品露出率 60%，低于 70%"
    assert stored[1]["turns_green_when_zh"].startswith("主推商品露出率达到 90%")
    with house.connection() as connection:
        connection.execute("delete from codes")
    assert head.get(f"/api/shops/a-2/codes?day={DAY}").json() == stored


def test_the_board_as_a_file_says_why_in_the_asked_language(head: Visitor) -> None:
    assert "主推商品露出率 60%，低于 70%" in head.get("/api/board.csv?language=zh").text
    assert "60% is below 70%" in head.get("/api/board.csv").text
    assert "60%，低于 70%" in head.get("/api/actions.csv?shop=a-2&language=zh").text
    assert head.get("/api/board.csv?language=fr").status_code == 422

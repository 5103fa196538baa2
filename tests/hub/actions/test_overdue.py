"""Overdue checklists are told as facts, once a day and at each change."""

import json
from datetime import date, timedelta

from hub.actions.overdue import facts_of_overdue, told_before
from hub.codes.computing import ensure_default_policy
from hub.codes.policy import default_json
from hub.ingest.facts_store import SaidFact, facts_of_days, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.shop_facts import DAY, SHOP, back, goods, midnight

NOON = midnight(DAY) + timedelta(hours=12)


def test_a_number_is_told_once_a_day_and_at_each_change() -> None:
    first, told = facts_of_overdue({SHOP: ("UTC", 2)}, {}, now=NOON)
    assert [fact.value for fact in first] == [2.0]
    again, told = facts_of_overdue({SHOP: ("UTC", 2)}, told, now=NOON + timedelta(hours=1))
    assert again == []
    tomorrow = NOON + timedelta(days=1)
    next_day, told = facts_of_overdue({SHOP: ("UTC", 2)}, told, now=tomorrow)
    assert [fact.value for fact in next_day] == [2.0]
    done, told = facts_of_overdue({}, told, now=tomorrow + timedelta(hours=1))
    assert [fact.value for fact in done] == [0.0]
    assert facts_of_overdue({}, told, now=tomorrow + timedelta(hours=2)) == ([], {})


def test_a_hub_that_starts_anew_knows_what_it_told(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP))
        save_shop(connection, Shop(shop="mended"))
        told: dict[str, tuple[date, int]] = {}
        for count, at in (
            ({SHOP: ("UTC", 2), "mended": ("UTC", 1)}, back(1)),
            ({SHOP: ("UTC", 3)}, DAY),
        ):
            facts, told = facts_of_overdue(count, told, now=midnight(at))
            insert_facts(connection, [SaidFact(one) for one in facts], received_at=NOON)
        assert told_before(connection, now=NOON) == told == {SHOP: (DAY, 3)}
    # Its checklists were closed meanwhile: that is told.
    Scheduler(database).step(NOON)
    with database.connection() as connection:
        assert told_before(connection, now=NOON) == {}
        facts_of_day = facts_of_days(connection, DAY, DAY, metrics=["checklists_overdue"])
    assert sorted((one.fact.shop, one.fact.value) for one in facts_of_day) == [
        (SHOP, 0.0), (SHOP, 3.0), ("mended", 0.0)
    ]  # fmt: skip


def test_an_overdue_checklist_colours_goods_where_the_policy_says_so(database: Database) -> None:
    body = default_json() | {"version": 2}
    body["goods"]["further"] = [
        {"name": "overdue", "colour": "orange",
         "when": [{"metric": "checklists_overdue", "above": 0}]},
    ]  # fmt: skip
    with database.connection() as connection:
        ensure_default_policy(connection)
        connection.execute(
            "insert into policies (version, name, starts_on, body) values (2, 'x', %s, %s)",
            [DAY, json.dumps(body)],
        )
        save_shop(connection, Shop(shop=SHOP))
        facts = [goods(back(1), 0.6), goods(DAY, 0.95)]
        insert_facts(connection, [SaidFact(facts[0])], received_at=NOON)
    scheduler = Scheduler(database)
    scheduler.step(NOON - timedelta(days=1))
    with database.connection() as connection:
        insert_facts(connection, [SaidFact(facts[1])], received_at=NOON)
    scheduler.step(NOON)
    # The push of yesterday's red was due within hours: that it was not done is seen a step later.
    scheduler.step(NOON + timedelta(minutes=1))
    with database.connection() as connection:
        told = facts_of_days(connection, DAY, DAY, metrics=["checklists_overdue"])
        row = connection.execute(
            "select colour, rule from codes where dimension = 'goods' and day = %s"
            " order by version desc limit 1",
            [DAY],
        ).fetchone()
    assert [one.fact.value for one in told] == [1.0]
    assert row == {"colour": "orange", "rule": "overdue checklists 1, above 0"}

"""Why, from facts in the database to the command line and the API: with a planted cause."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hub.cli import app
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from hub.why.reading import read_why
from storepulse.facts import Fact
from storepulse.simulated.caused_facts import caused_facts, caused_shops_csv
from storepulse.simulated.chain_causes import CausedChain, simulate
from tests.hub.conftest import empty
from tests.hub.visitor import visitor_of

SHOPS, DAYS = 24, 84
ASKED = "sim-001"
METRICS = (
    "dwell_mean", "bounce_45s", "screen_touches", "promotion", "rain", "holiday",
    "receptions", "staff_on_duty",
)  # fmt: skip


def planted() -> CausedChain:
    """A chain with every feed, in which visitors of one shop turned round on its last days."""
    chain = next(
        one
        for one in (simulate(seed, shops=SHOPS, days=DAYS) for seed in range(50))
        if not one.not_recorded and "entrance_bounce" in one.contributions["place"]
    )
    chain.metrics["bounce_45s"][0, -40:-4] = 0.14
    chain.metrics["bounce_45s"][0, -4:] = 0.42
    effect = np.median(chain.level["place"]) * 0.28
    chain.metrics["dwell_mean"][0, -4:] -= effect
    return replace(chain)


CHAIN = planted()
DAY = CHAIN.days[-1]
NOW = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def told(session_database: Database) -> Iterator[Database]:
    empty(session_database)
    with session_database.connection() as connection:
        for row, shop in enumerate(CHAIN.shops):
            save_shop(
                connection,
                Shop(shop=shop, region=f"r{CHAIN.region[row]}", format=f"f{CHAIN.format[row]}"),
            )
        said = [SaidFact(fact) for fact in caused_facts(CHAIN, metrics=METRICS)]
        insert_facts(connection, said, received_at=NOW)
    yield session_database
    empty(session_database)


def test_a_planted_cause_is_named_with_its_facts(told: Database) -> None:
    found = read_why(told, ASKED, "place", DAY)
    assert found.verdict == "likely"
    first = found.causes[0]
    assert first.cause == "entrance_bounce"
    assert first.low <= first.effect <= first.high < 0
    assert f"simulated-{ASKED}-bounce_45s-{DAY}" in first.facts
    assert first.link == "association"
    assert "may be the cause" in first.words.en
    assert found.value is not None
    assert found.usual is not None
    assert found.value < found.usual


def test_what_no_fact_tells_of_is_named_as_not_checked(told: Database) -> None:
    found = read_why(told, ASKED, "place", DAY)
    unchecked = {one.cause: one.reason.en for one in found.not_checked}
    assert unchecked["photo_compliance"] == "no data of it"
    assert unchecked["competitor_event"] == "no data of it"
    assert not {one.cause for one in found.causes} & set(unchecked)


def test_the_route_answers_for_the_sessions_shops_and_names_no_other(told: Database) -> None:
    own = f"r{CHAIN.region[0]}"
    visitor = visitor_of(told, "region", now=NOW, regions=[own], name="of the region")
    answer = visitor.get(f"/api/shops/{ASKED}/why", params={"dimension": "place", "day": str(DAY)})
    assert answer.status_code == 200
    body = answer.json()
    assert body["causes"][0]["cause"] == "entrance_bounce"
    assert body["compared_shops"] > 10
    others = [shop for shop in CHAIN.shops if shop != ASKED]
    assert not any(shop in answer.text for shop in others)


def test_a_shop_of_another_region_is_not_there(told: Database) -> None:
    foreign = next(row for row in range(SHOPS) if CHAIN.region[row] != CHAIN.region[0])
    there = f"r{CHAIN.region[foreign]}"
    visitor = visitor_of(told, "region", now=NOW, regions=[there], name="elsewhere")
    asked = {"dimension": "place", "day": str(DAY)}
    assert visitor.get(f"/api/shops/{ASKED}/why", params=asked).status_code == 404
    installer = visitor_of(told, "installer", now=NOW, name="an installer")
    assert installer.get(f"/api/shops/{ASKED}/why", params=asked).status_code == 403


def test_a_shop_without_facts_gets_no_cause(told: Database) -> None:
    with told.connection() as connection:
        save_shop(connection, Shop(shop="new", region="r1", format="f1"))
    found = read_why(told, "new", "place", DAY)
    assert found.verdict == "not enough evidence"
    assert found.causes == ()


def test_windows_of_several_lengths_count_once(told: Database) -> None:
    from hub.why.reading import read_daily

    start = datetime(DAY.year, DAY.month, DAY.day, 10, tzinfo=UTC)
    with told.connection() as connection:
        save_shop(connection, Shop(shop="hours", region="r1", format="f1"))
        facts = []
        for hour in range(3):
            begins = start + timedelta(hours=hour)
            facts.append(_visitors(begins, timedelta(hours=1), 40.0))
            facts += [
                _visitors(begins + timedelta(minutes=15 * q), timedelta(minutes=15), 10.0)
                for q in range(4)
            ]
        insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=NOW)
        daily = read_daily(connection, "hours", DAY, days=3)
    assert daily.metrics["visitors"][daily.shops.index("hours"), -1] == 120.0


def _visitors(start: datetime, length: timedelta, value: float) -> Fact:
    return Fact(
        id=f"v-{start.isoformat()}-{length}", shop="hours", metric="visitors", start=start,
        end=start + length, value=value, low=value - 1, high=value + 1, source="node", method="m/1",
    )  # fmt: skip


def test_the_command_prints_what_the_issue_says(told: Database, tmp_path: Path) -> None:
    shown = CliRunner().invoke(
        app,
        ["why", ASKED, "--dimension", "place", "--day", str(DAY), "--json",
         "--database", told.place],
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    body = json.loads(shown.stdout)
    assert body["verdict"] == "likely"
    assert {"cause", "effect", "low", "high", "facts"} <= set(body["causes"][0])
    assert "not_checked" in body
    plain = CliRunner().invoke(
        app,
        ["why", ASKED, "--dimension", "place", "--day", str(DAY),
         "--database", told.place],
    )  # fmt: skip
    assert "entrance_bounce" in plain.stdout
    assert "not checked:" in plain.stdout
    listed = tmp_path / "shops.csv"
    listed.write_text(caused_shops_csv(CHAIN), encoding="utf-8")
    assert listed.read_text(encoding="utf-8").count("(simulated)") == SHOPS

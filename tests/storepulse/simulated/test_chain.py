"""The simulated chain says only what the catalogue knows, and the same on every day asked."""

import csv
import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.metrics import CATALOGUE
from storepulse.facts import FACT_JSON, Fact
from storepulse.simulated.chain import (
    SimulatedShop,
    afternoon_timezone,
    chain_facts,
    facts_jsonl,
    habits_of,
    shops_csv,
    simulated_shops,
)

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
SHOPS = simulated_shops(timezone="Asia/Shanghai")


@pytest.fixture(scope="module")
def facts() -> list[Fact]:
    return chain_facts(1, SHOPS, now=NOW)


def of(facts: list[Fact], trouble: str, metric: str) -> list[float]:
    shop = next(shop.id for shop in SHOPS if shop.trouble == trouble)
    return [f.value for f in facts if f.shop == shop and f.metric == metric and f.value is not None]


def test_every_metric_is_in_the_catalogue_and_every_id_is_said_once(facts: list[Fact]) -> None:
    assert {fact.metric for fact in facts} <= set(CATALOGUE)
    assert len({fact.id for fact in facts}) == len(facts)
    assert {fact.shop for fact in facts} == {shop.id for shop in SHOPS}


def test_an_estimated_figure_comes_with_its_interval(facts: list[Fact]) -> None:
    for fact in facts:
        if fact.value is not None and not CATALOGUE[fact.metric].counted:
            assert fact.low is not None, fact.id
            assert fact.high is not None, fact.id


def test_every_fact_says_that_it_is_simulated(facts: list[Fact]) -> None:
    assert all(fact.source == "simulated" and "simulated" in fact.id for fact in facts)
    assert all("simulated" in shop.name and "simulated" in shop.region for shop in SHOPS)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), hours=st.integers(1, 24 * 20))
def test_a_later_day_says_the_same_of_the_days_before(seed: int, hours: int) -> None:
    shops = [SHOPS[0], SHOPS[3], SHOPS[11]]
    first = {fact.id: fact for fact in chain_facts(seed, shops, now=NOW, days=3)}
    later = chain_facts(seed, shops, now=NOW + timedelta(hours=hours), days=5)
    assert all(first.get(fact.id, fact) == fact for fact in later)


def test_nothing_is_said_of_what_has_not_been(facts: list[Fact]) -> None:
    assert all(fact.end <= NOW for fact in facts)


def test_the_deals_of_experiences_younger_than_72_h_are_not_told(facts: list[Fact]) -> None:
    ripe = NOW - timedelta(hours=72)
    assert all(fact.end <= ripe for fact in facts if fact.metric == "experience_deals")


def test_planted_troubles_show_in_the_figures(facts: list[Fact]) -> None:
    assert max(of(facts, "short_dwell", "dwell_mean")) < 2.7
    assert min(of(facts, "none", "dwell_mean")) > 3.0
    exposure = of(facts, "empty_facings", "exposure_main_push")
    assert sum(exposure) / len(exposure) < 0.65
    deals = sum(of(facts, "few_deals", "experience_deals"))
    begun = sum(of(facts, "few_deals", "experiences")[:-3])
    assert deals / begun < 0.1
    heads = of(facts, "few_receptions", "staff_on_duty")
    received = of(facts, "few_receptions", "receptions")
    assert sum(received) / sum(heads) < 7


def test_a_shop_without_photos_is_silent_not_zero(facts: list[Fact]) -> None:
    shop = next(shop.id for shop in SHOPS if shop.trouble == "no_photos")
    newest = max(f.end for f in facts if f.shop == shop and f.metric == "exposure_main_push")
    assert NOW - newest > timedelta(days=4)


def test_no_trouble_is_planted_in_the_first_shop_and_its_photos_of_today_are_its_own() -> None:
    own = [fact for fact in chain_facts(1, SHOPS, now=NOW) if fact.shop == SHOPS[0].id]
    today = NOW.astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert SHOPS[0].trouble == "none"
    assert habits_of(1, SHOPS[0]).exposure > 0.9
    assert all(f.start.astimezone(ZoneInfo("Asia/Shanghai")).date() < today for f in own)


@pytest.mark.parametrize("month", [1, 7, 11])
def test_there_is_a_place_where_it_is_afternoon_at_any_hour(month: int) -> None:
    for hour in range(24):
        now = datetime(2026, month, 10, hour, 30, tzinfo=UTC)
        assert 13 <= now.astimezone(ZoneInfo(afternoon_timezone(now))).hour < 21


def test_facts_survive_their_file(facts: list[Fact]) -> None:
    lines = facts_jsonl(facts[:200]).splitlines()
    assert [FACT_JSON.validate_json(line) for line in lines] == facts[:200]


def test_shops_are_written_as_the_hub_reads_them() -> None:
    rows = list(csv.DictReader(io.StringIO(shops_csv(SHOPS))))
    assert len(rows) == 12
    assert set(rows[0]) == {
        "shop", "name", "region", "format", "latitude", "longitude", "timezone", "simulated",
    }  # fmt: skip
    assert {row["simulated"] for row in rows} == {"yes"}
    assert len({row["region"] for row in rows}) == 3


def test_a_shop_must_be_named_as_simulated() -> None:
    with pytest.raises(ValueError, match="simulated"):
        SimulatedShop("sim-01", "Corner", "North", "street", 0, 0, "UTC", "none", ())

"""Weather and holidays: what is past is a fact, what is to come a forecast; yes and no are said."""

from datetime import UTC, datetime, timedelta

import pytest

from hub.feeds.reasons import FeedFailed, RowReason, RunReason
from hub.feeds.running import run_feed
from hub.feeds.store import add_feed
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.feeds.fake_server import Fake
from tests.hub.feeds.told import NOW, facts


def test_weather_has_the_past_as_facts_and_the_rest_as_forecast(
    chain: Database, fake: Fake
) -> None:
    fake.weather = {
        "31,121": {
            "2026-11-19": (4.5, 11.5),
            "2026-11-20": (0.0, None),
            "2026-11-21": (None, None),
        },
        "32,121": {"2026-11-19": (0.0, 9.0), "2026-11-20": (-3.0, 9.5)},
    }
    fake.days = ("2026-11-19", "2026-11-20", "2026-11-21")
    with chain.connection() as connection:
        save_shop(connection, Shop(shop="nowhere"))
        add_feed(
            connection, "weather", kind="weather", place="open-meteo", every_s=3600, now=NOW,
            options={"url": f"{fake.url}/v1/forecast"},
        )  # fmt: skip
    done = run_feed(chain, "weather", now=NOW)
    assert (done.taken, done.aside) == (3, {RowReason.OUT_OF_RANGE: 1})
    told = {
        (one["shop"], one["metric"], one["value"], one["dims"].get("said")) for one in facts(chain)
    }
    assert told == {
        ("17", "rain", 4.5, None), ("17", "temperature", 11.5, None),
        ("17", "rain", 0.0, "forecast"),
        ("18", "rain", 0.0, None), ("18", "temperature", 9.0, None),
    }  # fmt: skip
    assert len(fake.asked) == 1  # one question for both shops
    # The local day of the shop, not UTC's.
    assert {one["started_at"].hour for one in facts(chain)} == {16}
    assert run_feed(chain, "weather", now=NOW).taken == 0
    # Yesterday's word is mended.
    fake.weather["31,121"]["2026-11-19"] = (5.0, 11.5)
    assert run_feed(chain, "weather", now=NOW).taken == 1


def test_weather_in_other_units_is_not_taken_for_ours(chain: Database, fake: Fake) -> None:
    fake.weather = {"31,121": {"2026-11-19": (4.5, 11.5)}}
    fake.days = ("2026-11-19",)
    fake.units = {"precipitation_sum": "inch", "temperature_2m_mean": "°F"}
    with chain.connection() as connection:
        add_feed(
            connection, "weather", kind="weather", place="open-meteo", every_s=3600, now=NOW,
            options={"url": f"{fake.url}/v1/forecast"},
        )  # fmt: skip
    try:
        with pytest.raises(FeedFailed) as failed:
            run_feed(chain, "weather", now=NOW)
    finally:
        fake.units = Fake().units
    assert failed.value.reason == RunReason.UNREADABLE


def test_holidays_say_yes_and_no_and_twice_is_once(chain: Database) -> None:
    with chain.connection() as connection:
        add_feed(
            connection, "holidays", kind="holidays", place="holidays", every_s=3600, now=NOW,
            options={"country": "CN", "regions": "east"},
        )  # fmt: skip
    october = datetime(2026, 10, 5, tzinfo=UTC)
    done = run_feed(chain, "holidays", now=october)
    assert done.taken == done.rows == 2 * (28 + 14 + 1)
    said = {
        one["started_at"].date() + timedelta(days=1): one["value"]
        for one in facts(chain)
        if one["shop"] == "17"
    }
    assert said[datetime(2026, 10, 1, tzinfo=UTC).date()] == 1.0
    assert said[datetime(2026, 10, 14, tzinfo=UTC).date()] == 0.0
    assert run_feed(chain, "holidays", now=october).taken == 0

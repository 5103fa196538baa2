"""Open pages hear of every code and action of their shops that is written, and of no other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from hub.api.news import Look, News, events_of, hear_news, shops_heard
from hub.codes.history import read_history
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.people.roles import Session
from hub.people.store import end_person
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.shop_facts import DAY, SHOP, back, goods, midnight
from tests.hub.staff import session_for

NOON = midnight(DAY) + timedelta(hours=12)
PATIENCE_S = 60.0


SEES = frozenset({SHOP, "18"})


def looks(*found: frozenset[str] | None) -> Look:
    """What the database says, look by look; the last one again and again."""
    left = list(found)

    async def look() -> frozenset[str] | None:
        return left.pop(0) if len(left) > 1 else left[0]

    return look


async def test_a_stream_says_changed_at_once_and_at_each_change() -> None:
    news = News()
    stream = events_of(news, looks(SEES))
    assert "event: changed" in await anext(stream)
    for shops in ({SHOP}, {"19", "18"}, None):
        news.tell(shops)
        assert "event: changed" in await anext(stream)


async def test_changes_while_a_page_is_busy_are_one() -> None:
    news = News()
    stream = events_of(news, looks(SEES), still_here_s=0.01)
    await anext(stream)
    for _ in range(5):
        news.tell({SHOP})
    assert "event: changed" in await anext(stream)
    assert "still here" in await anext(stream)


def told_shops(said: str) -> list[str] | None:
    """The shops that a `changed` names."""
    (data,) = [line for line in said.splitlines() if line.startswith("data: ")]
    shops: list[str] | None = json.loads(data.removeprefix("data: "))["shops"]
    return shops


async def test_a_change_names_the_shops_that_the_page_may_hear_of_and_no_other() -> None:
    news = News()
    stream = events_of(news, looks(SEES))
    assert told_shops(await anext(stream)) is None
    news.tell({"18", "19"})
    assert told_shops(await anext(stream)) == ["18"]
    news.tell({"18"})
    news.tell({SHOP})
    assert told_shops(await anext(stream)) == sorted({SHOP, "18"})
    news.tell({SHOP})
    news.tell(None)
    assert told_shops(await anext(stream)) is None


async def test_of_very_many_shops_that_changed_at_once_no_names_are_told() -> None:
    news = News()
    many = frozenset(str(n) for n in range(500))
    stream = events_of(news, looks(many))
    await anext(stream)
    for n in range(0, 500, 50):
        news.tell([str(n + k) for k in range(50)])
    assert told_shops(await anext(stream)) is None


async def test_a_page_hears_nothing_of_other_shops() -> None:
    news = News()
    stream = events_of(news, looks(SEES), still_here_s=0.01)
    await anext(stream)
    news.tell({"19"})
    assert "still here" in await anext(stream)


async def test_a_page_whose_shops_changed_asks_again() -> None:
    news = News()
    stream = events_of(news, looks(SEES, frozenset({"19"})))
    await anext(stream)
    news.tell_of_people()
    assert "event: changed" in await anext(stream)
    news.tell({"19"})
    assert "event: changed" in await anext(stream)


@pytest.mark.parametrize("told", [True, False], ids=["told at once", "found by looking"])
async def test_a_stream_ends_with_its_session(told: bool) -> None:
    news = News()
    stream = events_of(news, looks(SEES, None), still_here_s=20 if told else 0.01)
    await anext(stream)
    if told:
        news.tell_of_people()
    assert "event: ended" in await anext(stream)
    assert [said async for said in stream] == []
    news.tell({SHOP})


async def test_a_stream_ends_with_its_hub() -> None:
    news = News()
    stream = events_of(news, looks(SEES))
    await anext(stream)
    news.end()
    assert [said async for said in stream] == []


@asynccontextmanager
async def hearing(database: Database, news: News) -> AsyncIterator[None]:
    task = asyncio.create_task(hear_news(database, news))
    try:
        async with asyncio.timeout(PATIENCE_S):
            # The listener tells once when it has begun to listen.
            while not news.number:
                await asyncio.sleep(0.01)
            yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert news.ended


async def stream_for(database: Database, news: News, session: Session) -> AsyncIterator[str]:
    async def look() -> frozenset[str] | None:
        return await asyncio.to_thread(shops_heard, database, session)

    async for said in events_of(news, look):
        yield said


async def test_a_stored_code_wakes_the_pages_of_its_region_only(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP, region="east"))
        save_shop(connection, Shop(shop="19", region="west"))
    Scheduler(database).step(NOON)
    east, _ = session_for(database, "region", regions=["east"], name="east")
    west, _ = session_for(database, "region", regions=["west"], name="west")
    news = News()
    async with hearing(database, news):
        streams = [stream_for(database, news, one) for one in (east, west)]
        for stream in streams:
            assert "event: changed" in await anext(stream)
        waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await asyncio.sleep(0)
        with database.connection() as connection:
            insert_facts(connection, [SaidFact(goods(DAY, 0.6))], received_at=NOON)
        done = await asyncio.to_thread(Scheduler(database).step, NOON)
        assert done.codes
        assert "event: changed" in await waiting[0]
        # The other region's stream says nothing until its person is ended, and that at once.
        with database.connection() as connection:
            end_person(connection, west.person.id)
        assert "event: ended" in await waiting[1]


def test_the_days_behind_show_what_was_stored_and_none_where_nothing_was(
    database: Database,
) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP))
        facts = [goods(back(1), 0.95), goods(DAY, 0.6)]
        insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=NOON)
    Scheduler(database).step(NOON)
    with database.connection() as connection:
        history = read_history(connection, DAY, 4)
    assert history.days == (back(3), back(2), back(1), DAY)
    (shop,) = history.shops
    goods_colours = next(one.colours for one in shop.dimensions if one.dimension == "goods")
    assert goods_colours == (None, None, "green", "red")
    # Its own colour is the worst of the four, and unknown stands above green.
    assert shop.own == (None, None, "unknown", "red")

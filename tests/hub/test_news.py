"""Open pages hear of every code and action that is written, and of nothing else."""

import asyncio
from datetime import timedelta

from hub.database import Database
from hub.facts_store import SaidFact, insert_facts
from hub.history import read_history
from hub.news import News, events_of, hear_news
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from tests.hub.shop_facts import DAY, SHOP, back, goods, midnight

NOON = midnight(DAY) + timedelta(hours=12)
PATIENCE_S = 20.0


async def test_a_stream_says_changed_at_once_and_at_each_change() -> None:
    news = News()
    stream = events_of(news)
    assert "event: changed" in await anext(stream)
    news.tell()
    assert "event: changed" in await anext(stream)


async def test_changes_while_a_page_is_busy_are_one() -> None:
    news = News()
    stream = events_of(news)
    await anext(stream)
    for _ in range(5):
        news.tell()
    assert "data: 5" in await anext(stream)
    assert await news.later_than(5, at_most_s=0.01) == 5


async def test_a_stream_ends_with_its_hub() -> None:
    news = News()
    stream = events_of(news)
    await anext(stream)
    news.end()
    assert [said async for said in stream] == []


async def test_a_stored_code_wakes_the_pages(database: Database) -> None:
    news = News()
    hearing = asyncio.create_task(hear_news(database, news))
    try:
        # The listener tells once when it has begun to listen.
        begun = await news.later_than(0, at_most_s=PATIENCE_S)
        assert begun > 0
        with database.connection() as connection:
            save_shop(connection, Shop(shop=SHOP))
            insert_facts(connection, [SaidFact(goods(DAY, 0.6))], received_at=NOON)
        done = await asyncio.to_thread(Scheduler(database).step, NOON)
        assert done.codes
        assert await news.later_than(begun, at_most_s=PATIENCE_S) > begun
    finally:
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    assert news.ended


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

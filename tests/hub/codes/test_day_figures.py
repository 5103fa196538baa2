"""The figures of a day hold what the stored codes said."""

from datetime import timedelta

import pytest

from hub.codes.day_figures import DayFigures, read_figures, units
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.shop_facts import DAY, SHOP, back, goods, midnight

NOON = midnight(DAY) + timedelta(hours=12)


def test_the_figures_are_those_of_the_stored_codes(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP))
        save_shop(connection, Shop(shop="another"))
        insert_facts(
            connection,
            [SaidFact(goods(back(1), 0.95, doubt=0.01)), SaidFact(goods(DAY, 0.6, doubt=0.06))],
            received_at=NOON,
        )
    Scheduler(database).step(NOON)
    with database.connection() as connection:
        figures = read_figures(connection, DAY)
        none = read_figures(connection, back(400))
    assert figures.units == units() == {"people": "count", "goods": "share", "place": "min",
                                        "conversion": "share"}  # fmt: skip
    ours = next(one for one in figures.shops if one.shop == SHOP)
    exposure = next(one for one in ours.figures if one.dimension == "goods")
    assert (exposure.colour, exposure.value) == ("red", pytest.approx(0.6))
    assert (exposure.low, exposure.high) == (pytest.approx(0.54), pytest.approx(0.66))
    assert none == DayFigures(day=back(400), units=units())

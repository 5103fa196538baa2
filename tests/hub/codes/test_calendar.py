"""A shop's calendar and the figures of a day hold what the stored codes said."""

from datetime import timedelta

import pytest

from hub.codes.calendar import DayFigures, read_calendar, read_figures, units
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.actions import DIMENSIONS
from tests.hub.shop_facts import DAY, SHOP, back, goods, midnight

NOON = midnight(DAY) + timedelta(hours=12)


def test_the_calendar_and_the_figures_are_those_of_the_stored_codes(database: Database) -> None:
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
        found = read_calendar(connection, SHOP, DAY, 3)
        figures = read_figures(connection, DAY)
        none = read_figures(connection, back(400))
    assert found.days == (back(2), back(1), DAY)
    assert tuple(one.dimension for one in found.dimensions) == DIMENSIONS
    shelf = next(one for one in found.dimensions if one.dimension == "goods")
    assert (shelf.colours[1], shelf.colours[2]) == ("green", "red")
    assert (shelf.values[1], shelf.values[2]) == (pytest.approx(0.95), pytest.approx(0.6))
    # The worst of the four: what is unknown stands above green, red above all.
    assert found.own[1:] == ("unknown", "red")
    assert figures.units == units() == {"people": "count", "goods": "share", "place": "min",
                                        "conversion": "share"}  # fmt: skip
    ours = next(one for one in figures.shops if one.shop == SHOP)
    exposure = next(one for one in ours.figures if one.dimension == "goods")
    assert (exposure.colour, exposure.value) == ("red", pytest.approx(0.6))
    assert (exposure.low, exposure.high) == (pytest.approx(0.54), pytest.approx(0.66))
    assert none == DayFigures(day=back(400), units=units())

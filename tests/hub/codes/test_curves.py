"""A shop's curve holds what its stored codes said, and a hole where they said nothing."""

from datetime import timedelta

import pytest

from hub.codes.curves import Curves, read_curves
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.actions import DIMENSIONS
from tests.hub.shop_facts import DAY, SHOP, back, goods, midnight

NOON = midnight(DAY) + timedelta(hours=12)


def test_a_curve_is_that_of_the_stored_codes(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop=SHOP))
        save_shop(connection, Shop(shop="another"))
        insert_facts(
            connection,
            [SaidFact(goods(back(2), 0.6, doubt=0.06)), SaidFact(goods(DAY, 0.8))],
            received_at=NOON,
        )
    Scheduler(database).step(NOON)
    with database.connection() as connection:
        found = read_curves(connection, SHOP, DAY, 4)
        other = read_curves(connection, "another", DAY, 4)
    assert found.days == (back(3), back(2), back(1), DAY)
    assert tuple(one.dimension for one in found.curves) == DIMENSIONS
    curve = next(one for one in found.curves if one.dimension == "goods")
    assert curve.unit == "share"
    assert curve.value[0] is None
    assert curve.value[1] == pytest.approx(0.6)
    assert curve.low[1] == pytest.approx(0.54)
    assert curve.high[1] == pytest.approx(0.66)
    assert curve.value[3] == pytest.approx(0.8)
    assert all(value is None for one in other.curves for value in one.value)
    assert Curves().days == ()

"""Shops on a plane of two figures: any two of the catalogue, each with what it lacks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.figures.keeping import refresh_one
from hub.figures.plane import Plane, SameFigure, read_plane
from hub.figures.reading import UnknownMetric
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.metrics import CATALOGUE
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.facts import Fact
from tests.hub.shop_facts import DAY, back, day_fact, dwell, goods, midnight
from tests.hub.visitor import Visitor, visitor_of

NOON = midnight(DAY) + timedelta(hours=12)


@pytest.fixture
def chain(database: Database) -> Database:
    with database.connection() as connection:
        for shop in ("1", "2", "3", "4"):
            save_shop(connection, Shop(shop=shop, name=f"Shop {shop}", region="east"))
    tell(
        database,
        visits("1", 300, doubt=10.0, n=280), goods(DAY, 0.6, doubt=0.06, shop="1", id="g1"),
        dwell(DAY, 3.5, doubt=0.1, shop="1", id="d1"),
        visits("2", 200, doubt=250.0), visits("3", None),
        goods(DAY, 0.95, doubt=0.1, shop="3", id="g3"),
    )  # fmt: skip
    Scheduler(database).step(NOON)
    add_up(database)
    return database


def visits(shop: str, value: float | None, *, doubt: float = 0.0, **more: Any) -> Fact:
    span = {} if value is None else {"low": value - doubt, "high": value + doubt}
    return day_fact("visitors", DAY, value, shop=shop, id=f"v{shop}", **(span | more))


def tell(database: Database, *facts: Fact) -> None:
    with database.connection() as connection:
        insert_facts(connection, [SaidFact(one) for one in facts], received_at=NOON)


def add_up(database: Database) -> None:
    now = datetime.now(UTC) + timedelta(minutes=1)
    while refresh_one(database, now=now, settle_s=0) is not None:
        pass


def plane(database: Database, x: str, y: str, *days: Any) -> Plane:
    with database.connection() as connection:
        return read_plane(connection, x, y, *days or (DAY,))


def test_each_shop_has_both_figures_with_their_intervals_and_counts(chain: Database) -> None:
    found = plane(chain, "visitors", "exposure_main_push")
    assert (found.shop, found.region) == (("1", "2", "3", "4"), ("east",) * 4)
    assert (found.x.unit, found.y.unit, found.x.of_code) == ("count", "share", False)
    assert found.x.value == (300.0, 200.0, None, None)
    assert (found.x.low[0], found.x.high[0]) == pytest.approx((290.0, 310.0))
    assert found.x.n[0] == 280
    assert found.y.value == (0.6, None, 0.95, None)
    # Nothing is there that cannot be.
    assert (found.x.low[1], found.y.high[2]) == (0.0, 1.0)


def test_a_shop_that_lacks_a_figure_says_why(chain: Database) -> None:
    found = plane(chain, "visitors", "exposure_main_push")
    # Told by nobody is another thing than told without evidence.
    assert (found.x.standing, found.y.standing) == ("kku-", "k-k-")


def test_a_dimension_is_its_code_s_figure(chain: Database) -> None:
    found = plane(chain, "goods", "visitors")
    assert found.x.of_code
    assert found.x.value[0] == pytest.approx(0.6)
    assert found.x.low[0] < found.x.value[0] < found.x.high[0]  # type: ignore[operator]
    assert found.x.n == (None,) * 4


def test_a_sign_is_the_worst_of_the_dimensions_that_are_compared(chain: Database) -> None:
    goods_alone = plane(chain, "exposure_main_push", "temperature")
    assert goods_alone.coloured_by == ("goods",)
    assert (goods_alone.colour[0], goods_alone.colour[2]) == ("r", "g")
    place_alone = plane(chain, "visitors", "rain")
    assert (place_alone.coloured_by, place_alone.colour[0]) == (("place",), "g")
    assert len(plane(chain, "rain", "temperature").coloured_by) == 4


def test_a_shop_with_newer_facts_is_counted_until_they_are_added_up(chain: Database) -> None:
    assert plane(chain, "visitors", "rain").behind == 0
    tell(chain, visits("4", 50))
    assert plane(chain, "visitors", "rain").behind == 1
    assert plane(chain, "people", "goods").behind == 0, "codes are not added up"
    add_up(chain)
    found = plane(chain, "visitors", "rain")
    assert (found.behind, found.x.value[3]) == (0, 50.0)


def test_every_metric_can_be_compared(chain: Database) -> None:
    for name, metric in CATALOGUE.items():
        found = plane(chain, name, "people")
        assert (found.x.unit, len(found.x.value)) == (metric.unit, 4)


def test_what_cannot_be_compared_is_said(chain: Database) -> None:
    with pytest.raises(UnknownMetric):
        plane(chain, "visitors", "nothing")
    with pytest.raises(SameFigure):
        plane(chain, "visitors", "visitors")
    assert plane(chain, "visitors", "rain", None).shop == ()
    assert plane(chain, "visitors", "rain", back(300)).x.standing == "----"


def test_over_http_it_is_the_newest_day_with_codes(chain: Database) -> None:
    head: Visitor = visitor_of(chain, now=NOON)
    told = head.get("/api/plane", params={"x": "visitors", "y": "goods"}).json()
    assert (told["day"], told["x"]["value"]) == (DAY.isoformat(), [300.0, 200.0, None, None])
    assert told["x"]["called"] == {"en": "visits", "zh": "到店人次"}
    refused = head.get("/api/plane", params={"x": "visitors", "y": "nothing"})
    assert refused.status_code == 400

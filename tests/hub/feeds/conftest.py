"""A chain of two shops, and a server that plays the others."""

from collections.abc import Iterator

import pytest

from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.feeds.fake_server import Fake, fake_server


@pytest.fixture
def chain(database: Database) -> Database:
    with database.connection() as connection:
        for shop, region, latitude in (("17", "east", 31.0), ("18", "east", 32.0)):
            save_shop(
                connection,
                Shop(shop=shop, region=region, timezone="Asia/Shanghai", latitude=latitude,
                     longitude=121.0),
            )  # fmt: skip
    return database


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    with fake_server() as fake:
        yield fake


@pytest.fixture
def fake(server: Fake) -> Fake:
    server.status, server.weather, server.days, server.asked = 200, {}, (), []
    return server

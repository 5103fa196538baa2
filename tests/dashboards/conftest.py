"""What the tests of the pages share: one browser for each module, and a node with a shelf."""

from collections.abc import Iterator
from typing import Any

import pytest

from storepulse.simulated.shelves import DrawnShelf, draw_shelf
from tests.dashboards.fake_node import FakeNode
from tests.dashboards.fake_shelf import FakeShelf
from tests.dashboards.looking import CHROMIUM
from tests.dashboards.paired_phone import Node
from tests.dashboards.served import served


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shelf() -> DrawnShelf:
    return draw_shelf(4)


@pytest.fixture
def node(shelf: DrawnShelf) -> Iterator[Node]:
    fake, seen = FakeNode(), FakeShelf(shelf, [shelf.facings[5].box_xyxy_px])
    fake.pair()
    app = fake.app()
    app.router.routes[:0] = seen.routes().routes
    with served(app) as url:
        yield fake, seen, url

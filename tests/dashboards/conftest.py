"""What the tests of the pages share: one browser for each module."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboards.looking import CHROMIUM


@pytest.fixture(scope="module")
def browser(playwright: Any) -> Iterator[Any]:
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield opened
    opened.close()

"""What the tests of the pages share: one browser, as long as they run."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.dashboards.looking import CHROMIUM


@pytest.fixture(scope="package")
def playwright() -> Iterator[Any]:
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="not run: playwright is not installed"
    )
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Any) -> Iterator[Any]:
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
    yield opened
    opened.close()

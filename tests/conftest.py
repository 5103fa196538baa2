"""What tests with a browser share."""

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Drives browsers; for one module, since no other event loop can run beside it."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="not run: playwright is not installed"
    )
    with sync_api.sync_playwright() as running:
        yield running

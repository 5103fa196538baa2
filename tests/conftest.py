"""What all tests share: a law takes the time that the machine needs; one way to start browsers."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.late import pages_come_late

# Beside what the environment asks for (CI tries the same examples each time): how long an example
# takes, or its making, is the machine's business. Measures are commands, not tests.
settings.register_profile(
    "any machine", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Any]:
    """Drives browsers; for one module, since no other event loop can run beside it."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="not run: playwright is not installed"
    )
    with sync_api.sync_playwright() as running, pages_come_late(sync_api):
        yield running

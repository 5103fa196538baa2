"""What the journeys share: one world of hub and node with TLS, and a real browser."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storepulse.demo.children import Children
from storepulse.pages import pages_folder
from tests.journeys.world import CHROMIUM, World, start_world


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that root's lower user, the database's, can reach.

    Not pytest's own: another pytest that starts meanwhile closes those again.
    """
    folder = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A folder that root's lower user, the database's, can reach, too, and all that runs in it."""
    if not CHROMIUM.exists():
        pytest.skip("not run: chromium is not installed")
    if not (pages_folder() / "clerk.html").exists():
        pytest.skip("not run: the pages are not built (make pages)")
    folder = Path(tempfile.mkdtemp(prefix="storepulse-test-"))
    folder.chmod(0o711)
    with Children(folder / "logs") as children:
        yield start_world(folder, children)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def browser(world: World, playwright: Any) -> Iterator[Any]:
    opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=world.browser_arguments)
    yield opened
    opened.close()

"""What the node's tests share: a disk, an outbox, a clock that stands where it is put."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from edge.disk import Disk
from edge.outbox import Outbox
from tests.edge.samples import StandingClock
from tests.edge.shop import Shop


@pytest.fixture(autouse=True)
def children_find_this_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that tests start import this tree, wherever the package is installed from."""
    root = str(Path(__file__).parents[2])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def now() -> StandingClock:
    return StandingClock()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    opened = Disk(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def make_outbox(disk: Disk) -> Callable[[int], Outbox]:
    return lambda bytes_max: Outbox(disk, node="node-1", bytes_max=bytes_max)


@pytest.fixture
def outbox(make_outbox: Callable[[int], Outbox]) -> Outbox:
    return make_outbox(2**30)


@pytest.fixture
async def shop(
    tmp_path: Path, disk: Disk, outbox: Outbox, now: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Shop]:
    monkeypatch.setattr("sys.argv", ["fake", str(tmp_path / "judged")])
    shop = Shop(tmp_path, disk, outbox, now)
    shop.pair()
    yield shop
    await shop.phone.aclose()
    await shop.owner.aclose()

"""What a clerk says while node and hub are down is at the hub afterwards, each once."""

from pathlib import Path
from typing import Any

import pytest

from storepulse.eval.offline import offline_campaign
from tests.journeys.world import World

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1200)]


def test_photos_and_taps_from_a_day_without_node_and_hub_arrive_once(
    world: World, playwright: Any, tmp_path: Path
) -> None:
    """Fewer, for time: `storepulse eval offline` has 50 photos and 200 taps."""
    report = offline_campaign(world, playwright, tmp_path, photos=15, taps=60, tell=print)
    assert report.kills == 2
    assert report.ok, report

"""What is killed in the middle of its work loses nothing and says nothing twice."""

from pathlib import Path

import pytest

from hub.brokers.broker import installed_kind
from storepulse.eval.kill import BrokerKind, kill_campaign

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("tls", "facts"),
    [
        pytest.param(False, 1000, id="plain"),
        # Fewer, for time: `storepulse eval kill --tls` has all thousand.
        pytest.param(True, 400, id="tls"),
    ],
)
@pytest.mark.parametrize("broker", ["embedded", "mosquitto"])
def test_every_fact_and_action_arrives_once_whatever_is_killed(
    broker: BrokerKind, tls: bool, facts: int, open_folder: Path
) -> None:
    if broker == "mosquitto" and installed_kind() != "mosquitto":
        pytest.skip("not run: mosquitto is not installed")
    report = kill_campaign(open_folder / "kill", broker=broker, facts=facts, tell=print, tls=tls)
    assert report.tls == tls
    assert report.in_the_middle, report
    assert report.facts_at_hub == facts, report
    assert report.facts_at_hub_twice == report.facts_missing == 0, report
    assert report.actions_at_node == report.actions_delivered == report.actions_pushed == 2, report
    assert report.ok, report

"""A node fetches what planograms the hub names, keeps only whole ones, and judges by the day."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from edge.backoff import Backoff
from edge.disk import Disk
from edge.errors import HubAway, NotHere
from edge.identity import Identity, keep_identity, new_key
from edge.outbox import Outbox
from edge.pairing import Phones
from edge.plan_fetch import PlanFetch
from edge.plans import PlanFacts, Plans
from hub.nodes.authority import issue_node, make_authority, pem_of
from planograms.errors import BadPlanogram
from planograms.model import PLANOGRAM_JSON, Planogram
from planograms.planned import planned_of
from storepulse.enrolment import Enrolled
from storepulse.node_config import NodeConfig
from storepulse.plans import PlanDue
from storepulse.topics import Address
from tests.edge.samples import StandingClock
from tests.planograms.bays import bay

PLAN = bay([[1, 1, 2], [3, 4, 4]])
TODAY = date(2026, 11, 22)


class Hub:
    """Gives planograms while it is there."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.away = False

    def __call__(self, identity: Identity, due: PlanDue) -> bytes:
        self.asked.append(due.key)
        if self.away or due.key not in self.files:
            raise HubAway("the hub does not answer")
        return self.files[due.key]

    def publish(self, plan: Planogram, *bays: str, starts_on: date | None = None) -> PlanDue:
        content = PLANOGRAM_JSON.dump_json(plan)
        self.files[f"{plan.id}@{plan.version}"] = content
        return PlanDue(
            planogram=plan.id, version=plan.version, bays=bays, starts_on=starts_on,
            sha256=hashlib.sha256(content).hexdigest(),
        )  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Of an enrolled node."""
    authority = make_authority(now=datetime.now(UTC))
    key, address = new_key(), Address("acme", "shop-17", "node-1")
    given = issue_node(authority, key.public_key(), address, now=datetime.now(UTC))
    told = Enrolled(
        chain=address.chain, shop=address.shop, node=address.node, broker="mqtts://127.0.0.1:1",
        certificate=pem_of(given).decode(), authority=authority.certificate_pem.decode(),
    )  # fmt: skip
    keep_identity(tmp_path / "data", key, told, hub="https://127.0.0.1:1")
    return tmp_path / "data"


class Node:
    """The parts of a node that keep planograms, over one folder."""

    def __init__(self, data: Path, disk: Disk, outbox: Outbox, now: StandingClock, hub: Hub):
        self.now, self.at = now, datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.phones = Phones(disk, outbox)
        self.told = 0
        self.data, self.hub = data, hub
        self.start()

    def start(self) -> None:
        self.plans = Plans(self.data / "planograms", clock=lambda: self.at)
        self.fetch = PlanFetch(
            self.data, self.plans, self.phones, self._tell,
            backoff=Backoff(first_s=0.01, longest_s=0.02), poll_s=0.01, fetch=self.hub,
        )  # fmt: skip
        self.fetch.heed_config()

    async def _tell(self) -> None:
        self.told += 1

    def hears(self, revision: int, *due: PlanDue, timezone: str = "UTC") -> None:
        config = NodeConfig(revision=revision, plans=due, timezone=timezone)
        assert self.phones.take_config(config, self.now())

    def files(self) -> set[str]:
        return {file.stem for file in (self.data / "planograms" / "hub").glob("*.json")}


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
def node(data: Path, disk: Disk, outbox: Outbox, now: StandingClock, hub: Hub) -> Node:
    return Node(data, disk, outbox, now, hub)


def facts(plan: Planogram, bay: str) -> PlanFacts:
    many = len(plan.positions)
    return PlanFacts(plan.id, plan.name, bay, plan.version, many, planned_of(plan))


async def test_what_the_hub_names_is_fetched_once_and_receipted(node: Node, hub: Hub) -> None:
    node.hears(1, hub.publish(PLAN, "b1", "b2"))
    assert await node.fetch.look() == 1
    assert await node.fetch.look() == 0
    assert hub.asked == ["plan@1"]
    assert node.plans.receipt() == ("plan@1",)
    assert node.told == 1
    assert node.plans.all() == [facts(PLAN, "b1"), facts(PLAN, "b2")]
    assert node.plans.file_of(node.plans.choose("b2", None)).read_bytes() == hub.files["plan@1"]
    # Also after a crash: what is on the disk is held, and not asked for again.
    node.start()
    assert node.plans.receipt() == ("plan@1",)
    assert await node.fetch.look() == 0


async def test_a_version_holds_from_its_day_in_the_shops_own_calendar(node: Node, hub: Hub) -> None:
    second = replace(PLAN, version=2, name="second")
    first_due = hub.publish(PLAN, "b1")
    second_due = hub.publish(second, "b1", starts_on=TODAY + timedelta(days=1))
    node.hears(1, first_due, second_due, timezone="Asia/Shanghai")
    assert await node.fetch.look() == 2
    node.at = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    assert node.plans.choose("b1", None).version == 1
    node.at = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert node.plans.choose("b1", None) == facts(second, "b1")
    assert node.plans.file("plan", 1).name == "plan@1.json"
    assert node.plans.file("plan").name == "plan@2.json"
    assert node.plans.file("plan", 7).name == "plan@2.json"


def damaged(hub: Hub) -> None:
    hub.files["plan@2"] = hub.files["plan@2"][:-5] + b"     "


def away(hub: Hub) -> None:
    hub.away = True


@pytest.mark.parametrize("fails", [damaged, away])
async def test_what_cannot_be_fetched_leaves_the_node_with_what_it_has(
    node: Node, hub: Hub, fails: Callable[[Hub], None]
) -> None:
    node.hears(1, hub.publish(PLAN, "b1"))
    await node.fetch.look()
    content = PLANOGRAM_JSON.dump_json(replace(PLAN, version=2))
    node.hears(2, hub.publish(replace(PLAN, version=2), "b1"))
    fails(hub)
    with pytest.raises((BadPlanogram, HubAway)):
        await node.fetch.look()
    assert node.plans.choose("b1", None).version == 1
    assert node.files() == {"plan@1"}
    assert node.plans.receipt() == ()
    hub.away, hub.files["plan@2"] = False, content
    assert await node.fetch.look() == 1
    assert node.plans.choose("b1", None).version == 2
    # What a photo may just be judged by stays until the next word of the hub.
    assert node.files() == {"plan@1", "plan@2"}
    node.hears(3, hub.publish(replace(PLAN, version=2), "b1"))
    await node.fetch.look()
    assert node.files() == {"plan@2"}


async def test_one_that_cannot_be_had_does_not_keep_the_others_away(node: Node, hub: Hub) -> None:
    gone = hub.publish(replace(PLAN, id="gone"), "b9")
    del hub.files["gone@1"]
    node.hears(1, gone, hub.publish(PLAN, "b1"))
    with pytest.raises(HubAway):
        await node.fetch.look()
    assert node.plans.receipt() == ("plan@1",)


async def test_a_file_that_was_damaged_on_the_disk_is_fetched_again(node: Node, hub: Hub) -> None:
    node.hears(1, hub.publish(PLAN, "b1"))
    await node.fetch.look()
    node.plans.file("plan", 1).write_bytes(b"half of i")
    node.start()
    assert node.plans.receipt() == ()
    assert await node.fetch.look() == 1
    assert node.plans.receipt() == ("plan@1",)


async def test_the_hubs_goes_before_the_shops_own_and_gives_way_when_withdrawn(
    node: Node, hub: Hub
) -> None:
    own = replace(PLAN, id="own", bay="b1", version=9)
    node.plans.put("own", PLANOGRAM_JSON.dump_json(own))
    assert node.plans.choose("b1", None).id == "own"
    node.hears(1, hub.publish(PLAN, "b1"))
    await node.fetch.look()
    assert node.plans.choose("b1", None).id == "plan"
    assert node.plans.choose("b1", "own").id == "own"
    assert [plan.id for plan in node.plans.all()] == ["plan"]
    node.hears(2)
    await node.fetch.look()
    node.hears(3)
    await node.fetch.look()
    assert node.plans.choose("b1", None).id == "own"
    with pytest.raises(NotHere):
        node.plans.choose("b2", None)

"""The demo's loop, stage by stage: real processes and files, a simulated chain around one shop."""

import json
import shlex
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from edge.identity import read_identity
from hub.actions.store import StoredAction, actions
from hub.api.answers import BoardRow, board
from hub.codes.computing import read_policies
from hub.ingest.facts_store import facts_of_days
from hub.nodes.authority_files import keep_authority
from hub.store.database import Database, open_database
from hub.taps.store import checklists
from probes.captures import Capture
from storepulse.actions import DIMENSIONS
from storepulse.demo.children import Children, StageFailed, run_to_end, wait_until
from storepulse.demo.doors import pair_phone, pairing_code, sign_in, wait_until_told
from storepulse.demo.requests import Visitor
from storepulse.demo.services import (
    PROGRAM,
    Broker,
    Server,
    enrol_node,
    start_broker,
    start_hub,
    start_node,
    wait_for_empty_outbox,
    wait_for_eyes,
    wait_for_link,
)
from storepulse.demo.shelf import LookedAt, erased_found, photo_of, plan_of, second_exposure
from storepulse.demo.stages import Stages
from storepulse.errors import BadInput
from storepulse.simulated.capture_files import write_capture
from storepulse.simulated.chain import (
    SimulatedShop,
    afternoon_timezone,
    chain_facts,
    facts_jsonl,
    shops_csv,
    simulated_shops,
)
from storepulse.simulated.exposures import Box
from storepulse.simulated.phones import simulate_phones
from storepulse.topics import Address
from vision.look import Looker

CHAIN: Final = "simulated"
BAY: Final = "bay-1"
DAYS: Final = 28
"""Of the chain's past: the 14 that a person looks at, and as many more for conversion's window."""
_SEED: Final = 7
_LOAD_S_MAX: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the demo was given; None stands for something simulated."""

    folder: Path
    photo: Path | None = None
    planogram: Path | None = None
    capture: Path | None = None


@dataclass(slots=True)
class Loop:
    """What the loop has found so far; what is None has not come yet."""

    wanted: Wanted
    children: Children
    stages: Stages
    now: datetime
    shops: tuple[SimulatedShop, ...] = ()
    broker: Broker | None = None
    hub: Server | None = None
    node: Server | None = None
    head_office: Visitor | None = None
    """Signed in at the hub."""
    phone: Visitor | None = None
    """Paired with the node."""
    looked_at: LookedAt | None = None
    erased_px: tuple[Box, ...] = ()
    answer: dict[str, Any] = field(default_factory=dict)
    """Of the node, to the second photo."""
    codes: list[dict[str, Any]] = field(default_factory=list)
    """Of the demo's own shop."""
    rows: tuple[BoardRow, ...] = ()
    """The board of all twelve."""
    acknowledged: bool = False
    """The hub holds the node's checklist and said so."""
    pictured: bool = False
    """The hub shows the evidence picture to whoever has signed in."""

    @property
    def shop(self) -> SimulatedShop:
        """The shop whose node runs here."""
        return self.shops[0]

    @property
    def today(self) -> date:
        """The shop's local day."""
        return self.now.astimezone(ZoneInfo(self.shop.timezone)).date()

    @property
    def address(self) -> Address:
        return Address(CHAIN, self.shop.id, "node-1")

    @property
    def database(self) -> Path:
        return self.wanted.folder / "hub"

    @property
    def authority(self) -> Path:
        """Beside the database, where the hub looks for it."""
        return self.wanted.folder / "authority"

    @property
    def node_data(self) -> Path:
        return self.wanted.folder / "node"

    @property
    def complete(self) -> bool:
        """Four codes came out, and the node's checklist and picture are at the hub."""
        named = {code["dimension"] for code in self.codes}
        reasoned = all(code["rule"] for code in self.codes)
        return named == set(DIMENSIONS) and reasoned and self.acknowledged and self.pictured


def run_loop(loop: Loop) -> None:
    """Run every stage once.

    Raises:
        StageFailed: one did not come to its end.
        BadInput: the photo, planogram or capture that was given cannot be used.
    """
    capture, captured = _capture(loop)
    _make_planogram(loop)
    _expose_again(loop)
    _start(loop)
    _load_chain(loop)
    _enrol(loop)
    _start_node(loop, capture, captured)
    _pair(loop)
    _judge(loop)
    with open_database(str(loop.database)) as database:
        _listen(loop, database)
        _acknowledge(loop, database)
        _read_codes(loop, database)
        _deliver(loop, database)
    _show_evidence(loop)


def _start(loop: Loop) -> None:
    with loop.stages.stage("broker") as stage:
        keep_authority(loop.authority, now=datetime.now(UTC))
        loop.broker = start_broker(
            loop.children, loop.wanted.folder / "broker", authority=loop.authority
        )
        stage.say(
            f"{loop.broker.kind} at {loop.broker.url}, certificates asked for",
            kind=loop.broker.kind, url=loop.broker.url,
        )  # fmt: skip
    with loop.stages.stage("hub and database") as stage:
        loop.hub = start_hub(loop.children, chain=CHAIN, broker=loop.broker, database=loop.database)
        stage.say(f"at {loop.hub.url}", url=loop.hub.url, door=loop.hub.door)
    with loop.stages.stage("sign-in") as stage:
        loop.head_office = sign_in(loop.hub, loop.database)
        stage.say("as head office, by the hub's one-time link", by_link=True)


def _load_chain(loop: Loop) -> None:
    with loop.stages.stage("simulated chain") as stage:
        loop.shops = simulated_shops(timezone=_timezone(loop), demo_bays=(BAY,))
        shops_file = loop.wanted.folder / "shops-simulated.csv"
        facts_file = loop.wanted.folder / "facts-simulated.jsonl"
        shops_file.write_text(shops_csv(loop.shops))
        facts_file.write_text(facts_jsonl(chain_facts(_SEED, loop.shops, now=loop.now, days=DAYS)))
        _hub(loop, "shops", "load", str(shops_file), what="loading the simulated shops")
        loaded = _hub(loop, "load", str(facts_file), what="loading the simulated facts")
        if loaded["refused"]:
            raise StageFailed(f"the hub refused simulated facts: {loaded['refused_lines'][:3]}")
        stage.say(
            f"{len(loop.shops)} shops with {DAYS} days behind them, {loaded['new']} facts, "
            f"all simulated; it is afternoon there ({loop.shop.timezone})",
            shops=len(loop.shops), days=DAYS, facts=loaded["new"], duplicate=loaded["duplicate"],
            simulated=True,
        )  # fmt: skip


def _timezone(loop: Loop) -> str:
    """Where the chain trades: kept with the data, so that a second run adds to the same days."""
    kept = loop.wanted.folder / "timezone.txt"
    if not kept.exists():
        kept.write_text(afternoon_timezone(loop.now))
    return kept.read_text()


def _make_planogram(loop: Loop) -> None:
    given = loop.wanted
    with loop.stages.stage("planogram") as stage:
        photo = photo_of(given.photo, given.folder, seed=_SEED)
        loop.looked_at = plan_of(
            photo, given.planogram, given.folder, bay=BAY, now=loop.now, looker=Looker()
        )
        plan, choice = loop.looked_at.plan, loop.looked_at.choice
        stage.say(
            f"{'a simulated (drawn) shelf' if given.photo is None else photo.name}: "
            f"{len(loop.looked_at.observation.facings)} facings, {len(plan.positions)} positions, "
            f"{len(plan.products)} products in {len(plan.shelves)} rows; main push: "
            f"{', '.join(choice.products)} with {choice.facings} facings",
            photo=str(photo), simulated=given.photo is None,
            facings=len(loop.looked_at.observation.facings), positions=len(plan.positions),
            products=len(plan.products), rows=len(plan.shelves), main_push=choice.products,
            main_push_facings=choice.facings, planogram=str(loop.looked_at.plan_file),
        )  # fmt: skip


def _expose_again(loop: Loop) -> None:
    assert loop.looked_at is not None
    with loop.stages.stage("second exposure") as stage:
        path, loop.erased_px = second_exposure(loop.looked_at, loop.wanted.folder, seed=_SEED)
        erased = loop.looked_at.choice.erased
        stage.say(
            f"simulated: perspective, light, and {len(erased)} of "
            f"{loop.looked_at.choice.facings} main-push facings erased ({', '.join(erased)})",
            photo=str(path), erased=erased, simulated=True,
        )  # fmt: skip


def _capture(loop: Loop) -> tuple[Path, str]:
    """The capture to listen to, and what it is."""
    given = loop.wanted.capture
    if given is not None:
        # What cannot be read is refused now, before anything is started for it.
        Capture(given, warn=lambda _: None).close()
        return given, given.name
    path = loop.wanted.folder / "visitors-simulated.pcap.gz"
    # Five hours, so that the fixed devices of a shop can be known by their staying.
    start = datetime(2026, 3, 2, 10, tzinfo=UTC)
    write_capture(
        simulate_phones(
            _SEED, start=start, hours=5, visitors=200, dwell_min=4.2, passers_by=40, fixed=3
        ),
        path,
    )
    return path, "a simulated capture"


def _enrol(loop: Loop) -> None:
    assert loop.hub is not None
    with loop.stages.stage("enrolment") as stage:
        if read_identity(loop.node_data) is None:
            enrol_node(loop.hub, loop.address, database=loop.database, data=loop.node_data)
            stage.say(f"{loop.address.path} came in by a code", by_code=True)
        else:
            stage.say(f"{loop.address.path} was in already", by_code=False)


def _pair(loop: Loop) -> None:
    assert loop.head_office is not None
    assert loop.node is not None
    with loop.stages.stage("phone") as stage:
        code = pairing_code(loop.head_office, loop.shop.id)["code"]
        wait_until_told(loop.head_office, loop.shop.id, loop.node)
        loop.phone = pair_phone(loop.node, code, name="the demo's phone")
        stage.say(f"paired with {loop.address.path} by a code of the hub", by_code=True)


def _start_node(loop: Loop, capture: Path, captured: str) -> None:
    assert loop.broker is not None
    assert loop.looked_at is not None
    with loop.stages.stage("node") as stage:
        # The node says whose ears they are and what to read.
        ears = [
            sys.executable, "-m", "storepulse.demo.replayed",
            "--timezone", loop.shop.timezone, "--today", loop.today.isoformat(),
        ]  # fmt: skip
        loop.node = start_node(
            loop.children, loop.address, data=loop.node_data, broker=loop.broker,
            planogram=loop.looked_at.plan_file, captures=[capture],
            STOREPULSE_EDGE_RADIO_COMMAND=shlex.join(ears),
        )  # fmt: skip
        wait_for_link(loop.node)
        wait_for_eyes(loop.node)
        stage.say(
            f"{loop.address.path} serves phones at {loop.node.url} and listens to {captured}",
            url=loop.node.url, capture=str(capture), capture_simulated=loop.wanted.capture is None,
        )  # fmt: skip


def _judge(loop: Loop) -> None:
    assert loop.node is not None
    assert loop.phone is not None
    phone = loop.phone
    with loop.stages.stage("judgement") as stage:
        second = loop.wanted.folder / "second-exposure-simulated.jpg"
        began = time.monotonic()
        loop.answer = phone.send_photo(
            second.read_bytes(), uuid=str(uuid4()), bay=BAY, filename=second.name
        )
        answered_s = round(time.monotonic() - began, 2)
        # The node answers first and draws then: a clerk does not wait for the picture.
        annotated = loop.answer["annotated_url"]
        wait_until(
            lambda: phone.has(annotated), what="the annotated photo", limit_s=60,
            needs=[loop.node.child],
        )  # fmt: skip
        findings, scores = loop.answer["findings"], loop.answer["scores"]
        found = erased_found(findings, loop.erased_px)
        exposure = scores["exposure_main_push"]
        checklist = loop.answer["checklist"]
        stage.say(
            f"{len(findings)} findings, {found} of {len(loop.erased_px)} erased facings found; "
            f"exposure of main push {_share(exposure)}; "
            f"checklist of {len(checklist['items']) if checklist else 0} items",
            findings=findings, erased=len(loop.erased_px), erased_found=found, scores=scores,
            checklist=checklist and checklist["id"], answered_s=answered_s,
            annotated=loop.node.url + annotated,
        )  # fmt: skip


def _share(score: dict[str, Any]) -> str:
    if score["value"] is None:
        return "unknown"
    return f"{score['value']:.0%} ({score['low']:.0%} to {score['high']:.0%})"


def _listen(loop: Loop, database: Database) -> None:
    """Wait for the radio child to finish the capture and for its dwell to be at the hub."""
    assert loop.node is not None
    with loop.stages.stage("ears") as stage:
        child = wait_until(
            lambda: _finished_radio(loop), what="the end of the capture", limit_s=120,
            needs=[loop.node.child],
        )  # fmt: skip
        if child["phase"] == "refused":
            raise BadInput(f"the capture was refused: {child['trouble']}")
        wait_for_empty_outbox(loop.node)
        dwell = [fact for fact in _facts_at_hub(loop, database) if fact.metric == "dwell_mean"]
        if not dwell:
            stage.say("too few visitors were heard for any figure", dwell_minutes=None)
            return
        # The day's own estimate, which the code takes too, rather than one of its hours.
        figure = max(dwell, key=lambda fact: fact.end - fact.start)
        said = figure.dims.get("replayed", "")
        words = "unknown" if figure.value is None else (
            f"{figure.value:.1f} min ({figure.low:.1f} to {figure.high:.1f})"
        )  # fmt: skip
        stage.say(
            f"mean dwell {words} of {figure.n} visits heard; {said}",
            dwell_minutes={"mean": figure.value, "low": figure.low, "high": figure.high},
            visits=figure.n, note=said, start=figure.start.isoformat(), end=figure.end.isoformat(),
        )  # fmt: skip


def _finished_radio(loop: Loop) -> dict[str, Any] | None:
    assert loop.node is not None
    workers = loop.node.owner.get("/healthz")["workers"]
    radio: dict[str, Any] = next(one for one in workers if one["name"] == "radio")
    return radio if radio["phase"] in ("finished", "refused") else None


def _facts_at_hub(loop: Loop, database: Database) -> list[Any]:
    """What the hub holds of the shop's today, said by the node."""
    with database.connection() as connection:
        dated = facts_of_days(connection, loop.today, loop.today, shops=[loop.shop.id])
        return [one.fact for one in dated if one.fact.source == loop.address.path]


def _acknowledge(loop: Loop, database: Database) -> None:
    assert loop.node is not None
    with loop.stages.stage("facts at the hub") as stage:
        messages = wait_for_empty_outbox(loop.node)
        facts = _facts_at_hub(loop, database)
        asked = loop.answer.get("checklist")
        with database.connection() as connection:
            held = checklists(
                connection, loop.now - timedelta(days=2), datetime.now(UTC) + timedelta(days=1),
                shops=[loop.shop.id],
            )  # fmt: skip
        loop.acknowledged = asked is not None and asked["id"] in {one.id for one in held}
        stage.say(
            f"{messages} messages acknowledged, {len(facts)} facts of the node stored; "
            f"the node's checklist is {'there' if loop.acknowledged else 'NOT there'}",
            messages=messages, facts=len(facts), checklist_acknowledged=loop.acknowledged,
        )  # fmt: skip


def _read_codes(loop: Loop, database: Database) -> None:
    with loop.stages.stage("codes") as stage:
        day, shop = ["--day", loop.today.isoformat()], ["--shop", loop.shop.id]
        loop.codes = _hub(loop, "codes", *day, *shop, what="the codes of the day")
        with database.connection() as connection:
            policies = read_policies(connection)
            loop.rows = tuple(board(connection, loop.today, policies, now=loop.now))
        words = [f"{code['dimension']} {code['colour']}" for code in loop.codes]
        stage.say(f"{loop.shop.id}: {', '.join(words)}; {len(loop.rows)} shops on the board")


def _deliver(loop: Loop, database: Database) -> None:
    """Wait until what the hub pushed to the shop is on the node and receipted."""
    assert loop.node is not None
    assert loop.hub is not None
    assert loop.phone is not None
    with loop.stages.stage("actions") as stage:
        red = [code["dimension"] for code in loop.codes if code["colour"] == "red"]

        def delivered() -> list[StoredAction] | None:
            with database.connection() as connection:
                pushed = actions(connection, shops=[loop.shop.id], day=loop.today)
            here = {one.action.dimension for one in pushed if one.delivered_at is not None}
            return pushed if here.issuperset(red) else None

        pushed = wait_until(
            delivered, what=f"the actions for {', '.join(red) or 'nothing red'} on the node",
            limit_s=40, needs=[loop.node.child, loop.hub.child],
        )  # fmt: skip
        on_node = {one["action"]["id"] for one in loop.phone.get("/api/actions")}
        told = [
            {
                "id": one.action.id, "kind": one.action.kind, "dimension": one.action.dimension,
                "title": one.action.title.en, "state": one.state, "checklist": one.action.checklist,
                "due_at": one.action.due_at.isoformat(), "on_node": one.action.id in on_node,
            }
            for one in pushed
        ]  # fmt: skip
        words = [f"{one['kind']} ({one['state']})" for one in told]
        said = "pushed to the node: " + ", ".join(words) if told else "nothing is red: none pushed"
        stage.say(said, actions=told)


def _show_evidence(loop: Loop) -> None:
    """Wait until the hub shows the annotated photo to whoever has signed in, and to nobody else."""
    assert loop.hub is not None
    assert loop.node is not None
    assert loop.head_office is not None
    head_office, stranger = loop.head_office, loop.hub.stranger
    path = f"/api/shops/{loop.shop.id}/photos/{loop.answer['photo']}/annotated.jpg"
    with loop.stages.stage("evidence") as stage:
        wait_until(
            lambda: head_office.has(path), what="the annotated photo at the hub", limit_s=60,
            needs=[loop.node.child, loop.hub.child],
        )  # fmt: skip
        loop.pictured = not stranger.has(path)
        size = len(head_office.fetch(path))
        stage.say(
            f"the annotated photo is at the hub ({size / 1000:.0f} kB), shown to whoever has "
            "signed in" + ("" if loop.pictured else " AND TO STRANGERS"),
            url=loop.hub.url + path, bytes=size, shown_to_strangers=not loop.pictured,
        )  # fmt: skip


def _hub(loop: Loop, *words: str, what: str) -> Any:
    """Run a hub command over the demo's database and read its JSON."""
    argv = [*PROGRAM, "hub", *words, "--database", str(loop.database), "--json"]
    return json.loads(run_to_end(argv, what=what, limit_s=_LOAD_S_MAX))

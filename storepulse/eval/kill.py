"""Kill broker, node and hub with -9 in the middle of their work, and count what arrived.

The campaign of docs/proof.md. All processes are real ones; what is killed is killed by SIGKILL.
Nothing is repaired by hand: the same commands are started again over the same folders.

1. The broker, when a quarter of the facts is at the hub. The second half is said after that.
2. The node, when three quarters are said and it has no line. Broker and node come back.
3. The hub, in the catch-up, when it has a third of what it lacked. The last quarter is said after
   that. The hub comes back.
4. The node, before it could keep an action that was on its way, and once more when it had kept
   another one and the hub had not heard of it.
"""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final, Literal, LiteralString
from uuid import uuid4

from edge.clock import now_of
from edge.disk import Disk
from edge.outbox import Outbox
from hub.actions.store import NewAction, insert_actions
from hub.brokers.broker import installed_kind
from hub.nodes.authority_files import keep_authority
from hub.store.database import Database, open_database
from storepulse.actions import Action
from storepulse.checklists import Sentence
from storepulse.demo.children import Children, wait_until
from storepulse.demo.services import (
    Broker,
    Server,
    enrol_node,
    start_broker,
    start_hub,
    start_node,
    wait_for_empty_outbox,
    wait_for_link,
)
from storepulse.errors import BadInput
from storepulse.facts import Fact
from storepulse.topics import Address
from storepulse.units import GIB

BrokerKind = Literal["embedded", "mosquitto"]

_ADDRESS: Final = Address("kill", "shop-1", "node-1")
_SLICE: Final = 20
"""Facts said at once: a thousand of them take some seconds, so that there is a middle."""
_SLICE_EVERY_S: Final = 0.04
_BATCH_MAX: Final = "10"
"""Messages in one packet: small, so that a catch-up has a middle too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KillReport:
    """What the campaign counted. `ok` says whether everything arrived once."""

    broker: str
    tls: bool
    """Broker and hub asked for certificates, and the node had come by a code."""
    facts_said: int
    at_hub_when_broker_was_killed: int
    at_hub_when_node_was_killed: int
    said_when_node_was_killed: int
    at_hub_when_hub_was_killed: int
    said_when_hub_was_killed: int
    facts_at_hub: int
    facts_at_hub_twice: int
    facts_missing: int
    quarantined: int
    alarms: int
    actions_pushed: int
    receipts_when_node_was_killed: int
    """Of the actions pushed, how many the hub knew to be delivered at that moment."""
    actions_at_node: int
    actions_at_node_twice: int
    actions_delivered: int
    """By the hub's own record, each by exactly one move."""
    seconds: float

    @property
    def did(self) -> tuple[str, ...]:
        """What was killed, and when, by what was counted at these moments."""
        total = self.facts_said
        return (
            f"broker killed with {self.at_hub_when_broker_was_killed} of {total} facts at the hub",
            f"node killed without a broker, {self.said_when_node_was_killed} facts said and "
            f"{self.at_hub_when_node_was_killed} of them at the hub",
            f"hub killed after both were back, with {self.at_hub_when_hub_was_killed} of "
            f"{self.said_when_hub_was_killed} facts said at the hub",
            "node killed before it could keep an action on its way to it, and again when it had "
            f"kept another one; of the two the hub had {self.receipts_when_node_was_killed} "
            "receipts then",
        )

    @property
    def in_the_middle(self) -> bool:
        """Whether each kill fell into the middle of its work: else nothing was shown."""
        return (
            0 < self.at_hub_when_broker_was_killed < self.facts_said
            and self.at_hub_when_node_was_killed < self.said_when_node_was_killed
            and self.at_hub_when_broker_was_killed
            <= self.at_hub_when_hub_was_killed
            < self.facts_said
            and self.receipts_when_node_was_killed < self.actions_pushed
        )

    @property
    def ok(self) -> bool:
        return (
            self.in_the_middle
            and self.facts_at_hub == self.facts_said
            and self.facts_at_hub_twice == self.facts_missing == 0
            and self.quarantined == self.alarms == 0
            and self.actions_at_node == self.actions_delivered == self.actions_pushed
            and self.actions_at_node_twice == 0
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok, "in_the_middle": self.in_the_middle, "did": self.did, **asdict(self)
        }  # fmt: skip

    def in_words(self) -> str:
        """What was done and what came of it, for a person."""
        how = f"{self.broker}, mutual TLS" if self.tls else self.broker
        done = "".join(f"{how}: {one}\n" for one in self.did)
        return (
            f"{done}{how}: {self.facts_at_hub} of {self.facts_said} facts at the hub, "
            f"{self.facts_at_hub_twice} twice, {self.facts_missing} missing; "
            f"{self.actions_at_node} of {self.actions_pushed} actions at the node, "
            f"{self.actions_at_node_twice} twice; {'ok' if self.ok else 'NOT OK'} "
            f"in {self.seconds:.0f} s"
        )


def brokers_asked(broker: str | None) -> list[BrokerKind]:
    """The kinds to run on: the one named, or all that are installed.

    Raises:
        BadInput: no such kind, or it is not installed.
    """
    installed: set[BrokerKind] = {"embedded"}
    if installed_kind() == "mosquitto":
        installed.add("mosquitto")
    if broker is None:
        return sorted(installed)
    for kind in sorted(installed):
        if kind == broker:
            return [kind]
    if broker == "mosquitto":
        raise BadInput("mosquitto is not installed: apt-get install mosquitto")
    raise BadInput(f"--broker must be embedded or mosquitto, got {broker!r}")


def campaign_in_new_folder(
    broker: BrokerKind, *, facts: int, tell: Callable[[str], None], tls: bool = False
) -> KillReport:
    """Run the campaign in a folder of its own that is gone afterwards.

    Raises:
        StageFailed: something did not come back.
    """
    with tempfile.TemporaryDirectory(prefix="storepulse-kill-") as folder:
        # The database's lower user must be able to pass through.
        Path(folder).chmod(0o711)
        return kill_campaign(Path(folder), broker=broker, facts=facts, tell=tell, tls=tls)


def kill_campaign(
    folder: Path,
    *,
    broker: BrokerKind,
    facts: int = 1000,
    tell: Callable[[str], None],
    tls: bool = False,
) -> KillReport:
    """Run the campaign in an empty folder.

    Args:
        facts: how many the node says; at least 200, so that there is a middle.
        tell: called with a line for each step.
        tls: the node is enrolled by a code, and all speak mutual TLS.
    Raises:
        StageFailed: something did not come back.
    """
    if facts < 200:
        raise ValueError(f"at least 200 facts are needed for a middle, got {facts}")
    folder.mkdir(parents=True, exist_ok=True)
    with Children(folder / "logs") as children:
        return _Campaign(folder, children, broker, facts, tell, tls).run()


class _Campaign:
    def __init__(
        self,
        folder: Path,
        children: Children,
        kind: BrokerKind,
        facts: int,
        tell: Callable[[str], None],
        tls: bool,
    ) -> None:
        self._folder = folder
        # Beside the database, where the hub looks for it.
        self._authority = folder / "authority" if tls else None
        self._children = children
        self._kind = kind
        self._facts = [_fact(number) for number in range(1, facts + 1)]
        self._tell = tell
        self._began = time.monotonic()
        self._said = 0
        self._broker_killed, self._hub_killed = Event(), Event()
        """What is said waits for them, so that each falls into the middle on any machine."""

    def run(self) -> KillReport:
        if self._authority is not None:
            keep_authority(self._authority, now=datetime.now(UTC))
        broker = self._start_broker()
        hub = self._start_hub(broker)
        if self._authority is not None:
            enrol_node(hub, _ADDRESS, database=self._folder / "hub", data=self._folder / "node")
            self._tell("node enrolled by a code")
        node = self._start_node(broker)
        wait_for_link(node)
        with open_database(str(self._folder / "hub")) as database:
            return self._run_over(database, broker, hub, node)

    def _run_over(
        self, database: Database, broker: Broker, hub: Server, node: Server
    ) -> KillReport:
        total = len(self._facts)
        stop = Event()
        teller = Thread(target=self._say_all, args=(stop,), daemon=True)
        teller.start()
        try:
            first = self._wait_for_facts(database, total // 4, node)
            os.kill(broker.pid, signal.SIGKILL)
            self._broker_killed.set()
            self._tell(f"broker killed with {first} of {total} facts at the hub")
            broker.child.process.wait()

            wait_until(
                lambda: self._said >= total * 3 // 4, what="facts said offline", limit_s=120,
                needs=[node.child],
            )  # fmt: skip
            said = self._said
            node.child.kill()
            offline = _count(database)
            self._tell(f"node killed with {said} of {total} facts said")

            broker = self._start_broker(port=broker.port)
            node = self._start_node(broker)
            self._tell("broker and node are back")
            middle = self._wait_for_facts(database, first + (said - first) // 3, node)
            hub.child.kill()
            middle = max(middle, _count(database))
            said_then = self._said
            self._hub_killed.set()
            self._tell(f"hub killed with {middle} of {total} facts stored")
            teller.join(60)
        finally:
            stop.set()
            teller.join(10)
        hub = self._start_hub(broker)
        self._tell("hub is back")
        wait_for_empty_outbox(node, at_least=total, limit_s=180)

        pushed, receipts, node = self._push_and_kill(database, broker, hub, node)
        wait_until(
            lambda: len(_delivered(database)) == len(pushed), what="the receipts of the actions",
            limit_s=120, needs=[node.child, hub.child],
        )  # fmt: skip
        held = [one["action"]["id"] for one in node.owner.get("/api/actions")]
        ids = _fact_ids(database)
        return KillReport(
            broker=self._kind,
            tls=broker.secure,
            facts_said=total,
            at_hub_when_broker_was_killed=first,
            at_hub_when_node_was_killed=offline,
            said_when_node_was_killed=said,
            at_hub_when_hub_was_killed=middle,
            said_when_hub_was_killed=said_then,
            facts_at_hub=len(ids),
            facts_at_hub_twice=len(ids) - len(set(ids)),
            facts_missing=len({fact.id for fact in self._facts} - set(ids)),
            quarantined=_number(database, "select count(*) as n from quarantine"),
            alarms=_number(database, "select count(*) as n from alarms"),
            actions_pushed=len(pushed),
            receipts_when_node_was_killed=receipts,
            actions_at_node=len(set(held) & set(pushed)),
            actions_at_node_twice=len(held) - len(set(held)),
            actions_delivered=len(_delivered(database)),
            seconds=round(time.monotonic() - self._began, 1),
        )

    def _push_and_kill(
        self, database: Database, broker: Broker, hub: Server, node: Server
    ) -> tuple[list[str], int, Server]:
        """Kill the node between an action and its receipt: before it keeps one, and after.

        The node, then the hub, is stopped (SIGSTOP) for the moment in which the other acts, so that
        the kill falls where it should and not where chance has it.
        """
        lost, kept = _action("lost-on-the-way"), _action("kept-without-receipt")
        os.kill(node.child.process.pid, signal.SIGSTOP)
        _push(database, lost)
        self._wait_until_sent(database, lost, hub)
        receipts = len(_delivered(database))
        node.child.kill()
        self._tell("node killed before it could keep an action that was sent to it")
        node = self._start_node(broker)
        wait_until(
            lambda: lost.id in _delivered(database), what="the action that was sent again",
            limit_s=120, needs=[node.child, hub.child],
        )  # fmt: skip

        _push(database, kept)
        self._wait_until_sent(database, kept, hub)
        os.kill(hub.child.process.pid, signal.SIGSTOP)
        try:
            wait_until(
                lambda: any(
                    one["action"]["id"] == kept.id for one in node.owner.get("/api/actions")
                ),
                what="the action on the node", limit_s=60, needs=[node.child],
            )  # fmt: skip
            receipts += int(kept.id in _delivered(database))
            node.child.kill()
        finally:
            os.kill(hub.child.process.pid, signal.SIGCONT)
        self._tell("node killed after it kept an action, before the hub heard of it")
        return [lost.id, kept.id], receipts, self._start_node(broker)

    def _wait_until_sent(self, database: Database, action: Action, hub: Server) -> None:
        def sent() -> bool:
            with database.connection() as connection:
                row = connection.execute(
                    "select last_sent_at is not null as sent from actions where id = %s",
                    [action.id],
                ).fetchone()
            return row is not None and bool(row["sent"])

        wait_until(sent, what=f"action {action.id} on its way", limit_s=120, needs=[hub.child])

    def _wait_for_facts(self, database: Database, wanted: int, node: Server) -> int:
        def enough() -> int | None:
            count = _count(database)
            return count if count >= wanted else None

        return wait_until(
            enough, what=f"{wanted} facts at the hub", limit_s=120, needs=[node.child],
            look_every_s=0.005,
        )  # fmt: skip

    def _say_all(self, stop: Event) -> None:
        """Append facts to the node's outbox, as its radio child does, while the node lives or not.

        Another process holds the same file: SQLite keeps the two apart, and a killed node takes
        nothing with it that was said. Half of them it says once the broker was killed, the last
        quarter once the hub was.
        """
        total = len(self._facts)
        gates = {total // 2: self._broker_killed, 3 * total // 4: self._hub_killed}
        disk = Disk(self._folder / "node")
        try:
            outbox = Outbox(disk, node=_ADDRESS.node, bytes_max=GIB)
            now = now_of("yes")
            for first in range(0, total, _SLICE):
                for number, killed in gates.items():
                    while first >= number and not killed.wait(_SLICE_EVERY_S):
                        if stop.is_set():
                            return
                if stop.is_set():
                    return
                outbox.append_once(self._facts[first : first + _SLICE], now())
                self._said = min(first + _SLICE, len(self._facts))
                stop.wait(_SLICE_EVERY_S)
        finally:
            disk.close()

    def _start_broker(self, *, port: int = 0) -> Broker:
        return start_broker(
            self._children, self._folder / "broker", kind=self._kind, port=port,
            authority=self._authority,
        )  # fmt: skip

    def _start_hub(self, broker: Broker) -> Server:
        return start_hub(
            self._children, chain=_ADDRESS.chain, broker=broker, database=self._folder / "hub",
            STOREPULSE_HUB_RESEND_S="2",
        )  # fmt: skip

    def _start_node(self, broker: Broker) -> Server:
        return start_node(
            self._children, _ADDRESS, data=self._folder / "node", broker=broker,
            STOREPULSE_EDGE_BATCH_MAX=_BATCH_MAX, STOREPULSE_EDGE_RECONNECT_S_MAX="1",
            STOREPULSE_EDGE_PATIENCE_S="2", STOREPULSE_EDGE_POLL_S="0.1",
        )  # fmt: skip


def _fact(number: int) -> Fact:
    """A counted figure of one minute; nothing in it depends on chance."""
    start = datetime(2026, 11, 2, 8, tzinfo=UTC) + timedelta(minutes=number)
    return Fact(
        id=f"kill-{number:05d}", shop=_ADDRESS.shop, metric="screen_touches", start=start,
        end=start + timedelta(minutes=1), value=float(number), method="eval.kill/1",
        source=_ADDRESS.path,
    )  # fmt: skip


def _action(name: str) -> Action:
    now = datetime.now(UTC)
    words = Sentence("An action of the kill campaign.", "杀进程试验中的一项任务。")
    return Action(
        id=f"{name}-{uuid4()}", shop=_ADDRESS.shop, kind="talk_track", dimension="people",
        day=now.date().isoformat(), title=words, text=words, reason="eval kill",
        created_at=now, due_at=now + timedelta(days=1),
    )  # fmt: skip


def _push(database: Database, action: Action) -> None:
    with database.connection() as connection:
        new = NewAction(action=action, node_path=_ADDRESS.path, subject=action.id)
        insert_actions(connection, [new])


def _count(database: Database) -> int:
    return _number(database, "select count(*) as n from facts where id like 'kill-%%'")


def _fact_ids(database: Database) -> list[str]:
    with database.connection() as connection:
        rows = connection.execute("select id from facts where method = 'eval.kill/1'").fetchall()
    return [row["id"] for row in rows]


def _delivered(database: Database) -> list[str]:
    """Ids of the actions that moved to delivered; an action twice for two moves."""
    with database.connection() as connection:
        rows = connection.execute(
            "select action from action_moves where event = 'receipt_stored'"
        ).fetchall()
    return [row["action"] for row in rows]


def _number(database: Database, question: LiteralString) -> int:
    with database.connection() as connection:
        row = connection.execute(question).fetchone()
    assert row is not None, "a count gives one row"
    return int(row["n"])

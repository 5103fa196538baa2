"""Start broker, hub and node as real child processes, each by its own command. Judges nothing."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from storepulse.demo.children import Child, Children, StageFailed, run_to_end, wait_until
from storepulse.demo.requests import Visitor
from storepulse.free_ports import free_port
from storepulse.topics import Address

PROGRAM: Final = (sys.executable, "-m", "storepulse")
_START_S_MAX: Final = 120.0


@dataclass(slots=True)
class Broker:
    """The running broker."""

    child: Child
    kind: str
    port: int
    pid: int
    """Of the broker itself; the child is the command that watches over it."""
    secure: bool = False
    """It speaks TLS, and only to those whom the hub's authority has signed."""

    @property
    def url(self) -> str:
        return f"mqtt{'s' if self.secure else ''}://127.0.0.1:{self.port}"


@dataclass(slots=True)
class Server:
    """A running hub or node, and where it answers."""

    child: Child
    url: str
    door: str = ""
    """Where nodes enrol at a hub that has an authority."""
    ca: Path | None = None
    """The certificate of the hub's authority, where the pages are served over HTTPS."""
    key_file: Path | None = None
    """The key of a node's owner."""
    first: str = ""
    """The one-time link of a hub at which nobody can sign in yet."""

    @property
    def owner(self) -> Visitor:
        """The owner of a node: may do all."""
        return Visitor(self.url, ca=self.ca, key_file=self.key_file)

    @property
    def stranger(self) -> Visitor:
        """Somebody new: a browser that was never here."""
        return Visitor(self.url, ca=self.ca)


def start_broker(
    children: Children,
    folder: Path,
    *,
    kind: str | None = None,
    port: int = 0,
    authority: Path | None = None,
) -> Broker:
    """Start mosquitto where it is installed, else the embedded broker (or the `kind` asked for).

    With the folder of an authority it speaks TLS, and asks for certificates.

    Raises:
        StageFailed: it did not start.
    """
    argv = [*PROGRAM, "hub", "broker", "run", "--folder", str(folder), "--json"]
    argv += ["--port", str(port or free_port())]
    argv += ["--kind", kind] if kind else []
    argv += ["--authority", str(authority)] if authority else []
    child = children.start("broker", argv)
    words = _first_words(child, "the broker")
    return Broker(child, words["kind"], words["port"], words["pid"], secure=words["secure"])


def start_hub(
    children: Children,
    *,
    chain: str,
    broker: Broker,
    database: Path,
    port: int = 0,
    door_port: int = 0,
    **settings: str,
) -> Server:
    """Start the hub: database, ingest, couriers, scheduler and API in one process.

    With an authority beside the database it speaks TLS. 0 stands for any free port.

    Raises:
        StageFailed: it did not come up.
    """
    argv = [*PROGRAM, "hub", "run", "--chain", chain, "--broker", broker.url]
    argv += ["--database", str(database), "--host", "127.0.0.1", "--port", str(port)]
    argv += ["--tls-port", str(door_port)]
    child = children.start("hub", argv, **settings)
    words = _first_words(child, "the hub")
    return hub_server(child, words, database)


def hub_server(child: Child, words: Mapping[str, Any], database: Path) -> Server:
    """A hub by what it said when it was ready."""
    secure = words["listening"].startswith("https:")
    return Server(
        child, words["listening"], words.get("door", ""), first=words.get("first", ""),
        ca=database.parent / "authority" / "ca.pem" if secure else None,
    )  # fmt: skip


def enrol_node(hub: Server, address: Address, *, database: Path, data: Path) -> None:
    """Bring a node in as an installer does: a code from the hub, typed in at the node.

    Raises:
        StageFailed: hub or node refused.
    """
    invite = [*PROGRAM, "hub", "node", "invite", "--chain", address.chain, "--shop", address.shop]
    invite += ["--node", address.node, "--database", str(database)]
    code = run_to_end(invite, what="the code for the node", limit_s=_START_S_MAX).strip()
    enrol = [*PROGRAM, "edge", "enrol", code, "--hub", hub.door, "--data", str(data)]
    run_to_end(enrol, what="the node's enrolment", limit_s=_START_S_MAX)


def start_node(
    children: Children,
    address: Address,
    *,
    data: Path,
    broker: Broker,
    planogram: Path | None = None,
    captures: Sequence[Path] = (),
    port: int = 0,
    **settings: str,
) -> Server:
    """Start the node of one shop.

    Raises:
        StageFailed: it did not come up.
    """
    argv = [*PROGRAM, "edge", "run", "--data", str(data), "--chain", address.chain]
    argv += ["--shop", address.shop, "--node", address.node, "--broker", broker.url]
    argv += ["--host", "127.0.0.1", "--port", str(port)]
    # Hub and node run on one machine here: their clocks are one, whatever NTP says of it.
    argv += ["--clock", "yes"]
    argv += ["--planogram", str(planogram)] if planogram else []
    for capture in captures:
        argv += ["--capture", str(capture)]
    child = children.start("node", argv, **settings)
    return node_server(child, _first_words(child, "the node"), data)


def node_server(child: Child, words: Mapping[str, Any], data: Path) -> Server:
    """A node by what it said when it was ready."""
    secure = words["listening"].startswith("https:")
    return Server(
        child, words["listening"], key_file=data / "owner.key",
        ca=data / "identity" / "ca.pem" if secure else None,
    )  # fmt: skip


def wait_for_link(node: Server) -> None:
    """Wait until the node is connected to the broker. Raises StageFailed."""

    def connected() -> bool:
        return bool(node.owner.get("/healthz")["link"]["connected"])

    wait_until(connected, what="the node's link to the broker", limit_s=60, needs=[node.child])


def wait_for_eyes(node: Server) -> None:
    """Wait until the node's judging child has loaded its model. Raises StageFailed."""

    def ready() -> bool:
        workers = node.owner.get("/healthz")["workers"]
        return any(one["name"] == "judge" and one["phase"] == "ready" for one in workers)

    wait_until(ready, what="the node's judging child", limit_s=120, needs=[node.child])


def wait_for_empty_outbox(node: Server, *, at_least: int = 1, limit_s: float = 60) -> int:
    """Wait until the hub has acknowledged all that the node said; returns how many messages.

    Args:
        at_least: so many must have been said before an empty outbox counts.
    """

    def empty() -> int | None:
        outbox = node.owner.get("/healthz")["outbox"]
        done = outbox["waiting"] == 0 and outbox["last_number"] >= at_least
        return int(outbox["last_number"]) if done else None

    return wait_until(
        empty, what="the hub's acknowledgement of all that the node said", limit_s=limit_s,
        needs=[node.child],
    )  # fmt: skip


def _first_words(child: Child, what: str) -> dict[str, Any]:
    words = wait_until(child.first_words, what=what, limit_s=_START_S_MAX, needs=[child])
    if not isinstance(words, dict):
        raise StageFailed(f"{what} did not say where it listens but {words!r}")
    return words

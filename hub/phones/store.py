"""Phones, their codes, and what nodes are told of both, in the database. Sends nothing.

What a session asks goes through functions of the database that look for its right themselves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hub.ingest.sorting import Alarm
from hub.plans.store import plans_due, timezone_of
from hub.rounds.store import rests_due, rounds_due
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.events import PhoneEnded, PhonePaired
from storepulse.node_config import NodeConfig
from storepulse.phones import CODE_LIFETIME, PAIRED_FOR, OpenCode, code_sha256
from storepulse.topics import Address

OPEN_CODES_MAX: Final = 20
"""Of one shop at once: as many chances has a guess, and as long is a node's configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopPhone:
    """A phone of a shop; one that was ended is shown for 30 days."""

    phone: str
    node: str
    """The node that it is paired with."""
    name: str
    paired_at: datetime | None
    """None: the node said only that it ended."""
    ended_at: datetime | None
    waits: bool
    """Ended here, but the node has not said yet that it knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingNode:
    """A node by which a phone can pair."""

    node: str
    address: str
    """Of its page for phones; "" while it serves none."""
    online: bool
    told: bool
    """Whether it has said that it knows the shop's codes."""


@dataclass(frozen=True, slots=True)
class ConfigDue:
    """What a node is to be told."""

    to: Address
    config: NodeConfig


class TooManyCodes(Exception):
    """So many codes are open at one shop that no other is made."""


def phone_paired(
    connection: Connection, address: Address, said: PhonePaired, *, received_at: datetime
) -> Alarm | None:
    """Store that a phone paired with a node, or got another token.

    A code that let a phone in before, at another node, ends this one: it is good once.

    Returns:
        What a person should look at.
    """
    told = {
        "shop": address.shop, "node_path": address.path, "phone": said.phone, "name": said.name,
        "token_sha256": said.token_sha256, "code_sha256": said.code_sha256, "at": said.at,
        "received_at": received_at,
    }  # fmt: skip
    connection.execute(question("hold_pairing_code"), told)
    if connection.execute(question("phone_paired"), told).fetchone() is None:
        return Alarm("phone id is taken", said.phone)
    connection.execute(question("pairing_code_used"), told)
    if connection.execute(question("end_second_use"), told).fetchone() is None:
        return None
    return Alarm(
        "pairing code was used twice",
        f"phone {said.phone} ({said.name}) paired by a code that had let another one in: ended",
    )


def phone_ended(connection: Connection, address: Address, said: PhoneEnded) -> Alarm | None:
    """Store that a phone is paired no more, also before it was heard that it paired."""
    told = {
        "shop": address.shop, "node_path": address.path, "phone": said.phone, "at": said.at,
    }  # fmt: skip
    row = connection.execute(question("phone_ended"), told).fetchone()
    return Alarm("phone id is taken", said.phone) if row is None else None


def configs_to_send(
    connection: Connection,
    *,
    now: datetime,
    sent_before: datetime,
    node_path: str | None = None,
    limit: int = 500,
) -> list[ConfigDue]:
    """What nodes that are there do not keep yet and were not sent since `sent_before`.

    With `node_path`: what this one does not keep, whenever it was sent.
    """
    asked = {"node_path": node_path, "sent_before": sent_before, "limit": limit}
    # The revision is read before what it stands for: it may promise too little, never too much.
    due = connection.execute(question("configs_to_send"), asked).fetchall()
    return [
        ConfigDue(
            Address(row["chain"], row["shop"], row["node"]),
            _config(connection, row["shop"], row["node_path"], row["config_revision"], now),
        )
        for row in due
    ]


def _config(
    connection: Connection, shop: str, node_path: str, revision: int, now: datetime
) -> NodeConfig:
    codes = connection.execute(question("config_codes"), {"shop": shop, "now": now})
    ended = connection.execute(
        question("config_ended"), {"node_path": node_path, "paired_since": now - PAIRED_FOR}
    )
    return NodeConfig(
        revision=revision,
        codes=tuple(OpenCode(sha256=row["sha256"], ends_at=row["ends_at"]) for row in codes),
        ended=tuple(row["phone"] for row in ended),
        timezone=timezone_of(connection, shop),
        plans=plans_due(connection, shop, now=now),
        ticket_pages=ticket_pages_of(connection),
        rounds=rounds_due(connection, shop, now=now),
        rests=rests_due(connection, shop, now=now),
    )


def ticket_pages_of(connection: Connection) -> str:
    """Where tickets' QRs lead; "" before a hub has run."""
    row = connection.execute(question("ticket_pages")).fetchone()
    return "" if row is None else str(row["address"])


def keep_ticket_pages(connection: Connection, address: str) -> None:
    """Say where tickets' QRs lead; when that is new, every node is told."""
    connection.execute(question("set_ticket_pages"), {"address": address})


def note_config_sent(connection: Connection, sent: ConfigDue, *, at: datetime) -> None:
    """Remember what was sent, so that the timer does not send it at once."""
    told = {"node_path": sent.to.path, "revision": sent.config.revision, "at": at}
    connection.execute(question("config_sent"), told)


def keep_code(
    connection: Connection, shop: str, code: str, *, lifetime: timedelta = CODE_LIFETIME
) -> datetime | None:
    """Let a code open the shop's nodes, as a session; returns when it ends.

    None: there is no such shop, or the session may not pair phones there.

    Raises:
        TooManyCodes: 20 are open there.
    """
    row = connection.execute(
        question("new_pairing_code"),
        {
            "shop": shop, "code_sha256": code_sha256(code), "lifetime": lifetime,
            "open_max": OPEN_CODES_MAX,
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    if row["became"] == "too_many":
        raise TooManyCodes
    ends_at: datetime | None = row["ends_at"]
    return ends_at


def end_phone(connection: Connection, shop: str, phone: str) -> datetime | None:
    """End a phone, as a session; returns when it ended, None where the session has none such."""
    row = connection.execute(question("end_phone"), {"shop": shop, "phone": phone}).fetchone()
    assert row is not None
    ended_at: datetime | None = row["ended_at"]
    return ended_at


def phones_of(connection: Connection, shop: str) -> list[ShopPhone]:
    """The phones of a shop that a session may pair, those that may speak first."""
    return [ShopPhone(**row) for row in connection.execute(question("phones"), {"shop": shop})]


def pairing_nodes(connection: Connection, shop: str) -> list[PairingNode]:
    """The nodes of a shop that a session may pair phones with."""
    rows = connection.execute(question("pairing_nodes"), {"shop": shop})
    return [PairingNode(**row) for row in rows]

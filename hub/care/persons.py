"""One customer's data: everything that is kept, or its end; and new keys for what is sealed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.care.consent import read_contact
from hub.care.keyring import Keyring
from hub.care.store import note, record_of
from hub.store.database import Connection
from hub.store.queries import question


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many rows were sealed anew."""

    contacts: int
    channels: int


def export_person(connection: Connection, said: str, keyring: Keyring) -> dict[str, Any]:
    """Everything that is kept of the person of this contact. Of a withdrawn consent nothing is.

    Raises:
        BadContact, KeysMissing.
    """
    rows = _rows(connection, said, keyring)
    ids = [row["id"] for row in rows]
    messages = connection.execute(question("messages_of_consents"), {"consents": ids}).fetchall()
    consents = [
        {name: value for name, value in row.items() if name != "sealed"}
        | {"contact": keyring.open(row["sealed"])}
        for row in rows
    ]
    record = record_of(connection, ids) if ids else []
    return {"consents": consents, "messages": messages, "record": record}


def erase_person(connection: Connection, said: str, keyring: Keyring, *, at: datetime) -> int:
    """Delete the person of this contact; returns how many consents that were.

    Messages that were sent stay as a coupon of a ticket, of nobody; so does the record.

    Raises:
        BadContact: it is no contact.
    """
    ids: Sequence[UUID] = [row["id"] for row in _rows(connection, said, keyring)]
    erased = connection.execute(question("erase_consents"), {"consents": list(ids)}).fetchall()
    for row in erased:
        note(connection, "erased", at=at, consent=row["id"])
    return len(erased)


def reseal(connection: Connection, keyring: Keyring, *, at: datetime) -> Resealed:
    """Seal everything by the newest key; all or nothing. Raises KeysMissing."""
    contacts = connection.execute(question("sealed_consents")).fetchall()
    for row in contacts:
        contact = keyring.open(row["sealed"])
        connection.execute(
            question("seal_consent"),
            {
                "id": row["id"], "sealed": keyring.seal(contact),
                "out_sealed": keyring.seal(keyring.open(row["out_sealed"])),
                "lookup": keyring.lookup(contact),
            },
        )  # fmt: skip
    channels = connection.execute(question("sealed_choices")).fetchall()
    for row in channels:
        asked = {"person": row["person"], "sealed": keyring.seal(keyring.open(row["sealed"]))}
        connection.execute(question("seal_choice"), asked)
    for row in connection.execute(question("sealed_pushes")).fetchall():
        asked = {"id": row["id"], "sealed": keyring.seal(keyring.open(row["sealed"]))}
        connection.execute(question("seal_push"), asked)
    detail = f"{len(contacts)} contacts, {len(channels)} channels"
    note(connection, "keys turned", at=at, detail=detail)
    return Resealed(len(contacts), len(channels))


def _rows(connection: Connection, said: str, keyring: Keyring) -> list[dict[str, Any]]:
    contact = read_contact(said).address
    # A hub that still held the key before may have sealed it since the keys were turned.
    lookups = [Keyring((key,)).lookup(contact) for key in keyring.keys]
    return connection.execute(question("consents_of_person"), {"lookups": lookups}).fetchall()

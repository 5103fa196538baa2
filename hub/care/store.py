"""Links of tickets, consents, messages and the record, in a schema of their own. Sends nothing.

Every function here needs the owner's connection: the role of the API has no right in the schema.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from hub.care.consent import LINK_DAYS, TEXT_VERSION, Contact, message_is_due
from hub.care.keyring import Keyring
from hub.people.tokens import new_token, token_sha256
from hub.store.database import Connection
from hub.store.queries import question


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketSeen:
    """What the link of a ticket leads to."""

    shop: str
    shop_name: str
    ticket: str
    begun_at: datetime
    agreed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An experience whose customer agreed, with the deals that name its ticket."""

    consent: UUID
    shop: str
    shop_name: str
    timezone: str
    ticket: str
    begun_at: datetime
    deals: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DueMessage:
    """A message whose time has come; the contact stays sealed until it is sent."""

    shop: str
    shop_name: str
    timezone: str
    ticket: str
    coupon: str
    tries: int
    consent: UUID | None
    sealed: bytes | None
    """None: withdrawn."""
    out_sealed: bytes | None
    language: Literal["en", "zh"] | None
    begun_at: datetime
    deals: tuple[datetime, ...]


def ticket_of(connection: Connection, token: str, *, now: datetime) -> TicketSeen | None:
    """What a link leads to; None: it leads nowhere, not any more, or the tap was undone."""
    asked = {"sha256": token_sha256(token), "since": now - timedelta(days=LINK_DAYS)}
    row = connection.execute(question("ticket_of_link"), asked).fetchone()
    return None if row is None else TicketSeen(**row)


def give_consent(
    connection: Connection, seen: TicketSeen, contact: Contact, *, language: str, keyring: Keyring,
    at: datetime,
) -> None:  # fmt: skip
    """Keep a consent and its contact, sealed; one given before for the ticket is withdrawn."""
    withdraw_of_ticket(connection, seen, at=at)
    out = new_token()
    row = connection.execute(
        question("new_consent"),
        {
            "shop": seen.shop, "ticket": seen.ticket, "sealed": keyring.seal(contact.address),
            "lookup": keyring.lookup(contact.address), "language": language, "at": at,
            "text_version": TEXT_VERSION, "out_sha256": token_sha256(out),
            "out_sealed": keyring.seal(out),
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    detail = f"{contact.kind}, text {TEXT_VERSION}, {language}"
    note(connection, "agreed", at=at, consent=row["id"], shop=seen.shop, detail=detail)


def withdraw_of_ticket(connection: Connection, seen: TicketSeen, *, at: datetime) -> bool:
    """Withdraw a ticket's consent and delete its contact; False when there is none."""
    asked = {"shop": seen.shop, "ticket": seen.ticket, "out_sha256": None, "at": at}
    return _withdraw(connection, asked, "withdrawn on the page", at=at)


def withdraw_by_way_out(connection: Connection, token: str, *, at: datetime) -> bool:
    """Withdraw by the secret of a message's way out; True also a second time. False: unknown."""
    asked = {"shop": None, "ticket": None, "out_sha256": token_sha256(token), "at": at}
    if _withdraw(connection, asked, "withdrawn by the way out", at=at):
        return True
    row = connection.execute(question("known_way_out"), asked).fetchone()
    return row is not None


def _withdraw(connection: Connection, asked: dict[str, Any], what: str, *, at: datetime) -> bool:
    row = connection.execute(question("withdraw_consent"), asked).fetchone()
    if row is None:
        return False
    note(connection, what, at=at, consent=row["id"], shop=row["shop"])
    return True


def due_candidates(connection: Connection, *, now: datetime) -> list[Candidate]:
    """The experiences of 72 h without a deal whose customer agreed and that have no message."""
    rows = connection.execute(question("care_candidates"), {"now": now})
    found = [Candidate(**row | {"deals": tuple(row["deals"])}) for row in rows]
    return [one for one in found if message_is_due(one.begun_at, one.deals, now=now)]


def insert_message(
    connection: Connection, to: Candidate, coupon: str, *, at: datetime, not_before: datetime
) -> bool:
    """Put a message on the way; False when the experience has one."""
    row = connection.execute(
        question("new_care_message"),
        {
            "shop": to.shop, "ticket": to.ticket, "consent": to.consent, "coupon": coupon,
            "at": at, "next_try_at": not_before,
        },
    ).fetchone()  # fmt: skip
    if row is None:
        return False
    note(connection, "message made", at=at, consent=to.consent, shop=to.shop)
    return True


def take_due_messages(
    connection: Connection, *, now: datetime, until: datetime
) -> list[DueMessage]:
    """Take some messages whose time has come; other senders leave them alone until `until`."""
    rows = connection.execute(question("take_due_care"), {"now": now, "until": until})
    return [DueMessage(**row | {"deals": tuple(row["deals"])}) for row in rows]


def note_message(
    connection: Connection, one: DueMessage, *, at: datetime, sent: bool,
    next_try_at: datetime | None, error: str,
) -> None:  # fmt: skip
    """What came of a try: sent, to be tried again, or (neither) given up."""
    over = not sent and next_try_at is None
    connection.execute(
        question("note_care_message"),
        {
            "shop": one.shop, "ticket": one.ticket, "sent_at": at if sent else None,
            "gave_up_at": at if over else None, "next_try_at": next_try_at, "error": error,
            "tries": one.tries + 1,
        },
    )  # fmt: skip
    what = "message sent" if sent else "message given up" if over else "message not taken"
    note(connection, what, at=at, consent=one.consent, shop=one.shop, detail=error)


def note(
    connection: Connection, what: str, *, at: datetime, consent: UUID | None = None,
    shop: str = "", detail: str = "",
) -> None:  # fmt: skip
    """Add a line to the record. It holds no contact."""
    connection.execute(
        question("new_care_record"),
        {"at": at, "consent": consent, "shop": shop, "what": what, "detail": detail},
    )


def record_of(connection: Connection, consents: Sequence[UUID] | None) -> list[dict[str, Any]]:
    """The record of these consents, or all of it, oldest first."""
    asked = {"consents": None if consents is None else list(consents)}
    return connection.execute(question("care_record"), asked).fetchall()

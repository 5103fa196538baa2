"""Notices and what people chose, in the database. Sends nothing, and decides nothing."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from hub.care.keyring import Keyring
from hub.notices.choice import NoticeChoice, NoticeKind, service_of
from hub.people.roles import Role
from hub.store.database import Connection
from hub.store.queries import question


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A person who chose to be told something. The channels stay sealed until it is sent."""

    person: UUID
    role: Role
    sealed: bytes
    choice: NoticeChoice
    """Without its channels."""
    shops: tuple[str, ...] | None
    """That the person sees; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueNotice:
    """A notice whose time has come."""

    id: int
    person: UUID
    kind: NoticeKind
    key: str
    """What it is about; for an escalation or a push its last word is the action's id."""
    title: str
    body: str
    tries: int


def save_choice(connection: Connection, choice: NoticeChoice, keyring: Keyring) -> bool:
    """Keep the choice of whoever the connection is of; without channels it is taken back."""
    asked = {
        "sealed": keyring.seal(json.dumps(choice.channels)),
        "services": [service_of(one) for one in choice.channels],
        "kinds": list(choice.kinds), "quiet_from": choice.quiet_from,
        "quiet_until": choice.quiet_until, "digest_at": choice.digest_at,
        "timezone": choice.timezone, "language": choice.language,
    }  # fmt: skip
    row = connection.execute(question("choose_notices"), asked).fetchone()
    return row is not None and bool(row["done"])


def chosen(connection: Connection, kind: NoticeKind) -> list[Chosen]:
    """Everybody who may sign in and chose to be told this, with the shops that they see."""
    return [
        Chosen(
            person=row["person"], role=row["role"], sealed=row["sealed"],
            shops=None if row["role"] == "head_office" else tuple(row["shops"]),
            choice=NoticeChoice(
                channels=(), kinds=tuple(row["kinds"]), quiet_from=row["quiet_from"],
                quiet_until=row["quiet_until"], digest_at=row["digest_at"],
                timezone=row["timezone"], language=row["language"],
            ),
        )
        for row in connection.execute(question("notices_chosen"), {"kind": kind})
    ]  # fmt: skip


def insert_notice(
    connection: Connection, to: Chosen, kind: NoticeKind, key: str, *, title: str, body: str,
    made_at: datetime, not_before: datetime,
) -> bool:  # fmt: skip
    """Put a notice on the way; False when this person was told of it before."""
    row = connection.execute(
        question("new_notice"),
        {
            "person": to.person, "kind": kind, "key": key, "title": title, "body": body,
            "made_at": made_at, "next_try_at": not_before,
        },
    ).fetchone()  # fmt: skip
    return row is not None


_TEST: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("A test of storepulse", "Notices arrive here. Nothing is to be done."),
    "zh": ("storepulse 测试消息", "通知可以送达这里，无需处理。"),
}


def insert_test(connection: Connection, person: UUID, now: datetime, language: str) -> None:
    """Put a test message on the way at once; a second one within the same minute is the same."""
    title, body = _TEST[language]
    asked = {
        "person": person, "kind": "test", "key": f"test {now:%Y-%m-%dT%H:%M}", "title": title,
        "body": body, "made_at": now, "next_try_at": now,
    }  # fmt: skip
    connection.execute(question("new_notice"), asked)


def take_due(connection: Connection, *, now: datetime, until: datetime) -> list[DueNotice]:
    """Take some notices whose time has come; others who send leave them alone until `until`."""
    rows = connection.execute(question("take_due_notices"), {"now": now, "until": until})
    return [DueNotice(**row) for row in rows]


def channels_of(
    connection: Connection, person: UUID, keyring: Keyring
) -> tuple[tuple[str, ...], NoticeChoice | None]:
    """A person's channels and the choice; nothing where it was taken back. Raises KeysMissing."""
    row = connection.execute(question("notice_choice"), {"person": person}).fetchone()
    if row is None:
        return (), None
    channels = tuple(json.loads(keyring.open(row.pop("sealed"))))
    return channels, NoticeChoice(channels=channels, **row | {"kinds": tuple(row["kinds"])})


def note_notice(
    connection: Connection, notice: int, *, sent_at: datetime | None = None,
    next_try_at: datetime | None = None, now: datetime, error: str = "", tries: int,
) -> None:  # fmt: skip
    """What came of a try: sent, to be tried again, or (neither) given up."""
    given_up = now if sent_at is None and next_try_at is None else None
    connection.execute(
        question("note_notice"),
        {
            "id": notice, "sent_at": sent_at, "next_try_at": next_try_at, "error": error,
            "tries": tries, "gave_up_at": given_up,
        },
    )  # fmt: skip


def mine(connection: Connection, name: str) -> Sequence[dict[str, Any]]:
    """The rows of a question about whoever the connection is of."""
    return connection.execute(question(name)).fetchall()

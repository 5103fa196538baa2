"""Notices in people's browsers: who subscribed, and one sealed message for each. Chooses nobody.

What is shown is the notice's title: what happened, and at which shop. The text of a notice can tell
who did what, so it stays at the hub, behind the sign-in.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID

from hub.actions.store import shops_of_actions
from hub.care.keyring import Keyring
from hub.notices.store import DueNotice
from hub.store.database import Connection, Database
from hub.store.queries import question
from storepulse.errors import BadInput
from storepulse.web_push import (
    HOSTS,
    Deliver,
    PushKey,
    Subscription,
    Urgency,
    deliver,
    sealed_message,
)

BROWSERS_MAX: Final = 10
"""Of one person."""
_TITLE_CHARACTERS_MAX: Final = 200
_LOUD: Final = frozenset({"escalation"})
"""Kinds that a phone which saves its battery shows at once."""


class TooManyBrowsers(BadInput):
    """Of one person."""


@dataclass(frozen=True, slots=True)
class WebPush:
    """How this hub sends messages to browsers."""

    key: PushKey
    contact: str
    """mailto: or https: address of whoever runs the hub, for push services."""
    hosts: tuple[str, ...] = HOSTS
    deliver: Deliver = field(default=deliver, repr=False)

    def __post_init__(self) -> None:
        self.key.check_contact(self.contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBrowser:
    """A browser of the person who asks."""

    id: UUID
    sha256: str
    """Of its address, in hexadecimal: by this a page finds its own browser among them."""
    service: str
    made_at: datetime


def endpoint_sha256(endpoint: str) -> bytes:
    """By which a subscription is found without being opened."""
    return hashlib.sha256(endpoint.encode()).digest()


def keep_browser(
    connection: Connection, one: Subscription, keyring: Keyring, *, hosts: Sequence[str]
) -> None:
    """Keep a browser of whoever the connection is of; one that is known is kept anew.

    Raises:
        BadSubscription: it names no push service that we ask.
        TooManyBrowsers: the person has enough.
    """
    one.check_host(hosts)
    asked = {
        "sha256": endpoint_sha256(one.endpoint), "sealed": keyring.seal(json.dumps(asdict(one))),
        "service": one.host, "most": BROWSERS_MAX,
    }  # fmt: skip
    row = connection.execute(question("keep_push"), asked).fetchone()
    if row is not None and row["became"] == "too_many":
        raise TooManyBrowsers(
            f"notices are shown in {BROWSERS_MAX} browsers at most: switch one of them off first"
        )


def drop_browser(connection: Connection, endpoint: str) -> bool:
    """Forget a browser of whoever the connection is of; False: there was none."""
    asked = {"sha256": endpoint_sha256(endpoint)}
    row = connection.execute(question("drop_push"), asked).fetchone()
    return row is not None and bool(row["done"])


def my_browsers(connection: Connection) -> list[KeptBrowser]:
    """The browsers of whoever the connection is of, the oldest first."""
    rows = connection.execute(question("my_pushes"))
    return [
        KeptBrowser(
            id=row["id"], sha256=bytes(row["endpoint_sha256"]).hex(), service=row["service"],
            made_at=row["made_at"],
        )
        for row in rows
    ]  # fmt: skip


def show_in_browsers(
    database: Database, notice: DueNotice, keyring: Keyring, push: WebPush, *, now: datetime
) -> bool:
    """Show a notice in its person's browsers; whether at least one service took it.

    A browser that its service does not know any more (404, 410) is forgotten.

    Raises:
        KeysMissing: the key file does not open what is kept.
    """
    with database.connection() as connection:
        asked = {"person": notice.person}
        rows = connection.execute(question("pushes_of_person"), asked).fetchall()
        path = _path(connection, notice)
    tag = f"notice-{notice.id}"
    told = {
        "kind": notice.kind, "title": notice.title[:_TITLE_CHARACTERS_MAX], "tag": tag,
        "path": path,
    }  # fmt: skip
    payload = json.dumps(told, ensure_ascii=False).encode()
    urgency: Urgency = "high" if notice.kind in _LOUD else "normal"
    taken, gone = False, []
    for row in rows:
        to = Subscription(**json.loads(keyring.open(row["sealed"])))
        message = sealed_message(
            to, payload, push.key, contact=push.contact, now=now, urgency=urgency, topic=tag
        )
        match push.deliver(message):
            case "taken":
                taken = True
            case "gone":
                gone.append(row["id"])
            case _:
                continue
    with database.connection() as connection:
        for one in gone:
            connection.execute(question("push_gone"), {"id": one})
    return taken


def _path(connection: Connection, notice: DueNotice) -> str:
    """Where a tap on it leads: to the shop that it is about, else to the board."""
    action = notice.key.rpartition(" ")[2]
    shop = shops_of_actions(connection, [action]).get(action)
    return "/#/" if shop is None else f"/#/shop/{quote(shop, safe='')}"

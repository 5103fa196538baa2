"""Send each customer who agreed the one message of an experience without a deal. Asks nobody else.

Whether somebody still agrees, and whether a deal has come, is looked at again in the moment before
it is sent. By day only, by the shop's own clock.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final

from hub.care.consent import ContactKind, message_is_due, new_coupon, read_contact
from hub.care.keyring import Keyring, Keys, KeysMissing
from hub.care.store import (
    DueMessage,
    due_candidates,
    insert_message,
    note_message,
    take_due_messages,
)
from hub.errors import DatabaseUnavailable
from hub.notices.choice import NoticeChoice, contact_address, next_try, not_quiet
from hub.notices.sending import Send, send_by_apprise, taken
from hub.playbooks.store import playbooks_in_force
from hub.store.database import Database
from storepulse.checklists import Sentence

PLAYBOOK: Final = "care_message"
OUT_PATH: Final = "/ticket#out/"
_NIGHT: Final = (time(20), time(9))
"""Nobody is written to between the two."""
_LEFT_ALONE: Final = timedelta(minutes=5)
_TICK_S: Final = 60.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CareSettings:
    """How messages go."""

    services: Mapping[ContactKind, str] = field(default_factory=dict, repr=False)
    """An apprise address with {contact} in it for each kind of contact that can be written to."""
    pages: str = ""
    """https://... before the path of a page."""

    @property
    def possible(self) -> tuple[ContactKind, ...]:
        """The kinds of contact that are asked for."""
        return tuple(sorted(self.services))


@dataclass(slots=True)
class Cared:
    """What one round did."""

    made: int = 0
    sent: int = 0
    failed: int = 0
    not_wanted: int = 0
    """Withdrawn, or bought, since the message was made."""


def care_round(
    database: Database, keyring: Keyring, care: CareSettings, *, now: datetime,
    send: Send = send_by_apprise,
) -> Cared:  # fmt: skip
    """Make the messages that are due and send those whose time has come.

    Raises:
        DatabaseUnavailable: what was not committed is done by the next round.
    """
    done = Cared()
    if not care.services:
        return done
    with database.connection() as connection:
        for one in due_candidates(connection, now=now):
            by_day = _by_day(now, one.timezone)
            done.made += insert_message(connection, one, new_coupon(), at=now, not_before=by_day)
        due = take_due_messages(connection, now=now, until=now + _LEFT_ALONE)
    for message in due:
        _send_one(database, keyring, care, message, now=now, send=send, done=done)
    return done


def _send_one(
    database: Database, keyring: Keyring, care: CareSettings, one: DueMessage, *, now: datetime,
    send: Send, done: Cared,
) -> None:  # fmt: skip
    error, sent, again = "", False, None
    if one.sealed is None or one.out_sealed is None or one.language is None:
        error = "the consent was withdrawn"
    elif not message_is_due(one.begun_at, one.deals, now=now):
        error = "a deal came, or it is too late"
    else:
        try:
            sent = _sent(database, keyring, care, one, send)
            error = "" if sent else "not taken by the service"
        except KeysMissing:
            error = "the key file does not open the contact"
        again = None if sent else next_try(one.tries + 1, now)
    if not sent and again is None and not error.startswith("not taken"):
        done.not_wanted += 1
    else:
        done.sent += sent
        done.failed += not sent
    with database.connection() as connection:
        note_message(
            connection, one, at=now, sent=sent, error=error,
            next_try_at=None if again is None else _by_day(again, one.timezone),
        )  # fmt: skip


def _sent(
    database: Database, keyring: Keyring, care: CareSettings, one: DueMessage, send: Send
) -> bool:
    assert one.sealed is not None
    assert one.out_sealed is not None
    contact = read_contact(keyring.open(one.sealed))
    service = care.services.get(contact.kind)
    if service is None:
        return False
    with database.connection() as connection:
        book = playbooks_in_force(connection)[PLAYBOOK]
    shop, way_out = one.shop_name or one.shop, care.pages + OUT_PATH + keyring.open(one.out_sealed)
    values = {
        name: Sentence(en=said, zh=said)
        for name, said in (
            ("shop", shop), ("ticket", one.ticket), ("coupon", one.coupon), ("way_out", way_out),
        )
    }  # fmt: skip
    title, text = book.filled(values)
    title_said, said = (title.zh, text.zh) if one.language == "zh" else (title.en, text.en)
    return taken(
        partial(send, contact_address(service, contact.address), title_said, said), contact.kind
    )


def _by_day(moment: datetime, timezone: str) -> datetime:
    night = NoticeChoice(
        channels=(), kinds=(), quiet_from=_NIGHT[0], quiet_until=_NIGHT[1], timezone=timezone
    )
    return not_quiet(moment, night)


async def keep_caring(
    database: Database, keys: Keys, care: CareSettings, *, now: Callable[[], datetime]
) -> None:
    """A round every minute, until cancelled."""
    while True:
        try:
            await asyncio.to_thread(care_round, database, keys(), care, now=now())
        except (DatabaseUnavailable, KeysMissing) as error:
            log.warning("messages to customers wait: %s", error)
        except Exception:
            log.exception("messages to customers could not be sent; trying again")
        await asyncio.sleep(_TICK_S)

"""Send notices through apprise and to browsers, again with growing pauses when a channel fails.

Writes none, but the digests. apprise speaks the services; each call has its own time limit. What
failed is said in words without the channel's address, which holds a password.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import apprise

from hub.care.keyring import Keyring, Keys, KeysMissing
from hub.errors import DatabaseUnavailable
from hub.notices.choice import BROWSERS, address_of, next_try, not_quiet, service_of
from hub.notices.push import WebPush, show_in_browsers
from hub.notices.store import DueNotice, channels_of, note_notice, take_due
from hub.notices.telling import tell_digests
from hub.store.database import Database

_LEFT_ALONE: Final = timedelta(minutes=5)
"""Longer than all channels of one person can take: then another sender may try."""
_TICK_S: Final = 5.0
_LIMITS: Final = {"cto": 5, "rto": 10}
"""Seconds to connect and to answer."""

Send = Callable[[str, str, str], bool]
"""Address, title and body; False when it was not taken."""

# Its own words on what failed can hold an address; ours do not.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sent:
    """What one round did."""

    digests: int = 0
    sent: int = 0
    failed: int = 0


def send_by_apprise(address: str, title: str, body: str) -> bool:
    """Send one message; False when the address is none or the service did not take it."""
    channel = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if channel is None:
        return False
    channel.socket_connect_timeout, channel.socket_read_timeout = _LIMITS["cto"], _LIMITS["rto"]
    return bool(channel.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))


def send_due_notices(
    database: Database, keyring: Keyring, *, mail: str, now: datetime, push: WebPush | None = None,
    send: Send = send_by_apprise,
) -> Sent:  # fmt: skip
    """Write the digests that are due, and send what is due. A channel that fails holds up no other.

    A notice with several channels counts as sent when one has taken it: nobody is told twice
    because another one is down.
    """
    done = Sent()
    with database.connection() as connection:
        done.digests = tell_digests(connection, now=now)
        due = take_due(connection, now=now, until=now + _LEFT_ALONE)
    for notice in due:

        def taken_by(channel: str, notice: DueNotice = notice) -> bool:
            if channel == BROWSERS:
                return push is not None and show_in_browsers(
                    database, notice, keyring, push, now=now
                )
            return send(address_of(channel, mail), notice.title, notice.body)

        _send_one(database, keyring, notice, now=now, taken_by=taken_by, done=done)
    return done


def taken(send: Callable[[], bool], service: str) -> bool:
    """Whether a service took it; whatever its library throws, it did not.

    One broken channel must not keep back what others wait for. What the library says may hold the
    channel's address, and is not repeated.
    """
    try:
        return send()
    except (DatabaseUnavailable, KeysMissing):
        raise
    except Exception as error:
        log.warning("the library that speaks %s failed: %s", service, type(error).__name__)
        return False


def _send_one(
    database: Database, keyring: Keyring, notice: DueNotice, *, now: datetime,
    taken_by: Callable[[str], bool], done: Sent,
) -> None:  # fmt: skip
    try:
        with database.connection() as connection:
            channels, choice = channels_of(connection, notice.person, keyring)
        failed = [
            service_of(one)
            for one in channels
            if not taken(partial(taken_by, one), service_of(one))
        ]
        error = f"not taken by {', '.join(failed)}" if failed else ""
        is_told = len(failed) < len(channels)
        if not channels:
            error = "nothing is chosen any more"
    except KeysMissing as missing:
        choice, is_told, error = None, False, str(missing)
    tries = notice.tries + 1
    again = None if is_told or choice is None else next_try(tries, now)
    with database.connection() as connection:
        note_notice(
            connection, notice.id, sent_at=now if is_told else None, now=now, error=error,
            next_try_at=None if again is None or choice is None else not_quiet(again, choice),
            tries=tries,
        )  # fmt: skip
    if is_told:
        done.sent += 1
    else:
        done.failed += 1
        log.warning("notice %d, try %d: %s", notice.id, tries, error)


async def keep_sending(
    database: Database, keys: Keys, *, mail: str, now: Callable[[], datetime],
    push: WebPush | None = None,
) -> None:  # fmt: skip
    """Send what is due, every few seconds, until cancelled."""
    while True:
        try:
            await asyncio.to_thread(
                send_due_notices, database, keys(), mail=mail, now=now(), push=push
            )
        except (DatabaseUnavailable, KeysMissing) as error:
            log.warning("notices wait: %s", error)
        except Exception:
            # Whatever a service's library throws: the others are told all the same.
            log.exception("notices could not be sent; trying again")
        await asyncio.sleep(_TICK_S)

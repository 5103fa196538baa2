"""Tell phones of new actions while their page is closed, where this node has a way out.

What the hub pushed lies on the node's disk anyway: without a way out, or without a phone that asked
for it, nothing is lost. A phone is told of each action once, not at night, and not all day long.
"""

import asyncio
import json
import logging
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from edge.backoff import Backoff
from edge.clock import Moment, Now
from edge.disk import Disk
from edge.errors import BadSettings
from edge.pairing import Phones
from storepulse.actions import ACTION_JSON, Action
from storepulse.checklists import Sentence
from storepulse.phones import PAIRED_FOR
from storepulse.web_push import Deliver, PushKey, Subscription, deliver, sealed_message

log = logging.getLogger(__name__)

Language = Literal["en", "zh"]
TOLD_A_DAY_MAX: Final = 8
"""More messages in 24 hours one phone does not get: what is new then stands on its page."""
_NEWS_FOR: Final = timedelta(hours=24)
"""What lay here longer is no news."""
_TTL_S: Final = 4 * 3600
_TAG: Final = "actions"
"""A later message takes the place of an earlier one that nobody has looked at."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """From when until when nothing is sent, by the shop's clock; past midnight is possible."""

    begins: time
    ends: time

    def holds(self, at: time) -> bool:
        """Whether it is quiet at a time of day."""
        if self.begins <= self.ends:
            return self.begins <= at < self.ends
        return at >= self.begins or at < self.ends


def read_quiet(said: str) -> Quiet:
    """Read "21:00-08:00". Raises BadSettings."""
    begins, _, ends = said.partition("-")
    try:
        return Quiet(time.fromisoformat(begins.strip()), time.fromisoformat(ends.strip()))
    except ValueError as error:
        raise BadSettings(f"push_quiet must be of the form 21:00-08:00, got {said!r}") from error


@dataclass(frozen=True, slots=True)
class Due:
    """A message that a phone should get now: the actions that it has not been told of."""

    phone: str
    to: Subscription
    language: Language
    actions: tuple[Action, ...]


def payload_of(due: Due) -> bytes:
    """What the phone shows: the task's title, or how many there are. Nothing of any person."""
    count = len(due.actions)
    words = Sentence(en=f"{count} new tasks", zh=f"{count} 项新任务")
    said = due.actions[0].title if count == 1 else words
    title = said.zh if due.language == "zh" else said.en
    told = {"kind": "pushed", "title": title[:200], "tag": _TAG, "path": "/"}
    return json.dumps(told, ensure_ascii=False).encode()


class Pushes:
    """The phones of one node that let themselves be told, and what they were told."""

    def __init__(
        self, disk: Disk, phones: Phones, key: PushKey, now: Now, *, contact: str,
        hosts: Sequence[str], quiet: Quiet, backoff: Backoff, poll_s: float,
        deliver: Deliver = deliver,
    ) -> None:  # fmt: skip
        """Raises BadInput for a contact that push services would not take.

        Args:
            contact: whom push services reach.
            hosts: the push services that are asked.
        """
        key.check_contact(contact)
        self.key = key
        self._disk = disk
        self._phones = phones
        self._now = now
        self._contact = contact
        self._hosts = tuple(hosts)
        self._quiet = quiet
        self._backoff = backoff
        self._poll_s = poll_s
        self._deliver = deliver

    def keep(self, phone: str, one: Subscription, language: Language, moment: Moment) -> None:
        """Tell this phone from now on; said again it is reached at the new address.

        Raises:
            BadSubscription: it names no push service that we ask.
        """
        one.check_host(self._hosts)
        with self._disk.transaction() as db:
            # One browser, one phone: who paired anew is not told twice.
            db.execute("delete from pushes where endpoint = ?", (one.endpoint,))
            db.execute(
                "insert or replace into pushes (phone, endpoint, p256dh, auth, language, since)"
                " values (?, ?, ?, ?, ?, ?)",
                (phone, one.endpoint, one.p256dh, one.auth, language, moment.at.isoformat()),
            )

    def drop(self, phone: str) -> None:
        """Tell this phone nothing any more; what it was told is forgotten."""
        with self._disk.transaction() as db:
            _forget(db, phone)

    def tells(self, phone: str) -> bool:
        """Whether this phone is told."""
        with self._disk.reading() as db:
            return (
                db.execute("select 1 from pushes where phone = ?", (phone,)).fetchone() is not None
            )

    def due(self, at: datetime) -> list[Due]:
        """The messages that phones should get at a moment."""
        with self._disk.reading() as db:
            if db.execute("select 1 from pushes limit 1").fetchone() is None:
                return []
        config = self._phones.config()
        zone = ZoneInfo("UTC" if config is None else config.timezone)
        if self._quiet.holds(at.astimezone(zone).time()):
            return []
        with self._disk.reading() as db:
            told = {(row[0], row[1]) for row in db.execute("select phone, action from push_told")}
            fresh = db.execute(
                "select action, received_at from actions where state = 'delivered'"
                " and received_at > ? order by received_at, id",
                ((at - _NEWS_FOR).isoformat(),),
            ).fetchall()
            subscribed = db.execute(
                "select p.phone, p.endpoint, p.p256dh, p.auth, p.language, p.since,"
                " (select count(distinct t.at) from push_told as t"
                "  where t.phone = p.phone and t.at > ?)"
                " from pushes as p join phones on phones.phone = p.phone"
                " where phones.ended_at is null and phones.paired_at > ? order by p.since",
                ((at - timedelta(hours=24)).isoformat(), (at - PAIRED_FOR).isoformat()),
            ).fetchall()
        actions = [
            (ACTION_JSON.validate_json(body), datetime.fromisoformat(received))
            for body, received in fresh
        ]
        found = []
        for phone, endpoint, p256dh, auth, language, since, messages in subscribed:
            new = tuple(
                action
                for action, received in actions
                if action.role == "clerk"
                and received >= datetime.fromisoformat(since)
                and (phone, action.id) not in told
            )
            if new and messages < TOLD_A_DAY_MAX:
                found.append(Due(phone, Subscription(endpoint, p256dh, auth), language, new))
        return found

    def send_due(self) -> bool:
        """Send what is due; False when a service could not be reached, and it is worth a pause."""
        moment, well = self._now(), True
        for due in self.due(moment.at):
            message = sealed_message(
                due.to, payload_of(due), self.key, contact=self._contact, now=moment.at,
                ttl_s=_TTL_S, topic=_TAG,
            )  # fmt: skip
            outcome = self._deliver(message)
            match outcome:
                case "later":
                    well = False
                    continue
                case "gone":
                    self.drop(due.phone)
                    continue
                case "refused":
                    log.warning("the push service at %s refuses our messages", due.to.host)
            with self._disk.transaction() as db:
                db.executemany(
                    "insert or ignore into push_told (phone, action, at) values (?, ?, ?)",
                    [(due.phone, one.id, moment.at.isoformat()) for one in due.actions],
                )
        self._forget_old(moment.at)
        return well

    async def run(self) -> None:
        """Send what is due, until cancelled."""
        failures = 0
        while True:
            failures = 0 if await asyncio.to_thread(self.send_due) else failures + 1
            pause_s = self._backoff.wait_s(failures, random.random())  # noqa: S311
            await asyncio.sleep(max(self._poll_s, pause_s if failures else 0.0))

    def _forget_old(self, at: datetime) -> None:
        before = (at - 2 * _NEWS_FOR).isoformat()
        with self._disk.reading() as db:
            old = db.execute("select 1 from push_told where at < ? limit 1", (before,)).fetchone()
        if old is not None:
            with self._disk.transaction() as db:
                db.execute("delete from push_told where at < ?", (before,))


def _forget(db: sqlite3.Connection, phone: str) -> None:
    db.execute("delete from pushes where phone = ?", (phone,))
    db.execute("delete from push_told where phone = ?", (phone,))

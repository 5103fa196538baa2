"""Send the pictures of judged photos up to the hub, each until it is acknowledged; tidy old ones.

Makes no picture. What is still to be sent follows from two tables, photos and pictures: a photo
that was judged and has no row for a picture owes it. So nothing need be noted when a photo is
judged, and nothing is forgotten by a node that is killed; killed between the hub's answer and our
row, it sends the picture again, which changes nothing at the hub.
"""

import asyncio
import hashlib
import http.client
import json
import logging
import random
import shutil
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from edge.backoff import Backoff
from edge.clock import Moment, Now
from edge.disk import Disk
from edge.enrolment import ask, read_hub, trusting
from edge.errors import EnrolmentRefused, HubAway
from edge.forgetting import ANSWERS_KEPT_MIN, forget_answers, forget_lists
from edge.identity import Identity, read_identity
from edge.photos import OK, ORIGINAL
from storepulse.errors import StorepulseError
from storepulse.pictures import PICTURE_BYTES_MAX, PICTURE_NAMES

log = logging.getLogger(__name__)

_WINDOW: Final = 500
"""Photos looked at at once, from the oldest that owes something."""
_TIDY_EVERY: Final = timedelta(days=1)
_REFUSED: Final = (409, 413, 422)
"""The hub will never take this picture."""


@dataclass(frozen=True, slots=True)
class Owed:
    """A picture that the hub does not have yet."""

    photo: str
    name: str
    received_at: datetime
    """Of its photo."""


class PictureRefused(Exception):
    """The hub will never take this picture; its words."""


Send = Callable[[Identity, Owed, bytes], None]


def send_picture(identity: Identity, owed: Owed, content: bytes) -> None:
    """Bring one picture to the hub's door; on return the hub has it on its disk.

    Raises:
        PictureRefused: the hub will never take it.
        EnrolmentRefused: the hub does not take this node (any more).
        HubAway: it does not answer, or cannot take it now.
    """
    context = _trusting(identity)
    path = f"/blobs/{owed.photo}/{owed.name}"
    door = read_hub(identity.hub)
    status, answer = ask(door, "PUT", path, content, context, kind="image/jpeg")
    if status in (http.client.OK, http.client.CREATED):
        return
    words = words_of(answer)
    if status in _REFUSED:
        raise PictureRefused(words)
    if status == http.client.FORBIDDEN:
        raise EnrolmentRefused(f"the hub refuses: {words}")
    raise HubAway(f"the hub takes no picture now ({status}): {words}")


def _trusting(identity: Identity) -> ssl.SSLContext:
    return trusting(cafile=identity.ca, certificate=identity.pem)


def words_of(answer: bytes) -> str:
    """What the hub's refusal says."""
    try:
        said: Any = json.loads(answer)["error"]["message"]
        return str(said)
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def standing_of(disk: Disk) -> tuple[int, int]:
    """How many pictures wait for the hub, and how many it will never get."""
    with disk.reading() as db:
        (made,) = db.execute("select count(*) from photos where status = ?", (OK,)).fetchone()
        settled, refused = db.execute(
            "select count(*), count(*) filter (where refused <> '') from pictures"
        ).fetchone()
    return len(PICTURE_NAMES) * int(made) - int(settled), int(refused)


class Pictures:
    """The pictures of one node, on their way to the hub."""

    def __init__(
        self,
        data: Path,
        disk: Disk,
        now: Now,
        *,
        days: int,
        backoff: Backoff,
        poll_s: float,
        send: Send = send_picture,
    ) -> None:
        """`days`: so long a picture that the hub has stays here."""
        self.trouble = ""
        """Why pictures wait; empty when none does, or they are on their way."""
        self._data = data
        self._folder = data / "photos"
        self._disk = disk
        self._now = now
        self._days = days
        self._backoff = backoff
        self._poll_s = poll_s
        self._send = send
        self._settled = 0
        """All photos up to this row owe nothing any more."""
        self._tidied_at: datetime | None = None

    async def run(self) -> None:
        """Send and tidy until cancelled; a node that was never enrolled has nowhere to send to."""
        failures = 0
        while True:
            try:
                await asyncio.to_thread(self.tidy_if_due)
                await self.send_owed()
                failures = 0
                wait_s = self._poll_s
            except StorepulseError as error:
                failures += 1
                self._note(str(error))
                wait_s = self._backoff.wait_s(failures, random.random())  # noqa: S311
            await asyncio.sleep(wait_s)

    async def send_owed(self) -> int:
        """Send what is owed and ready, oldest first; returns how many pictures the hub took.

        Raises:
            EnrolmentRefused, HubAway: the rest waits.
        """
        identity = await asyncio.to_thread(read_identity, self._data)
        if identity is None:
            return 0
        sent = 0
        for owed in await asyncio.to_thread(self.owed):
            sent += await asyncio.to_thread(self._send_one, identity, owed)
            self.trouble = ""
        return sent

    def owed(self) -> list[Owed]:
        """The pictures that are ready and not at the hub, oldest photo first."""
        with self._disk.reading() as db:
            photos = db.execute(
                "select rowid, uuid, status, received_at from photos where rowid > ? "
                "order by rowid limit ?",
                (self._settled, _WINDOW),
            ).fetchall()
            known = set(
                db.execute(
                    "select p.photo, p.name from pictures p join photos on uuid = p.photo "
                    "where photos.rowid > ?",
                    (self._settled,),
                )
            )
        found: list[Owed] = []
        all_settled = True
        for row, uuid, status, received_at in photos:
            missing = [name for name in PICTURE_NAMES if status == OK and (uuid, name) not in known]
            all_settled = all_settled and status is not None and not missing
            if all_settled:
                self._settled = row
            # While the original is there, its pictures are not made, or not both.
            if missing and not (self._folder / uuid / ORIGINAL).exists():
                at = datetime.fromisoformat(received_at)
                found += [Owed(uuid, name, at) for name in missing]
        return found

    def _send_one(self, identity: Identity, owed: Owed) -> int:
        try:
            content = (self._folder / owed.photo / owed.name).read_bytes()
        except FileNotFoundError:
            # A photo on which people could not be blurred: none was ever kept.
            self._settle(owed, None, "no such picture was kept on this node")
            return 0
        except OSError as error:
            raise HubAway(f"{owed.photo}/{owed.name} cannot be read: {error.strerror}") from error
        if len(content) > PICTURE_BYTES_MAX:
            # Not even begun: the hub would hang up in the middle, which looks like being away.
            log.error("%s of photo %s is too large to be sent", owed.name, owed.photo)
            self._settle(owed, None, f"it has more than {PICTURE_BYTES_MAX} bytes")
            return 0
        try:
            self._send(identity, owed, content)
        except PictureRefused as error:
            log.error("the hub refuses %s of photo %s: %s", owed.name, owed.photo, error)
            self._settle(owed, None, str(error))
            return 0
        self._settle(owed, hashlib.sha256(content).hexdigest(), "")
        return 1

    def _settle(self, owed: Owed, sha256: str | None, refused: str) -> None:
        with self._disk.transaction() as db:
            db.execute(
                "insert into pictures (photo, name, sha256, at, refused) values (?, ?, ?, ?, ?) "
                "on conflict do nothing",
                (owed.photo, owed.name, sha256, self._now().at.isoformat(), refused),
            )

    def tidy_if_due(self) -> int:
        """Once a day, remove the pictures that the hub has and that are old; returns how many.

        What lies in the file of old photos, lists and taps is forgotten then, too.
        """
        moment = self._now()
        now = moment.at
        last = self._tidied_at
        if last is not None and last <= now < last + _TIDY_EVERY:
            return 0
        self._tidied_at = now
        removed = self.tidy(before=now - timedelta(days=self._days))
        self._forget_if_sure(moment)
        return removed

    def tidy(self, *, before: datetime) -> int:
        """Remove the pictures of photos from before a moment that owe nothing; returns how many."""
        with self._disk.reading() as db:
            rows = db.execute(
                "select photo, received_at from pictures join photos on uuid = photo "
                "group by photo having count(*) = ?",
                (len(PICTURE_NAMES),),
            ).fetchall()
        removed = 0
        for photo, received_at in rows:
            folder = self._folder / photo
            if datetime.fromisoformat(received_at) < before and folder.exists():
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed

    def _forget_if_sure(self, now: Moment) -> None:
        # By a clock that nobody set, today may be far from now, and what was told today old.
        if now.clock.synchronised:
            forget_lists(self._disk, now=now.at)
            forget_answers(
                self._disk, self._folder,
                before=now.at - max(timedelta(days=self._days), ANSWERS_KEPT_MIN),
            )  # fmt: skip

    def _note(self, trouble: str) -> None:
        """Say it once, not with every try."""
        if trouble != self.trouble:
            log.warning("pictures wait: %s", trouble)
        self.trouble = trouble

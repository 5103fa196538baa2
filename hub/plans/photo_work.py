"""Make drafts of photos that wait: a child looks at each, and the photo goes. Runs no model itself.

The child is `storepulse planogram from-photo`, the same that a person can run: it blurs people
before anything is kept, and its one line on stderr says what a photo lacks. It lives for one photo,
so that a hub which makes a planogram twice a year does not hold a network in memory all that time.
"""

import asyncio
import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from hub.errors import DatabaseUnavailable
from hub.plans.store import NEW, PlanChanged, save_draft
from hub.store.database import Database
from hub.store.queries import question
from planograms.files import read_planogram
from planograms.model import Planogram
from storepulse.checklists import Sentence
from storepulse.errors import BadInput

log = logging.getLogger(__name__)

LOOK_S_MAX: Final = 120.0
"""A child that takes longer is ended; on two slow cores a photo takes about five seconds."""
_DIED_AFTER: Final = timedelta(minutes=4)
"""A worker that has said nothing for so long was killed: twice the longest look."""
_TRIES_MAX: Final = 2
_POLL_S: Final = 1.0
_REASON_MAX: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPhoto:
    """A photo of which a draft is to be made."""

    id: UUID
    planogram: str
    name: str
    bay: str
    photo: bytes
    tries: int


Look = Callable[[WaitingPhoto], Planogram]


class PhotoRefused(BadInput):
    """A photo of which no planogram can be made, and why, in the languages of our users."""

    def __init__(self, words: Sentence) -> None:
        super().__init__(words.en)
        self.words = words


def _words(stdout: str, *, otherwise: str) -> Sentence:
    """What the child said of a photo in both languages; an older child said it in one."""
    try:
        told = json.loads(stdout)["refused"]
        return Sentence(en=str(told["en"]), zh=str(told["zh"]))
    except (ValueError, KeyError, TypeError):
        return Sentence(en=otherwise, zh=otherwise)


def look_by_child(waiting: WaitingPhoto) -> Planogram:
    """Have a child make a planogram of a photo.

    Raises:
        PhotoRefused: the photo shows no shelf, or is none; in the child's words.
        TimeoutError: the child did not come to an end.
        RuntimeError: the child failed.
    """
    with tempfile.TemporaryDirectory(prefix="storepulse-plan-") as folder:
        photo, plan = Path(folder) / "photo", Path(folder) / "plan.json"
        photo.write_bytes(waiting.photo)
        command = [
            sys.executable, "-m", "storepulse", "planogram", "from-photo", str(photo),
            "-o", str(plan), "--id", waiting.planogram, "--bay", waiting.bay,
            "--name", waiting.name or waiting.planogram, "--json",
        ]  # fmt: skip
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LOOK_S_MAX, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise TimeoutError("the photo took too long to look at") from error
        said = " ".join(done.stderr.replace(str(photo), "the photo").split())
        if done.returncode == 2:
            raise PhotoRefused(_words(done.stdout, otherwise=said.removeprefix("storepulse: ")))
        if done.returncode != 0:
            raise RuntimeError(said[-_REASON_MAX:] or f"the child ended with {done.returncode}")
        return read_planogram(plan)


async def work_off(database: Database, *, now: Callable[[], datetime]) -> None:
    """Make drafts of what waits, one at a time, until cancelled."""
    while True:
        try:
            worked = await asyncio.to_thread(work_once, database, now=now)
        except DatabaseUnavailable as error:
            log.info("photos for planograms wait: %s", error)
            worked = False
        if not worked:
            await asyncio.sleep(_POLL_S)


def work_once(
    database: Database, *, now: Callable[[], datetime], look: Look = look_by_child
) -> bool:
    """Look at the photo that waits longest; False when none does.

    Raises:
        DatabaseUnavailable: nothing became of it; it comes again.
    """
    began = now()
    with database.connection() as connection:
        row = connection.execute(
            question("take_plan_photo"), {"now": began, "died_before": began - _DIED_AFTER}
        ).fetchone()
    if row is None:
        return False
    waiting = WaitingPhoto(**row)
    state, reason, in_chinese = "drafted", "", ""
    try:
        plan = look(waiting)
    except PhotoRefused as error:
        state, reason, in_chinese = "refused", error.words.en, error.words.zh
    except BadInput as error:
        state, reason = "refused", str(error)
    except (TimeoutError, RuntimeError) as error:
        log.warning("photo %s of planogram %s: %s", waiting.id, waiting.planogram, error)
        state, reason = "waiting" if waiting.tries < _TRIES_MAX else "refused", str(error)
    with database.connection() as connection:
        if state == "drafted":
            try:
                save_draft(connection, plan, revision=NEW)
            except PlanChanged:
                state, reason = "refused", "this planogram has a draft already"
                in_chinese = "此陈列图已有草稿"
        said = {
            "id": waiting.id, "state": state, "reason": reason[:_REASON_MAX],
            "reason_zh": in_chinese[:_REASON_MAX], "now": now(),
        }  # fmt: skip
        connection.execute(question("end_plan_photo"), said)
    return True

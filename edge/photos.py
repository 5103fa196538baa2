"""Photos on this node: kept before they are judged, answered once, only the blurred copy stays.

Judges nothing itself: it asks the child and keeps what comes of it, the answer and what the hub is
told in one transaction. The phone has its answer then; the search for faces comes after, in the
next lull between answers, and when the blurred copy is on the disk the original is deleted.
"""

import asyncio
import hashlib
import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from edge.checks import Checks
from edge.clock import Now
from edge.closing import Closing
from edge.disk import Disk
from edge.errors import JudgeBroke, NotHere, NotJudged, WorkerAway, WorkerEnded, WorkerTooSlow
from edge.judging import Asked, Judge, Judged
from edge.lull import Lull
from edge.outbox import Outbox
from edge.plans import Plans
from edge.refusals import error_body
from edge.rounds import Rounds
from edge.second_answers import SecondAnswers, ToRead, with_prices
from storepulse.errors import BadInput, StorepulseError, Unavailable
from storepulse.events import ChecklistMade
from storepulse.facts import Fact
from storepulse.pictures import ANNOTATED, KEPT
from storepulse.secret_files import PUBLIC, sync_folder, write_whole

log = logging.getLogger(__name__)

ORIGINAL: Final = "original"
"""As the phone sent it, faces and place included: there until the blurred copy is on the disk."""
ANCHORS: Final = "anchors.bin"
"""Image features around the checklist's items; stays on the node."""
_AGAIN_EVERY_S: Final = 20.0
_PICTURE_WAIT_S: Final = 20.0
_BAY_MAX: Final = 100
METHOD: Final = "edge.photos/1"
_OF_THE_NODE: Final = frozenset({"photos_judged", "photos_refused", "judge_time"})
UNPROCESSABLE: Final = 422
OK: Final = 200


@dataclass(frozen=True, slots=True)
class PhotoAnswer:
    """What a phone gets for its photo, now and whenever it asks again."""

    status: int
    body: dict[str, Any]
    took_ms: Mapping[str, float] = field(default_factory=dict, compare=False)
    """By stage, where it was made for this request; empty where it was stored before."""


@dataclass(frozen=True, slots=True)
class _Stored:
    uuid: str
    bay: str
    planogram: str | None
    received_at: datetime
    tries: int
    answer: PhotoAnswer | None


class Photos:
    """The photos of one node."""

    def __init__(
        self,
        folder: Path,
        disk: Disk,
        outbox: Outbox,
        checks: Checks,
        plans: Plans,
        judge: Judge,
        closing: Closing,
        rounds: Rounds,
        now: Now,
        *,
        tries_max: int,
        prices: SecondAnswers,
        lull: Lull | None = None,
    ) -> None:
        """`lull`: when the pictures that stay are made; by default the usual one."""
        self._folder = folder
        self._disk = disk
        self._outbox = outbox
        self._checks = checks
        self._plans = plans
        self._judge = judge
        self._closing = closing
        self._rounds = rounds
        self._now = now
        self._tries_max = tries_max
        self.prices = prices
        self._running: dict[str, asyncio.Task[PhotoAnswer]] = {}
        self._keeping: dict[str, asyncio.Task[None]] = {}
        self._lull = lull or Lull()
        self._hurried: dict[str, asyncio.Event] = {}
        self._keep_tries: Counter[str] = Counter()

    async def answer(
        self, uuid: str, bay: str, planogram: str | None, content: bytes
    ) -> PhotoAnswer:
        """Keep a photo and judge it; the same UUID gets the first answer, also while that runs.

        Raises:
            BadInput: the UUID or the bay is none.
            NotHere: there is no planogram to judge by.
            Unavailable: it could not be judged just now; it is kept, and asking again is right.
        """
        uuid = read_uuid(uuid)
        if not bay.strip() or len(bay) > _BAY_MAX:
            raise BadInput(f"bay must have 1 to {_BAY_MAX} characters")
        with self._lull.answering():
            return await self._once(
                uuid, partial(self._keep_and_judge, uuid, bay, planogram, content)
            )

    async def known(self, uuid: str) -> PhotoAnswer | None:
        """The answer of a photo; None while it waits for one. Raises `NotHere`."""
        stored = await asyncio.to_thread(self._find, read_uuid(uuid))
        if stored is None:
            raise NotHere(f"no photo {uuid!r} on this node")
        return stored.answer

    async def picture(self, uuid: str, name: str) -> Path:
        """The file of a kept picture; waits while it is being made, which then waits for nothing.

        Raises:
            NotHere: there is none, or none yet.
        """
        uuid = read_uuid(uuid)
        keeping = self._keeping.get(uuid)
        if keeping is not None:
            self._hurried[uuid].set()
            await asyncio.wait({keeping}, timeout=_PICTURE_WAIT_S)
        path = self._folder / uuid / name
        if not await asyncio.to_thread(path.is_file):
            raise NotHere(f"no {name} of photo {uuid!r} on this node")
        return path

    async def run(self) -> None:
        """Judge and keep what was left over by a crash or by a child that died, until cancelled."""
        while True:
            for stored in await asyncio.to_thread(self._unanswered):
                try:
                    await self._once(stored.uuid, partial(self._judge_stored, stored))
                except StorepulseError as error:
                    log.info("photo %s still waits: %s", stored.uuid, error)
                except Exception:
                    # A fault of ours over one photo: those behind it do not wait for its mending.
                    log.exception("photo %s could not be judged; again later", stored.uuid)
            for stored in await asyncio.to_thread(self._unkept):
                self._start_keeping(stored)
            await asyncio.sleep(_AGAIN_EVERY_S)

    async def _once(
        self, uuid: str, work: Callable[[], Coroutine[Any, Any, PhotoAnswer]]
    ) -> PhotoAnswer:
        task = self._running.get(uuid)
        if task is None:
            task = asyncio.create_task(work())
            self._running[uuid] = task
            task.add_done_callback(lambda done: self._forget(uuid, done))
        # A phone that hangs up must not stop the judging of what another try will ask for.
        return await asyncio.shield(task)

    def _forget(self, uuid: str, done: asyncio.Task[PhotoAnswer]) -> None:
        self._running.pop(uuid, None)
        if not done.cancelled():
            done.exception()

    async def _keep_and_judge(
        self, uuid: str, bay: str, planogram: str | None, content: bytes
    ) -> PhotoAnswer:
        began_s = time.perf_counter()
        stored = await asyncio.to_thread(self._find, uuid)
        if stored is None:
            # Before anything is kept: a photo that nobody can judge would only lie there.
            self._plans.choose(bay, planogram)
            stored = await asyncio.to_thread(self._keep, uuid, bay, planogram, content)
        if stored.answer is not None:
            return stored.answer
        kept_ms = _ms_since(began_s)
        answer = await self._judge_stored(stored)
        return replace(answer, took_ms={"keep": kept_ms, **answer.took_ms})

    async def _judge_stored(self, stored: _Stored) -> PhotoAnswer:
        began_s = time.perf_counter()
        try:
            judged = await self._judge.judge(await asyncio.to_thread(self._asked, stored))
        except WorkerAway:
            raise
        except (WorkerEnded, WorkerTooSlow, JudgeBroke) as error:
            tries = await asyncio.to_thread(self._count_try, stored.uuid)
            if tries < self._tries_max:
                raise
            log.error("photo %s is given up after %d tries: %s", stored.uuid, tries, error)
            refusal = NotJudged(
                f"this photo could not be judged in {tries} tries ({error}); take another one"
            )
            return await asyncio.to_thread(self._refuse, stored.uuid, refusal)
        except Unavailable:
            raise
        except BadInput as error:
            return await asyncio.to_thread(self._refuse, stored.uuid, error)
        judged_s = time.perf_counter()
        answer = await asyncio.to_thread(self._finish, stored, judged)
        if answer.body["prices"] is not None:
            self.prices.start(await asyncio.to_thread(self._to_read, stored), judged)
        self._start_keeping(stored)
        took_ms = {"judge": round(1000 * (judged_s - began_s), 1), "finish": _ms_since(judged_s)}
        return replace(answer, took_ms=took_ms)

    def _asked(self, stored: _Stored) -> Asked:
        plan = self._plans.choose(stored.bay, stored.planogram)
        folder = self._folder / stored.uuid
        return Asked(
            uuid=stored.uuid,
            bay=stored.bay,
            at=stored.received_at,
            photo=folder / ORIGINAL,
            planogram=self._plans.file_of(plan),
            kept=folder / KEPT,
            annotated=folder / ANNOTATED,
            anchors=folder / ANCHORS,
            within=self._rounds.within(stored.uuid, stored.bay, plan),
            before=self._closing.before(
                stored.uuid, stored.bay, plan.id, plan.version, self._now(), self._picture_of
            ),
            resting=tuple(rest.sku for rest in self._checks.resting(stored.bay)),
        )

    def _picture_of(self, uuid: str) -> Path | None:
        """The copy that stays; while it is not made, the photo itself."""
        files = (self._folder / uuid / name for name in (KEPT, ORIGINAL))
        return next((file for file in files if file.is_file()), None)

    def _to_read(self, stored: _Stored) -> ToRead:
        plan = self._plans.choose(stored.bay, stored.planogram)
        return ToRead(
            uuid=stored.uuid, bay=stored.bay, at=stored.received_at,
            photo=self._folder / stored.uuid / ORIGINAL, planogram=self._plans.file_of(plan),
        )  # fmt: skip

    def _start_keeping(self, stored: _Stored) -> asyncio.Task[None]:
        task = self._keeping.get(stored.uuid)
        if task is None:
            self._hurried[stored.uuid] = asyncio.Event()
            task = asyncio.create_task(self._keep_pictures(stored))
            self._keeping[stored.uuid] = task
            task.add_done_callback(lambda _: self._forget_keeping(stored.uuid))
        return task

    def _forget_keeping(self, uuid: str) -> None:
        del self._keeping[uuid], self._hurried[uuid]

    async def _keep_pictures(self, stored: _Stored) -> None:
        """Have the pictures made and delete the original; what fails is tried again by `run`."""
        async with self._lull.turn(self._hurried[stored.uuid]):
            await self._make_pictures(stored)

    async def _make_pictures(self, stored: _Stored) -> None:
        try:
            await self._judge.keep(await asyncio.to_thread(self._asked, stored))
        except WorkerAway as error:
            log.info("pictures of photo %s wait: %s", stored.uuid, error)
            return
        except StorepulseError as error:
            self._keep_tries[stored.uuid] += 1
            log.warning("pictures of photo %s were not made: %s", stored.uuid, error)
            if error.retryable and self._keep_tries[stored.uuid] < self._tries_max:
                return
            # A photo that cannot be blurred is not kept; its answer stands.
        await self.prices.done_with(stored.uuid)
        await asyncio.to_thread(self._drop_original, stored.uuid)

    def _keep(self, uuid: str, bay: str, planogram: str | None, content: bytes) -> _Stored:
        moment = self._now()
        folder = self._folder / uuid
        folder.mkdir(parents=True, exist_ok=True)
        write_durably(folder / ORIGINAL, content)
        with self._disk.transaction() as db:
            db.execute(
                "insert into photos (uuid, bay, planogram, sha256, received_at) "
                "values (?, ?, ?, ?, ?)",
                (
                    uuid, bay, planogram, hashlib.sha256(content).hexdigest(),
                    moment.at.isoformat(),
                ),
            )  # fmt: skip
        return _Stored(uuid, bay, planogram, moment.at, 0, None)

    def _finish(self, stored: _Stored, judged: Judged) -> PhotoAnswer:
        moment = self._now()
        urls = {"photo_url": KEPT, "annotated_url": ANNOTATED}
        body: dict[str, Any] = {
            "photo": stored.uuid,
            "bay": stored.bay,
            "received_at": stored.received_at.isoformat(),
            "judged_at": moment.at.isoformat(),
            **judged.body,
            "prices": None,
            **{key: f"/api/photos/{stored.uuid}/{name}" for key, name in urls.items()},
        }
        with self._disk.transaction() as db:
            facts, counts = list(judged.facts), False
            if judged.checklist is not None:
                closed = self._closing.close(stored.uuid, stored.bay, judged, moment)
                body["closed"] = asdict(closed)
                self._checks.keep(judged.checklist)
                self._outbox.append([ChecklistMade(checklist=judged.checklist)], moment)
                at_rest = self._checks.let_rest(judged.checklist, moment)
                counts = not closed.stale
                if counts and judged.positions:
                    facts.append(self._fact_of_rests(stored, judged, len(at_rest)))
                elif not counts:
                    # An earlier photo says nothing of the shelf of today.
                    facts = [fact for fact in facts if fact.metric in _OF_THE_NODE]
            body["prices"] = self.prices.promised(judged, stale=not counts)
            self._outbox.append(facts, moment)
            db.execute(
                "update photos set signature = ?, taken = ?, rights = ?, counts = ? "
                "where uuid = ?",
                (
                    judged.signature, judged.taken, json.dumps(dict(judged.rights)), int(counts),
                    stored.uuid,
                ),
            )  # fmt: skip
            answer = PhotoAnswer(OK, body)
            self._keep_answer(stored.uuid, answer)
        return answer

    def _fact_of_rests(self, stored: _Stored, judged: Judged, resting: int) -> Fact:
        planogram = judged.body["planogram"]
        planned = len(judged.positions)
        return Fact(
            id=f"{stored.uuid}:facings_resting", shop=self._rounds.shop, metric="facings_resting",
            start=stored.received_at, end=stored.received_at, value=round(resting / planned, 4),
            n=planned, method=METHOD, source=self._rounds.source,
            dims={
                "bay": stored.bay, "planogram": planogram["id"],
                "planogram_version": str(planogram["version"]), "planned": str(planned),
            },
        )  # fmt: skip

    def _refuse(self, uuid: str, error: BadInput) -> PhotoAnswer:
        answer = PhotoAnswer(UNPROCESSABLE, error_body(error))
        self._keep_answer(uuid, answer)
        self._drop_original(uuid)
        return answer

    def _keep_answer(self, uuid: str, answer: PhotoAnswer) -> None:
        with self._disk.transaction() as db:
            db.execute(
                "update photos set status = ?, answer = ? where uuid = ? and status is null",
                (answer.status, json.dumps(answer.body, ensure_ascii=False), uuid),
            )

    def _count_try(self, uuid: str) -> int:
        with self._disk.transaction() as db:
            db.execute("update photos set tries = tries + 1 where uuid = ?", (uuid,))
            return int(db.execute("select tries from photos where uuid = ?", (uuid,)).fetchone()[0])

    def _drop_original(self, uuid: str) -> None:
        folder = self._folder / uuid
        (folder / ORIGINAL).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()  # where no picture is kept, no folder is

    def _find(self, uuid: str) -> _Stored | None:
        with self._disk.reading() as db:
            row = db.execute(f"{_SELECT} where uuid = ?", (uuid,)).fetchone()
        return _stored(row) if row else None

    def _unanswered(self) -> list[_Stored]:
        with self._disk.reading() as db:
            rows = db.execute(f"{_SELECT} where status is null order by received_at").fetchall()
        return [_stored(row) for row in rows]

    def _unkept(self) -> list[_Stored]:
        """Answered photos whose original is still there."""
        found = (self._find(path.parent.name) for path in self._folder.glob(f"*/{ORIGINAL}"))
        return [one for one in found if one and one.answer and one.answer.status == OK]

    def tidy(self) -> None:
        """After a crash: what has no row goes (the phone, unanswered, sends it again).

        Only before phones are served: a photo that is just being kept has no row yet.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in self._folder.iterdir():
            stored = self._find(folder.name)
            if stored is None:
                shutil.rmtree(folder, ignore_errors=True)
            elif stored.answer is not None and stored.answer.status != OK:
                self._drop_original(folder.name)


def _ms_since(began_s: float) -> float:
    return round(1000 * (time.perf_counter() - began_s), 1)


_SELECT: Final = (
    "select uuid, bay, planogram, received_at, tries, status, answer, prices from photos"
)


def _stored(row: tuple[Any, ...]) -> _Stored:
    uuid, bay, planogram, received_at, tries, status, answer, prices = row
    return _Stored(
        uuid=uuid,
        bay=bay,
        planogram=planogram,
        received_at=datetime.fromisoformat(received_at),
        tries=tries,
        answer=None
        if status is None
        else PhotoAnswer(status, with_prices(json.loads(answer), prices)),
    )


def read_uuid(text: str) -> str:
    """A UUID in its usual spelling. Raises `BadInput`."""
    try:
        return str(UUID(text))
    except ValueError as error:
        raise BadInput(f"uuid {text[:50]!r} is no UUID") from error


def write_durably(path: Path, content: bytes) -> None:
    """Write a file that is whole or not there, and there after a power cut.

    Raises:
        DiskFull: there is no room.
    """
    try:
        write_whole(path, content, mode=PUBLIC)
        sync_folder(path.parent.parent)  # its folder is new, too
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}; nothing was kept"
        ) from error

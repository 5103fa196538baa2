"""The second answer to a photo: its prices. Asks a child, keeps what it says, tells the hub.

It comes after the first and leaves it as it is: its items are a checklist of their own, so no tick
is lost and nothing moves under a finger. Where it does not come (no time, no room, a child that
died) the prices are unread, which is told too: nothing waits for it for ever.
"""

import asyncio
import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

from edge.checks import Checks
from edge.clock import Moment, Now
from edge.disk import Disk
from edge.errors import JudgeBroke
from edge.judging import Asks, Judged
from edge.outbox import Outbox
from planograms.scores import Score
from storepulse.checklists import CHECKLIST_JSON, Checklist
from storepulse.errors import StorepulseError
from storepulse.events import ChecklistMade
from storepulse.facts import FACT_JSON, Fact
from storepulse.topics import Address
from storepulse.wire import explain

log = logging.getLogger(__name__)

State = Literal["coming", "read", "unread"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceAnswer:
    """What is known of a photo's prices: being read, read, or not read after all."""

    state: State
    compliance: Score | None = None
    """Planned products whose tag asks for the planned price, of those whose tag was read."""
    checklist: Checklist | None = None
    """Wrong prices, as a list of its own; null where none was found."""
    late: bool = False
    """The time ended before all tags were read."""


COMING: Final = PriceAnswer(state="coming")
UNREAD: Final = PriceAnswer(state="unread")
PRICES_JSON: TypeAdapter[PriceAnswer] = TypeAdapter(PriceAnswer)
_SCORE_JSON: TypeAdapter[Score] = TypeAdapter(Score)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToRead:
    """A judged photo whose tags are to be read."""

    uuid: str
    bay: str
    at: datetime
    """When it came."""
    photo: Path
    """As the phone sent it: the copy that stays is too small for print."""
    planogram: Path


class SecondAnswers:
    """The second answers of one node."""

    def __init__(
        self, disk: Disk, outbox: Outbox, checks: Checks, child: Asks | None, address: Address,
        now: Now,
    ) -> None:  # fmt: skip
        """`child`: who reads tags (`edge.price_child`); None: nobody does here."""
        self._disk = disk
        self._outbox = outbox
        self._checks = checks
        self._child = child
        self._address = address
        self._now = now
        self._reading: dict[str, asyncio.Task[None]] = {}

    def promised(self, judged: Judged, *, stale: bool) -> dict[str, Any] | None:
        """What the first answer says of prices: that they come, or nothing.

        Args:
            stale: the photo does not show the shelf as it stood when it came.
        """
        if self._child is None or judged.priced is None or stale:
            return None
        return asdict(COMING)

    def start(self, asked: ToRead, judged: Judged) -> None:
        """Begin to read, where that was promised; the first answer does not wait for it."""
        if asked.uuid not in self._reading:
            task = asyncio.create_task(self._read(asked, judged))
            self._reading[asked.uuid] = task
            task.add_done_callback(lambda _: self._reading.pop(asked.uuid, None))

    async def done_with(self, uuid: str) -> None:
        """Wait until nobody needs the photo's original any more; what was promised has come."""
        reading = self._reading.get(uuid)
        if reading is not None:
            await asyncio.wait({reading})
        await asyncio.to_thread(self._give_up, uuid)

    async def _read(self, asked: ToRead, judged: Judged) -> None:
        assert self._child is not None
        try:
            answer = await self._child.ask(
                {
                    "uuid": asked.uuid,
                    "bay": asked.bay,
                    "at": asked.at.isoformat(),
                    "photo": str(asked.photo),
                    "planogram": str(asked.planogram),
                    "judgement": judged.priced,
                    "shop": self._address.shop,
                    "source": self._address.path,
                    "resting": [rest.sku for rest in self._checks.resting(asked.bay)],
                }
            )
            told, fact = read_prices(answer)
            await asyncio.to_thread(self._keep, asked.uuid, told, fact, self._now())
        except StorepulseError as error:
            log.warning("prices of photo %s stay unread: %s", asked.uuid, error)
            await asyncio.to_thread(self._give_up, asked.uuid)

    def _keep(self, uuid: str, told: PriceAnswer, fact: Fact, moment: Moment) -> None:
        with self._disk.transaction() as db:
            if not self._write(db, uuid, told):
                return  # told already
            if told.checklist is not None:
                self._checks.keep(told.checklist)
                self._outbox.append([ChecklistMade(checklist=told.checklist)], moment)
                self._checks.let_rest(told.checklist, moment)
            self._outbox.append([fact], moment)

    def _give_up(self, uuid: str) -> None:
        with self._disk.transaction() as db:
            self._write(db, uuid, UNREAD)

    @staticmethod
    def _write(db: Any, uuid: str, told: PriceAnswer) -> bool:
        """False: nothing was promised, or it was told already."""
        text = PRICES_JSON.dump_json(told).decode()
        done = db.execute(
            "update photos set prices = ? where uuid = ? and "
            "coalesce(json_extract(coalesce(prices, json_extract(answer, '$.prices')), '$.state'),"
            " '') = 'coming'",
            (text, uuid),
        )
        return bool(done.rowcount)


def with_prices(body: dict[str, Any], prices: str | None) -> dict[str, Any]:
    """A stored answer with what came second, where something did."""
    return body if prices is None else {**body, "prices": json.loads(prices)}


def read_prices(answer: dict[str, Any]) -> tuple[PriceAnswer, Fact]:
    """Read the child's answer. Raises `JudgeBroke` when it is none."""
    if "error" in answer:
        raise JudgeBroke(str(answer["error"]))
    try:
        checklist = CHECKLIST_JSON.validate_python(answer["checklist"], strict=False)
        told = PriceAnswer(
            state="read",
            compliance=_SCORE_JSON.validate_python(answer["compliance"], strict=False),
            checklist=checklist if checklist.items else None,
            late=bool(answer.get("late", False)),
        )
        return told, FACT_JSON.validate_python(answer["fact"], strict=False)
    except ValidationError as error:
        raise JudgeBroke(f"the prices cannot be read: {explain(error)}") from error
    except KeyError as error:
        raise JudgeBroke(f"the prices lack {error}") from error

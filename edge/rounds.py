"""The rounds of this node: what is due now, what a photo belongs to, and what the hub hears of it.

What is due follows from the rounds that the hub named, the planograms that hold today and the
photos that came (`planograms.rounds`). When a round was due, each of its bays that nobody
photographed is told as not seen: not sending photos must not pay.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from edge.clock import Moment, Now
from edge.disk import Disk
from edge.outbox import Outbox
from edge.plans import PlanFacts, Plans
from planograms.rounds import (
    OF_NO_ROUND,
    Occurrence,
    RoundStanding,
    Within,
    due_now,
    in_order,
    occurrences,
    standing_of,
)
from storepulse.errors import StorepulseError
from storepulse.facts import Fact
from storepulse.node_config import NodeConfig
from storepulse.rounds import RestDue, RoundDue
from storepulse.topics import Address

log = logging.getLogger(__name__)

METHOD: Final = "edge.rounds/1"
_LOOK_EVERY_S: Final = 20.0
_BACK: Final = timedelta(days=2)
_FORGET_AFTER: Final = timedelta(days=14)
_OVERDUE: Final = "bays_overdue"
_GOODS: Final = (
    "exposure_main_push", "facing_compliance", "position_compliance", "on_shelf_availability",
)  # fmt: skip


class Rounds:
    """The rounds of one node. Its methods block: call them in a thread."""

    def __init__(
        self, disk: Disk, outbox: Outbox, plans: Plans, address: Address, now: Now
    ) -> None:
        self._disk = disk
        self._outbox = outbox
        self._plans = plans
        self._address = address
        self._now = now
        self.shop, self.source = address.shop, address.path
        self._rounds: tuple[RoundDue, ...] = ()
        self._rests: tuple[RestDue, ...] = ()

    def take(self, config: NodeConfig) -> None:
        """Hear which rounds there are, and what rests."""
        self._rounds, self._rests = config.rounds, config.rests
        at = self._now().at
        with self._disk.transaction() as db:
            db.executemany(
                "insert or ignore into rounds_told (key, said, at) values (?, '', ?)",
                [(_known(one), at.isoformat()) for one in config.rounds],
            )

    def rests(self) -> tuple[RestDue, ...]:
        """What a manager let rest in this shop; what has ended by its day is for others to see."""
        return self._rests

    def standing(self) -> tuple[RoundStanding, ...]:
        """The rounds that are open now and how far each is; what is due first comes first.

        A window that was over when this node first heard of its round is not asked for.
        """
        now = self._now().at
        heard = self._heard()
        found = due_now(
            self._rounds, self._photographed(now - _BACK), now=now, zone=self._plans.zone,
            bays_here=self._bays(),
        )  # fmt: skip
        return tuple(one for one in found if one.due > heard.get(one.round, now))

    def within(self, photo: str, bay: str, plan: PlanFacts) -> Within:
        """The open round that a photo of a bay belongs to, and what its earlier photos showed."""
        found = [one for one in self.standing() if any(due.bay == bay for due in one.bays)]
        if not found:
            return OF_NO_ROUND
        first = found[0]
        with self._disk.reading() as db:
            rows = db.execute(
                "select rights from photos where bay = ? and received_at >= ? and uuid <> ? "
                "and counts = 1 and json_extract(answer, '$.planogram.id') = ? "
                "and json_extract(answer, '$.planogram.version') = ? order by received_at",
                (bay, first.opens.isoformat(), photo, plan.id, plan.version),
            ).fetchall()
        earlier: dict[str, float] = {}
        for (rights,) in rows:
            seen = json.loads(rights or "{}")
            earlier |= {name: float(right) for name, right in seen.items() if right is not None}
        return Within(round=_key(first.round, first.opens), earlier=earlier)

    async def run(self) -> None:
        """Tell the hub what became of rounds, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self.tell, self._now())
            except StorepulseError as error:
                log.warning("what became of rounds is told later: %s", error)
            await asyncio.sleep(_LOOK_EVERY_S)

    def tell(self, moment: Moment) -> list[Fact]:
        """Tell what is new: rounds that were due since, and how many bays are overdue.

        Returns:
            What was told.
        """
        if not moment.clock.synchronised:
            # By a clock that nobody set, nothing is due.
            return []
        facts = self._facts_of_overdue(moment)
        told: list[tuple[str, str]] = []
        photographed = self._photographed(moment.at - _BACK)
        for one in self._over(moment.at):
            with self._disk.reading() as db:
                known = db.execute("select 1 from rounds_told where key = ?", (one.key,)).fetchone()
            if known is None:
                facts += self._facts_of_round(standing_of(one, photographed, now=moment.at))
                told.append((one.key, ""))
        with self._disk.transaction() as db:
            self._outbox.append(facts, moment)
            for fact in facts:
                if fact.metric == _OVERDUE:
                    said = f"{self._plans.today()}|{fact.value:g}"
                    told.append((_OVERDUE, said))
            db.executemany(
                "insert or replace into rounds_told (key, said, at) values (?, ?, ?)",
                [(key, said, moment.at.isoformat()) for key, said in told],
            )
            db.execute(
                "delete from rounds_told where at < ? and key like '%@%'",
                ((moment.at - _FORGET_AFTER).isoformat(),),
            )
        return facts

    def _over(self, now: datetime) -> list[Occurrence]:
        """Of yesterday and today what was due, and was heard of before."""
        heard = self._heard()
        zone = self._plans.zone
        today = now.astimezone(zone).date()
        found = [
            one
            for day in (today - timedelta(days=1), today)
            for one in occurrences(self._rounds, day, zone=zone, bays_here=self._bays(day))
        ]
        return [one for one in found if heard.get(one.round, now) < one.due < now]

    def _facts_of_overdue(self, moment: Moment) -> list[Fact]:
        overdue = {bay for one in self.standing() for bay in one.overdue}
        with self._disk.reading() as db:
            row = db.execute("select said from rounds_told where key = ?", (_OVERDUE,)).fetchone()
        day, _, count = ("", "", "0") if row is None else str(row[0]).partition("|")
        same_day = day == str(self._plans.today())
        if count == str(len(overdue)) and (same_day or not overdue):
            return []
        return [
            self._fact(
                f"{_OVERDUE}:{moment.at.isoformat()}", _OVERDUE, moment.at, float(len(overdue)),
                n=len(overdue), dims={},
            )
        ]  # fmt: skip

    def _facts_of_round(self, one: RoundStanding) -> list[Fact]:
        """How much of it was done in time, and that the others were not seen."""
        key = _key(one.round, one.opens)
        late = [bay.bay for bay in one.bays if bay.at is None or bay.at > one.due]
        done = 1 - len(late) / len(one.bays)
        facts = [
            self._fact(f"{key}:round_completion", "round_completion", one.due, round(done, 4),
                       n=len(one.bays), dims={"round": one.round})
        ]  # fmt: skip
        here = {plan.bay: plan for plan in self._plans.all()}
        for bay in late:
            plan = here.get(bay)
            if plan is None:
                continue
            for metric in _GOODS:
                dims = {
                    "bay": bay, "planogram": plan.id, "planogram_version": str(plan.version),
                    "round": key, "planned": str(plan.planned.get(metric, 0)),
                    "unknown_because": "not photographed",
                }  # fmt: skip
                if metric == "exposure_main_push":
                    pushed = plan.planned.get(metric, 0) > 0
                    dims["basis"] = "main_push" if pushed else "facing_compliance"
                facts.append(
                    self._fact(f"{key}:{bay}:{metric}", metric, one.due, None, n=0, dims=dims)
                )
        return facts

    def _fact(
        self, name: str, metric: str, at: datetime, value: float | None, *, n: int,
        dims: Mapping[str, str],
    ) -> Fact:  # fmt: skip
        return Fact(
            id=f"{self._address.node}:{name}", shop=self._address.shop, metric=metric, start=at,
            end=at, value=value, n=n, coverage=0.0 if value is None else 1.0, dims=dims,
            method=METHOD, source=self._address.path,
        )  # fmt: skip

    def _bays(self, day: date | None = None) -> Sequence[str]:
        return in_order({plan.bay for plan in self._plans.all(day)})

    def _photographed(self, since: datetime) -> dict[str, list[datetime]]:
        with self._disk.reading() as db:
            rows = db.execute(
                "select bay, received_at from photos where counts = 1 and received_at >= ?",
                (since.isoformat(),),
            ).fetchall()
        out: dict[str, list[datetime]] = {}
        for bay, at in rows:
            out.setdefault(bay, []).append(datetime.fromisoformat(at))
        return out

    def _heard(self) -> dict[str, datetime]:
        """Of each round when this node first heard of it."""
        with self._disk.reading() as db:
            rows = db.execute(
                "select substr(key, 7), at from rounds_told where key like 'known:%'"
            ).fetchall()
        return {name: datetime.fromisoformat(at) for name, at in rows}


def _known(one: RoundDue) -> str:
    return f"known:{one.round}"


def _key(name: str, opens: datetime) -> str:
    return f"{name}@{opens.isoformat()}"

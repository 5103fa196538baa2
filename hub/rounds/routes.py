"""The routes of rounds and rests. Decides nothing: the database asks for the right of each.

Head office publishes rounds, regions read those of their shops; who answers for a shop lets
findings rest there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Body, Path

from hub.people.sessions import EditsPlans, RestsFindings, SeesPlans
from hub.rounds.store import (
    BadRest,
    BadRound,
    ListedRound,
    Reach,
    Rest,
    end_rest,
    let_rest,
    list_rests,
    list_rounds,
    publish_round,
)
from hub.store.database import Database
from storepulse.rounds import WEEKDAYS, RestDue, RestReason, RoundDue, Weekday, Window

_SHOP_MAX: Final = 200
Shop = Annotated[str, Path(min_length=1, max_length=_SHOP_MAX)]
Round = Annotated[str, Path(min_length=1, max_length=100, alias="round")]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRound:
    """The next version of a round, as head office says it."""

    name: str
    windows: tuple[Window, ...]
    weekdays: tuple[Weekday, ...] = WEEKDAYS
    """Empty: the round ends."""
    bays: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()
    starts_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRound:
    """It is published, and the nodes of its shops are being told."""

    round: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRest:
    """What is to rest, as whoever answers for the shop says it."""

    sku: str
    reason: RestReason
    until: date
    bay: str = ""
    """Empty: every bay of the shop."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRest:
    """It rests, and the shop's nodes are being told."""

    id: UUID


def round_routes(database: Database, now: Callable[[], datetime]) -> APIRouter:
    """The routes /api/rounds and /api/shops/SHOP/rests."""
    routes = APIRouter(prefix="/api", tags=["rounds"])

    @routes.get("/rounds")
    def rounds(session: SeesPlans) -> list[ListedRound]:
        """Every version of the rounds that reach a shop of whoever asks, the newest first."""
        with database.of_session(session) as connection:
            return list_rounds(connection)

    @routes.post("/rounds/{round}")
    def publish(
        round_: Round, session: EditsPlans, said: Annotated[NewRound, Body()]
    ) -> PublishedRound:
        """Publish the next version of a round; published ones never change."""
        try:
            due = RoundDue(
                round=round_, version=1, name=said.name, windows=said.windows, bays=said.bays,
                weekdays=said.weekdays, starts_on=said.starts_on,
            )  # fmt: skip
            reach = Reach(regions=said.regions, formats=said.formats, shops=said.shops)
        except ValueError as error:
            raise BadRound(str(error)) from error
        with database.of_session(session) as connection:
            made = publish_round(connection, due, reach)
        return PublishedRound(round=made.round, version=made.version)

    @routes.get("/shops/{shop}/rests")
    def rests(shop: Shop, session: RestsFindings) -> list[Rest]:
        """What rests in a shop today."""
        with database.of_session(session) as connection:
            return list_rests(connection, shop, now=now())

    @routes.post("/shops/{shop}/rests")
    def rest(shop: Shop, session: RestsFindings, said: Annotated[NewRest, Body()]) -> MadeRest:
        """Let the findings of a product rest up to a day; it ends by itself."""
        try:
            due = RestDue(
                bay=said.bay, sku=said.sku, reason=said.reason, until=said.until, note=said.note
            )
        except ValueError as error:
            raise BadRest(str(error)) from error
        with database.of_session(session) as connection:
            return MadeRest(id=let_rest(connection, shop, due, now=now()))

    @routes.delete("/shops/{shop}/rests/{rest}")
    def end(
        shop: Shop, rest_: Annotated[UUID, Path(alias="rest")], session: RestsFindings
    ) -> MadeRest:
        """End a rest before its day."""
        with database.of_session(session) as connection:
            end_rest(connection, shop, rest_, now=now())
        return MadeRest(id=rest_)

    return routes

"""Rounds and rests in the database. Sends nothing: nodes hear by their configuration.

What a session asks goes through its own connection, so the database asks for its right, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
from psycopg.types.json import Jsonb

from hub.errors import Refused
from hub.plans.store import timezone_of
from hub.store.database import Connection
from hub.store.queries import question
from planograms.suppression import REST_DAYS_MAX
from storepulse.errors import BadInput
from storepulse.rounds import (
    RESTS_MAX,
    ROUNDS_MAX,
    WEEKDAYS,
    RestDue,
    RestReason,
    RoundDue,
    Weekday,
    Window,
)

_NAMES_MAX: Final = 1000
"""Regions, formats or shops that one round may name."""


class BadRound(BadInput):
    """A round that cannot be: names the field."""


class BadRest(BadInput):
    """A rest that cannot be: names the field."""


class RoundChanged(Refused):
    """Somebody else published a version of this round at the same moment."""

    status = 409
    code = "round_changed"


class RestChanged(Refused):
    """Somebody else let the same product rest at the same moment."""

    status = 409
    code = "rest_changed"


class NoSuchRest(Refused):
    """No such rest, or none for whoever asks: which of the two is not said."""

    status = 404
    code = "not_there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which shops a round is for; what is empty asks for nothing."""

    regions: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    shops: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for what, said in (
            ("region", self.regions), ("format", self.formats), ("shop", self.shops)
        ):  # fmt: skip
            if len(said) > _NAMES_MAX or any(not 0 < len(one) <= 200 for one in said):
                raise ValueError(f"{what}: up to {_NAMES_MAX} names of 1 to 200 characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRound:
    """One version of a round, and how many shops it reaches."""

    due: RoundDue
    reach: Reach
    published_at: datetime
    reached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """Of one product nothing is asked in one shop, up to and with a day."""

    id: UUID
    shop: str
    bay: str
    sku: str
    reason: RestReason
    note: str
    until: date
    made_at: datetime


def publish_round(connection: Connection, due: RoundDue, reach: Reach) -> RoundDue:
    """Publish the next version of a round; its number is given here, and its shops' nodes hear.

    Raises:
        RoundChanged: somebody else published one at the same moment.
    """
    said = {
        "round": due.round, "name": due.name.strip(), "regions": list(reach.regions),
        "formats": list(reach.formats), "shops": list(reach.shops), "bays": list(due.bays),
        "weekdays": list(due.weekdays), "starts_on": due.starts_on,
        "windows": Jsonb([{"opens": f"{w.opens:%H:%M}", "due": f"{w.due:%H:%M}"}
                          for w in due.windows]),
    }  # fmt: skip
    try:
        row = connection.execute(question("new_round"), said).fetchone()
    except psycopg.errors.UniqueViolation as error:
        raise RoundChanged(f"round {due.round} was published meanwhile: look again") from error
    assert row is not None
    return replace(due, version=row["version"])


def list_rounds(connection: Connection) -> list[ListedRound]:
    """Every version of every round that a session may see, the newest first."""
    return [
        ListedRound(
            due=_due(row), published_at=row["published_at"], reached=row["reached"],
            reach=Reach(
                regions=tuple(row["regions"]), formats=tuple(row["formats"]),
                shops=tuple(row["shops"]),
            ),
        )
        for row in connection.execute(question("rounds"))
    ]  # fmt: skip


def rounds_due(connection: Connection, shop: str, *, now: datetime) -> tuple[RoundDue, ...]:
    """What the nodes of a shop need: versions in force on the shop's own day, or yet to start.

    Of a round that reached the shop and does so no more it is told that it has ended.
    """
    day = _today(connection, shop, now)
    rows = connection.execute(question("rounds_of_shop"), {"shop": shop}).fetchall()
    reaching = {row["round"] for row in rows if row["reaches"]}
    told: list[RoundDue] = []
    for name in sorted(reaching):
        mine = [_for_shop(row) for row in rows if row["round"] == name]
        begun = [one for one in mine if one.starts_on is None or one.starts_on <= day]
        newest = max(begun, key=lambda one: (one.starts_on or date.min, one.version), default=None)
        told += [] if newest is None else [newest]
        told += sorted(
            (one for one in mine if one not in begun), key=lambda one: (one.starts_on, one.version)
        )
    return tuple(told[:ROUNDS_MAX])


def _for_shop(row: dict[str, Any]) -> RoundDue:
    one = _due(row)
    return one if row["reaches"] else replace(one, weekdays=())


def _due(row: dict[str, Any]) -> RoundDue:
    weekdays: tuple[Weekday, ...] = tuple(day for day in WEEKDAYS if day in row["weekdays"])
    return RoundDue(
        round=row["round"], version=row["version"], name=row["name"], bays=tuple(row["bays"]),
        weekdays=weekdays, starts_on=row["starts_on"],
        windows=tuple(
            Window(opens=time.fromisoformat(one["opens"]), due=time.fromisoformat(one["due"]))
            for one in row["windows"]
        ),
    )  # fmt: skip


def let_rest(connection: Connection, shop: str, rest: RestDue, *, now: datetime) -> UUID:
    """Let the findings of a product rest; a rest of the same product and bay ends for it.

    Raises:
        BadRest: the last day is over, or too far away.
        NoSuchRest: there is no such shop, or it is not the session's.
        RestChanged: somebody else let it rest at the same moment.
    """
    today = _today(connection, shop, now)
    if not today <= rest.until <= today + timedelta(days=REST_DAYS_MAX):
        raise BadRest(
            f"until {rest.until}: choose a day from {today} to "
            f"{today + timedelta(days=REST_DAYS_MAX)}; what rests longer needs another planogram"
        )
    said = {
        "shop": shop, "bay": rest.bay.strip(), "sku": rest.sku.strip(), "reason": rest.reason,
        "note": rest.note.strip(), "until": rest.until, "now": now,
    }  # fmt: skip
    try:
        connection.execute(question("end_rest_of"), said)
        row = connection.execute(question("new_rest"), said).fetchone()
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ForeignKeyViolation) as error:
        raise NoSuchRest(f"there is no shop {shop!r} of yours") from error
    except psycopg.errors.UniqueViolation as error:
        raise RestChanged(f"somebody let {rest.sku} rest just now: look again") from error
    assert row is not None
    found: UUID = row["id"]
    return found


def end_rest(connection: Connection, shop: str, rest: UUID, *, now: datetime) -> None:
    """End a rest before its day: from now on its findings are asked for again.

    Raises:
        NoSuchRest: there is none of this id in that shop, or it has ended.
    """
    said = {"shop": shop, "id": rest, "now": now}
    if connection.execute(question("end_rest"), said).fetchone() is None:
        raise NoSuchRest("there is no such rest in this shop, or it has ended")


def list_rests(connection: Connection, shop: str, *, now: datetime) -> list[Rest]:
    """What rests in a shop today, by the shop's own calendar; ended ones have ended."""
    said = {"shop": shop, "day": _today(connection, shop, now), "limit": RESTS_MAX}
    return [Rest(**row) for row in connection.execute(question("rests"), said)]


def rests_due(connection: Connection, shop: str, *, now: datetime) -> tuple[RestDue, ...]:
    """What the nodes of a shop need to know of rests."""
    return tuple(
        RestDue(bay=one.bay, sku=one.sku, reason=one.reason, until=one.until, note=one.note)
        for one in list_rests(connection, shop, now=now)
    )


def _today(connection: Connection, shop: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(timezone_of(connection, shop))).date()


def read_weekdays(said: Sequence[str]) -> tuple[Weekday, ...]:
    """Weekdays by their first three letters; none said: all seven. Raises `BadRound`."""
    wanted = {one.strip().lower()[:3] for one in said if one.strip()}
    unknown = wanted - set(WEEKDAYS)
    if unknown:
        raise BadRound(f"weekday {sorted(unknown)[0]!r}: known are {', '.join(WEEKDAYS)}")
    return tuple(day for day in WEEKDAYS if day in wanted) or WEEKDAYS

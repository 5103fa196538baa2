"""Planograms in the database: drafts, versions, places. Draws nothing, sends nothing.

What a session asks goes through its own connection, so the database asks for its right, too.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import psycopg

from hub.errors import Refused
from hub.store.database import Connection
from hub.store.queries import question
from planograms.cropping import check_pictures, with_pictures
from planograms.errors import BadPlanogram
from planograms.files import parse_planogram
from planograms.model import PLANOGRAM_JSON, Assignment, Planogram
from planograms.versions import Placed, due
from storepulse.errors import BadInput
from storepulse.plans import PLAN_BYTES_MAX, PLAN_NAME, PLANS_MAX, PlanDue

NEW: Final = 0
"""The revision of a draft that is not there yet."""


class NoSuchPlan(Refused):
    """No such planogram, or none for whoever asks: which of the two is not said."""

    status = 404
    code = "not_there"


class PlanChanged(Refused):
    """Somebody else changed the draft meanwhile, or published it."""

    status = 409
    code = "plan_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A planogram that is being worked on."""

    revision: int
    plan: Planogram


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """A published version, without what it holds."""

    version: int
    name: str
    starts_on: date | None
    published_at: datetime
    positions: int
    assigned: tuple[Assignment, ...]
    nodes: int
    """In its shops."""
    nodes_told: int
    """Of these so many have said that they hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPlan:
    """A planogram of the list."""

    id: str
    name: str
    bay: str
    positions: int
    draft: datetime | None
    """When its draft was changed last; None: there is none."""
    version: int | None
    """The newest that is published; None: none is."""
    starts_on: date | None
    shops: int


def list_plans(connection: Connection) -> list[ListedPlan]:
    """Every planogram that a session may see, by id."""
    return [ListedPlan(**row) for row in connection.execute(question("plans"))]


def read_draft(connection: Connection, planogram: str) -> Draft:
    """A draft. Raises `NoSuchPlan`."""
    row = connection.execute(question("plan_draft"), {"planogram": planogram}).fetchone()
    if row is None:
        raise NoSuchPlan(f"planogram {planogram!r} has no draft")
    return Draft(revision=row["revision"], plan=_parsed(row["content"], planogram))


def save_draft(connection: Connection, plan: Planogram, *, revision: int) -> Draft:
    """Keep a draft, ready to be published: with the next version's number, and pictures.

    Args:
        revision: of the draft that was opened; `NEW` where there was none.
    Raises:
        BadPlanogram: a picture cannot be read, or it is too large.
        PlanChanged: the draft is of another revision by now.
    """
    check_plan_id(plan.id)
    check_pictures(plan)
    newest = newest_version(connection, plan.id)
    plan = with_pictures(
        replace(plan, version=newest + 1, published_at=None, starts_on=None, assigned=())
    )
    said = {
        "planogram": plan.id, "name": plan.name, "bay": plan.bay,
        "positions": len(plan.positions), "content": _as_file(plan), "revision": revision,
    }  # fmt: skip
    asked = "new_plan_draft" if revision == NEW else "save_plan_draft"
    row = connection.execute(question(asked), said).fetchone()
    if row is None:
        raise PlanChanged(
            f"the draft of {plan.id} was changed meanwhile: open it again, nothing was saved"
        )
    return Draft(revision=row["revision"], plan=plan)


def drop_draft(connection: Connection, planogram: str) -> bool:
    """Throw a draft away; False where there is none."""
    done = connection.execute(question("drop_plan_draft"), {"planogram": planogram})
    return done.rowcount > 0


def newest_version(connection: Connection, planogram: str) -> int:
    """The newest published version; 0: none is."""
    row = connection.execute(question("plan_newest"), {"planogram": planogram}).fetchone()
    assert row is not None
    return int(row["version"])


def read_version(connection: Connection, planogram: str, version: int) -> Planogram:
    """A published version. Raises `NoSuchPlan`."""
    asked = {"planogram": planogram, "version": version}
    row = connection.execute(question("plan_version"), asked).fetchone()
    if row is None:
        raise NoSuchPlan(f"planogram {planogram!r} has no version {version}")
    return _parsed(row["content"], planogram)


def versions_of(connection: Connection, planogram: str) -> list[PlanVersion]:
    """The published versions of a planogram, the newest first."""
    told: dict[int, PlanVersion] = {}
    for row in connection.execute(question("plan_versions"), {"planogram": planogram}):
        shop = Assignment(shop=row["shop"], bays=tuple(row["bays"]))
        one = told.get(row["version"])
        if one is None:
            one = PlanVersion(
                version=row["version"], name=row["name"], starts_on=row["starts_on"],
                published_at=row["published_at"], positions=row["positions"], assigned=(),
                nodes=0, nodes_told=0,
            )  # fmt: skip
        told[one.version] = replace(
            one, assigned=(*one.assigned, shop), nodes=one.nodes + row["nodes"],
            nodes_told=one.nodes_told + row["nodes_told"],
        )  # fmt: skip
    return list(told.values())


def publish(
    connection: Connection,
    planogram: str,
    *,
    revision: int,
    starts_on: date | None,
    assigned: Sequence[Assignment],
    now: datetime,
) -> Planogram:
    """Make the draft a version that never changes, and have its shops' nodes told.

    Raises:
        NoSuchPlan: there is no draft.
        PlanChanged: the draft is not the one that was looked at.
        BadPlanogram: no shop is named, or a shop is not known.
    """
    if not assigned:
        raise BadPlanogram("name at least one shop and bay in which it holds")
    draft = read_draft(connection, planogram)
    plan = replace(
        draft.plan, version=newest_version(connection, planogram) + 1, published_at=now,
        starts_on=starts_on, assigned=tuple(assigned),
    )  # fmt: skip
    # The draft goes first: of two who publish at once the second finds none of this revision.
    gone = connection.execute(
        question("take_plan_draft"), {"planogram": planogram, "revision": revision}
    ).fetchone()
    if gone is None:
        raise PlanChanged(f"the draft of {planogram} was changed meanwhile: look at it again")
    content = _as_file(plan)
    said = {
        "planogram": plan.id, "version": plan.version, "name": plan.name, "bay": plan.bay,
        "positions": len(plan.positions), "content": content, "starts_on": starts_on,
        "sha256": hashlib.sha256(content).digest(), "published_at": now,
    }  # fmt: skip
    connection.execute(question("new_plan_version"), said)
    places = [
        {"planogram": plan.id, "version": plan.version, "shop": each.shop, "bay": bay}
        for each in plan.assigned
        for bay in each.bays
    ]
    try:
        with connection.cursor() as cursor:
            cursor.executemany(question("new_plan_place"), places)
    except psycopg.errors.ForeignKeyViolation as error:
        raise BadPlanogram("a shop of the assignment is not known here") from error
    return plan


def plans_due(connection: Connection, shop: str, *, now: datetime) -> tuple[PlanDue, ...]:
    """What the nodes of a shop should hold: in force on the shop's own day, or yet to start."""
    rows = connection.execute(question("plans_of_shop"), {"shop": shop}).fetchall()
    sums = {(row["planogram"], row["version"]): row["sha256"].hex() for row in rows}
    placed = [
        Placed(
            id=row["planogram"], version=row["version"], bays=tuple(row["bays"]),
            starts_on=row["starts_on"],
        )
        for row in rows
    ]  # fmt: skip
    day = now.astimezone(ZoneInfo(timezone_of(connection, shop))).date()
    return tuple(
        PlanDue(
            planogram=one.id, version=one.version, sha256=sums[one.id, one.version],
            bays=one.bays, starts_on=one.starts_on,
        )
        for one in due(placed, day)[:PLANS_MAX]
    )  # fmt: skip


def timezone_of(connection: Connection, shop: str) -> str:
    """The shop's calendar; UTC for one whose zone this machine does not know."""
    row = connection.execute(question("shop_timezone"), {"shop": shop}).fetchone()
    name = "UTC" if row is None else str(row["timezone"])
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return "UTC"
    return name


def file_for_shop(connection: Connection, planogram: str, version: int, shop: str) -> bytes | None:
    """A version's file, for a node of a shop in which it holds; None for any other."""
    asked = {"planogram": planogram, "version": version, "shop": shop}
    row = connection.execute(question("plan_file"), asked).fetchone()
    return None if row is None else bytes(row["content"])


def check_plan_id(planogram: str) -> None:
    """Refuse an id that cannot stand in a file's name. Raises `BadInput`."""
    if not PLAN_NAME.fullmatch(planogram):
        raise BadInput(
            f"id {planogram[:40]!r}: use up to 100 letters (a to z), digits, dots, dashes and "
            "underscores, starting with a letter or digit"
        )


def _parsed(content: bytes, planogram: str) -> Planogram:
    return parse_planogram(bytes(content), name=f"planogram {planogram}")


def _as_file(plan: Planogram) -> bytes:
    content = PLANOGRAM_JSON.dump_json(plan)
    if len(content) > PLAN_BYTES_MAX:
        raise BadPlanogram(
            f"planogram {plan.id}: {len(content)} bytes; a node takes at most {PLAN_BYTES_MAX}"
        )
    return content

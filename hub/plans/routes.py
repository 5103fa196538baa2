"""The routes of the planogram desk: list, draft, photo, diff, publish. Runs no model.

Head office edits; regions read what is published for their shops. A photo waits for a worker
(`photo_work`). Bodies are whole planograms: one form of ours, checked by the same words as a file.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Body, Path, Query, Request
from fastapi.responses import JSONResponse, Response

from hub.errors import Refused
from hub.people.sessions import EditsPlans, SeesPlans
from hub.plans.store import (
    NEW,
    Draft,
    ListedPlan,
    NoSuchPlan,
    PlanChanged,
    PlanVersion,
    check_plan_id,
    drop_draft,
    list_plans,
    newest_version,
    publish,
    read_draft,
    read_version,
    save_draft,
    versions_of,
)
from hub.store.database import Connection, Database
from hub.store.queries import question
from planograms.diff import Change, changes
from planograms.files import parse_planogram
from planograms.model import PLANOGRAM_JSON, Assignment
from planograms.plan_drawing import as_svg
from planograms.versions import next_draft
from storepulse.errors import BadInput
from storepulse.units import MIB

BODY_BYTES_MAX: Final = 32 * MIB
"""A planogram with its pictures, or a phone's photo."""
_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG"
_BAY_MAX: Final = 100

Plan = Annotated[str, Path(min_length=1, max_length=100, alias="planogram")]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]
Revision = Annotated[int, Query(ge=0, le=2**53, description="of the opened draft; 0: none")]


class NotThisPhoto(Refused):
    """What was sent is no photo."""

    status = 422
    code = "unreadable_photo"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedDraft:
    """A draft was kept."""

    id: str
    revision: int
    version: int
    """That it will have when it is published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPublish:
    """What head office says when it publishes."""

    revision: int
    assigned: tuple[Assignment, ...]
    starts_on: date | None = None
    """In each shop's own calendar; null: at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """It is published, and the nodes of its shops are being told."""

    id: str
    version: int
    starts_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoStanding:
    """How it stands with a photo of which a draft is to be made."""

    id: UUID
    planogram: str
    state: Literal["waiting", "looking", "drafted", "refused"]
    reason: str
    reason_zh: str = ""
    """The same in Chinese; empty where it is known in one language only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a draft changes of a published version; `against` 0: nothing is published yet."""

    against: int
    changes: tuple[Change, ...]


def reads_body_late(path: str) -> bool:
    """Whether a path's routes read their body only when they know who sends it."""
    return path.startswith("/api/plans/") and path.rpartition("/")[2] in ("draft", "photo")


def plan_routes(database: Database, now: Callable[[], datetime]) -> APIRouter:
    """The routes below /api/plans."""
    routes = APIRouter(prefix="/api/plans", tags=["plans"])
    _reading(routes, database)
    _editing(routes, database, now)
    _photos(routes, database)
    return routes


def _reading(routes: APIRouter, database: Database) -> None:
    @routes.get("")
    def plans(session: SeesPlans) -> list[ListedPlan]:
        """The planograms of whoever asks: all of head office's, of a region those of its shops."""
        with database.of_session(session) as connection:
            return list_plans(connection)

    @routes.get("/{planogram}/versions")
    def versions(planogram: Plan, session: SeesPlans) -> list[PlanVersion]:
        """The published versions, newest first, with shops, bays, and nodes that hold them."""
        with database.of_session(session) as connection:
            return versions_of(connection, planogram)

    @routes.get("/{planogram}/versions/{version}")
    def version(planogram: Plan, version: Version, session: SeesPlans) -> Response:
        """One published version, whole."""
        with database.of_session(session) as connection:
            found = read_version(connection, planogram, version)
        return _whole(PLANOGRAM_JSON.dump_json(found))

    @routes.get(
        "/{planogram}/versions/{version}/drawing.svg",
        response_class=Response,
        responses={200: {"content": {"image/svg+xml": {}}}},
    )
    def drawing(planogram: Plan, version: Version, session: SeesPlans) -> Response:
        """One published version, drawn for print."""
        with database.of_session(session) as connection:
            found = read_version(connection, planogram, version)
        # It holds pictures and text of others: a browser shall run nothing that is in it.
        headers = {"Content-Security-Policy": "default-src 'none'; img-src data:; sandbox"}
        return Response(as_svg(found), media_type="image/svg+xml", headers=headers)


def _editing(routes: APIRouter, database: Database, now: Callable[[], datetime]) -> None:
    @routes.get("/{planogram}/draft", response_model=None, responses=_DRAFT)
    def draft(planogram: Plan, session: EditsPlans) -> JSONResponse:
        """The draft; where there is none, the newest version as one, of revision 0."""
        with database.of_session(session) as connection:
            found = _draft_or_next(connection, planogram, now())
        plan = PLANOGRAM_JSON.dump_python(found.plan, mode="json")
        return JSONResponse({"revision": found.revision, "plan": plan})

    @routes.put("/{planogram}/draft", openapi_extra=_PLAN_BODY)
    async def save(
        planogram: Plan, session: EditsPlans, request: Request, revision: Revision = NEW
    ) -> SavedDraft:
        """Keep a draft: a whole planogram, in our JSON."""
        content = await request.body()

        def keep() -> Draft:
            check_plan_id(planogram)
            plan = parse_planogram(content, name=f"planogram {planogram}")
            if plan.id != planogram:
                raise BadInput(f"the planogram's id is {plan.id!r}, not {planogram!r}")
            with database.of_session(session) as connection:
                return save_draft(connection, plan, revision=revision)

        kept = await asyncio.to_thread(keep)
        return SavedDraft(id=kept.plan.id, revision=kept.revision, version=kept.plan.version)

    @routes.delete("/{planogram}/draft")
    def drop(planogram: Plan, session: EditsPlans) -> dict[str, bool]:
        """Throw the draft away; what is published stays."""
        with database.of_session(session) as connection:
            return {"dropped": drop_draft(connection, planogram)}

    @routes.get("/{planogram}/changes")
    def diff(planogram: Plan, session: EditsPlans) -> Changes:
        """What the draft changes of the newest version, in words."""
        with database.of_session(session) as connection:
            draft = read_draft(connection, planogram)
            newest = newest_version(connection, planogram)
            if newest == 0:
                return Changes(against=0, changes=())
            old = read_version(connection, planogram, newest)
        return Changes(against=newest, changes=changes(old, draft.plan))

    @routes.post("/{planogram}/publish")
    def publish_draft(
        planogram: Plan, session: EditsPlans, said: Annotated[ToPublish, Body()]
    ) -> Published:
        """Publish the draft: from then on it never changes, and its shops' nodes fetch it."""
        with database.of_session(session) as connection:
            made = publish(
                connection, planogram, revision=said.revision, starts_on=said.starts_on,
                assigned=said.assigned, now=now(),
            )  # fmt: skip
        return Published(id=made.id, version=made.version, starts_on=made.starts_on)


def _photos(routes: APIRouter, database: Database) -> None:
    @routes.post("/{planogram}/photo", openapi_extra=_PHOTO_BODY)
    async def photo(
        planogram: Plan,
        session: EditsPlans,
        request: Request,
        bay: Annotated[str, Query(min_length=1, max_length=_BAY_MAX)],
        name: Annotated[str, Query(max_length=200)] = "",
    ) -> PhotoStanding:
        """Have a draft made of a photo of the well-kept shelf; it waits for the hub's worker."""
        content = await request.body()
        check_plan_id(planogram)
        if not content.startswith((_JPEG, _PNG)):
            raise NotThisPhoto("this is neither a JPEG nor a PNG")
        asked_for = uuid4()
        said = {
            "id": asked_for, "planogram": planogram, "name": name.strip(), "bay": bay.strip(),
            "photo": content,
        }  # fmt: skip

        def keep() -> None:
            with database.of_session(session) as connection:
                asked = connection.execute(question("plan_draft"), {"planogram": planogram})
                if asked.fetchone() is not None:
                    raise PlanChanged(f"planogram {planogram} has a draft: drop it first")
                connection.execute(question("new_plan_photo"), said)

        await asyncio.to_thread(keep)
        return PhotoStanding(id=asked_for, planogram=planogram, state="waiting", reason="")

    @routes.get("/photos/{photo}")
    def standing(photo: UUID, session: EditsPlans) -> PhotoStanding:
        """Whether a photo has become a draft."""
        with database.of_session(session) as connection:
            row = connection.execute(question("plan_photo"), {"id": photo}).fetchone()
        if row is None:
            raise NoSuchPlan("there is no such photo")
        return PhotoStanding(**row)


def _draft_or_next(connection: Connection, planogram: str, at: datetime) -> Draft:
    try:
        return read_draft(connection, planogram)
    except NoSuchPlan:
        newest = newest_version(connection, planogram)
        if newest == 0:
            raise
        plan = next_draft(read_version(connection, planogram, newest), at=at)
        return Draft(revision=NEW, plan=plan)


def _whole(content: bytes) -> Response:
    return Response(content, media_type="application/json")


_DRAFT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/json": {}}, "description": "revision, and the planogram whole"}
}
_PLAN_BODY: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}
}
_PHOTO_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
    }
}

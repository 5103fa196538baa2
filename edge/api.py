"""The HTTP API for phones in the shop. Decides nothing: each route asks the part that knows.

Who may ask at all is settled before any route, in `lock`. Every error goes out as
{"error": {"code", "message", "retryable"}}; what the command line would refuse with exit code 2 is
a 4xx with the same words. Nothing here blocks the event loop: what
touches the disk runs in a thread, what looks at pixels in a child.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import Body, Depends, FastAPI, File, Form, HTTPException, Query, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from edge.answers import ErrorAnswer, JudgedPhoto, ShownChecklist, WaitingPhoto
from edge.bay_routes import bay_routes
from edge.bays import Bays
from edge.bench import Bench
from edge.body_limit import HTTP_TOO_LARGE, BodyLimit, too_large_words
from edge.checks import Checks, ClerkState, KeptChecklist
from edge.clock import Now
from edge.inbox import Inbox, KeptAction, StaffEvent
from edge.installer_routes import installer_routes
from edge.link import LinkState
from edge.lock import AskedBy, Lock, owner_only
from edge.outbox import Outbox
from edge.pairing import Phones
from edge.phone_routes import phone_routes
from edge.photos import ANCHORS, Photos, read_uuid
from edge.plans import PlanFacts, Plans
from edge.push import Pushes
from edge.push_routes import push_routes
from edge.refusals import error_body, refusal
from edge.round_routes import round_routes
from edge.rounds import Rounds
from edge.staff import StaffNames
from edge.staff_routes import staff_routes
from edge.taps import Tap, TapKind, Taps
from edge.workers import WorkerState
from planograms.suppression import REST_DAYS_MAX
from storepulse import __version__
from storepulse.checklists import CHECKLIST_JSON
from storepulse.docs_page import docs_route
from storepulse.errors import BadInput, StorepulseError
from storepulse.pages import page_routes
from storepulse.pictures import ANNOTATED, KEPT

log = logging.getLogger(__name__)

_CODES: Final = {404: "not_here", 405: "not_allowed", 413: "too_large"}
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": JudgedPhoto},
    422: {"model": ErrorAnswer},
}
"""A stored answer goes out as it was stored; this says to a client what it holds."""
_WAITED_S_MAX: Final = 28 * 86_400.0
"""Conversion looks back 28 days: an older tap would change nothing."""
_REASON_MAX: Final = 500
Reason = Annotated[str, Body(max_length=_REASON_MAX)]
Uuid = Annotated[str, Body(description="made on the phone; a repeat changes nothing")]


@dataclass(frozen=True, slots=True)
class Parts:
    """What the API speaks to."""

    photos: Photos
    checks: Checks
    taps: Taps
    staff: StaffNames
    inbox: Inbox
    plans: Plans
    rounds: Rounds
    bays: Bays
    outbox: Outbox
    now: Now
    link: Callable[[], LinkState]
    workers: Callable[[], list[WorkerState]]
    upload_bytes_max: int
    node: str
    shop: str
    phones: Phones
    pushes: Pushes
    owner_key: str
    bench: Bench
    names: frozenset[str]
    """Hosts, without a port, by which this node is asked."""


@dataclass(frozen=True, slots=True)
class OutboxHealth:
    """How much the hub does not have yet."""

    epoch: str
    waiting: int
    bytes: int
    oldest_age_s: float | None
    last_number: int
    acknowledged: int


Standing = Literal["ok", "degraded"]


@dataclass(frozen=True, slots=True)
class HealthInShort:
    """What everybody may know; "degraded" means that a person should look."""

    status: Standing


@dataclass(frozen=True, slots=True)
class Health:
    """How the node stands: for its owner."""

    status: Standing
    version: str
    node: str
    at: datetime
    clock_synchronised: bool
    outbox: OutboxHealth
    link: LinkState
    workers: list[WorkerState]


def make_app(parts: Parts) -> FastAPI:
    """The API over the parts of one node."""
    app = FastAPI(
        title="storepulse node",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        description="Photos, checklists, taps and actions of one shop. Works without the hub.",
    )
    app.add_middleware(BodyLimit, bytes_max=parts.upload_bytes_max)
    # Added last it is the outermost: who may not ask has nothing read.
    app.add_middleware(Lock, keys=parts)
    _add_errors(app, parts)
    app.include_router(phone_routes(parts))
    app.include_router(staff_routes(parts))
    app.include_router(push_routes(parts))
    _add_photos(app, parts)
    _add_checklists(app, parts)
    _add_taps(app, parts)
    _add_actions(app, parts)
    _add_planograms(app, parts)
    _add_health(app, parts)
    app.include_router(round_routes(parts))
    app.include_router(bay_routes(parts))
    app.include_router(installer_routes(parts))
    app.include_router(docs_route())
    app.include_router(page_routes("clerk.html", also={"/installer": "installer.html"}))
    return app


def _add_errors(app: FastAPI, parts: Parts) -> None:
    @app.exception_handler(StorepulseError)
    async def ours(request: Request, error: StorepulseError) -> JSONResponse:
        answer = refusal(error)
        if answer.status_code >= 500:
            log.warning("%s %s: %s", request.method, request.url.path, error)
        return answer

    @app.exception_handler(RequestValidationError)
    async def form(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        words = BadInput(f"{where or 'request'}: {first['msg']}")
        return JSONResponse(error_body(words), 422)

    @app.exception_handler(AnyHTTPException)
    async def http(_request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == HTTP_TOO_LARGE:
            return JSONResponse(error_body(too_large_words(parts.upload_bytes_max)), 413)
        code = _CODES.get(error.status_code, "bad_input")
        body = {"error": {"code": code, "message": str(error.detail), "retryable": False}}
        return JSONResponse(body, error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> JSONResponse:
        log.error("%s %s broke", request.method, request.url.path, exc_info=error)
        message = "the node made a mistake; it is in its log. Try again"
        body = {"error": {"code": "fault", "message": message, "retryable": True}}
        return JSONResponse(body, 500)


def _add_photos(app: FastAPI, parts: Parts) -> None:
    @app.post("/api/photos", tags=["photos"], responses=_ANSWERS)
    async def send_photo(
        file: Annotated[UploadFile, File(description="JPEG, PNG or WebP")],
        uuid: Annotated[str, Form(description="made on the phone; a repeat gets the first answer")],
        bay: Annotated[str, Form(description="which bay the photo shows")],
        planogram: Annotated[
            str | None, Form(description="its id; without it, the bay's own")
        ] = None,
    ) -> JSONResponse:
        """Keep a shelf photo, judge it, and answer with findings, scores and checklist."""
        answer = await parts.photos.answer(uuid, bay, planogram or None, await file.read())
        # For whoever looks where the time goes: a browser shows it beside the request.
        stages = ", ".join(f"{stage};dur={ms:g}" for stage, ms in answer.took_ms.items())
        headers = {"Server-Timing": stages} if stages else {}
        return JSONResponse(answer.body, answer.status, headers=headers)

    @app.get(
        "/api/photos/{uuid}",
        tags=["photos"],
        responses={**_ANSWERS, 202: {"model": WaitingPhoto}},
    )
    async def photo(uuid: str) -> JSONResponse:
        """The answer that a photo got; 202 while it waits for one."""
        answer = await parts.photos.known(uuid)
        if answer is None:
            return JSONResponse({"photo": read_uuid(uuid), "state": "waiting"}, 202)
        return JSONResponse(answer.body, answer.status)

    @app.get("/api/photos/{uuid}/annotated.jpg", tags=["photos"], response_class=FileResponse)
    async def annotated(uuid: str) -> FileResponse:
        """The photo with its findings drawn; people are blurred."""
        return FileResponse(await parts.photos.picture(uuid, ANNOTATED), media_type="image/jpeg")

    @app.get("/api/photos/{uuid}/photo.jpg", tags=["photos"], response_class=FileResponse)
    async def kept(uuid: str) -> FileResponse:
        """The copy that is kept; people are blurred."""
        return FileResponse(await parts.photos.picture(uuid, KEPT), media_type="image/jpeg")

    @app.get("/api/photos/{uuid}/anchors.bin", tags=["photos"], response_class=FileResponse)
    async def anchors(uuid: str) -> FileResponse:
        """Image features around the items of its checklist, for a live camera (docs/anchors.md)."""
        path = await parts.photos.picture(uuid, ANCHORS)
        return FileResponse(path, media_type="application/octet-stream")


def _add_checklists(app: FastAPI, parts: Parts) -> None:
    @app.get("/api/checklists", tags=["checklists"], response_model=list[ShownChecklist])
    async def checklists(
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> list[dict[str, Any]]:
        """The newest checklists, newest first, with the marks on their items."""
        return [_checklist(one) for one in await asyncio.to_thread(parts.checks.newest, limit)]

    @app.get("/api/checklists/{checklist}", tags=["checklists"], response_model=ShownChecklist)
    async def checklist(checklist: str) -> dict[str, Any]:
        """One checklist with the marks on its items."""
        return _checklist(await asyncio.to_thread(parts.checks.one, checklist))

    @app.post(
        "/api/checklists/{checklist}/items/{item}",
        tags=["checklists"],
        response_model=ShownChecklist,
    )
    async def mark_item(
        checklist: str,
        item: str,
        state: Annotated[ClerkState, Body()],
        uuid: Uuid,
        reason: Reason = "",
        rest_days: Annotated[
            int | None,
            Body(
                ge=0,
                le=REST_DAYS_MAX,
                description="with cannot_do: for so many days, today not "
                "counted, nothing is asked of this product at this bay",
            ),
        ] = None,
    ) -> dict[str, Any]:
        """Say that an item is done, cannot be done (with the reason), or is not true."""
        moment = parts.now()
        kept = await asyncio.to_thread(
            parts.checks.mark, checklist, item, state, moment, uuid=read_uuid(uuid), reason=reason,
            rest_days=rest_days,
        )  # fmt: skip
        return _checklist(kept)


def _add_taps(app: FastAPI, parts: Parts) -> None:
    @app.post("/api/taps", tags=["taps"])
    async def tap(
        uuid: Uuid,
        kind: Annotated[TapKind, Body()],
        asked_by: AskedBy,
        ticket: Annotated[
            str | None,
            Body(
                max_length=40,
                description="of a deal: the number of its experience; of an experience: one that "
                "the phone made itself, such as 1120-7KM3Q, with its token",
            ),
        ] = None,
        amount: Annotated[float | None, Body()] = None,
        token: Annotated[
            str | None,
            Body(
                max_length=43,
                description="with an experience's own ticket: 32 random bytes in base64url, the "
                "secret behind its QR",
            ),
        ] = None,
        waited_s: Annotated[
            float,
            Body(
                ge=0,
                le=_WAITED_S_MAX,
                description="how long it waited on the phone: it counts "
                "at the moment of the tap, by the node's clock",
            ),
        ] = 0.0,
    ) -> Tap:
        """Count a reception, begin an experience, or note a deal.

        An experience's answer has its ticket: `ticket`, a number to be read aloud, and `link`, what
        its QR holds: there the customer reads the consent text. Both are made here, without the
        hub. A deal counts for an experience only when it names its ticket.

        On a phone on which somebody is picked it counts as that person's: on this node alone.
        """

        def keep() -> Tap:
            moment = parts.now()
            person = None
            if asked_by.phone is not None:
                phone, at = asked_by.phone.phone, moment.at - timedelta(seconds=waited_s)
                turn = parts.staff.turn_of(phone, at)
                person = None if turn is None else turn.person
                parts.staff.go_on(phone, at, moment.at)
            return parts.taps.tap(
                read_uuid(uuid), kind, moment, ticket=ticket, amount=amount, waited_s=waited_s,
                token=token, person=person,
            )  # fmt: skip

        return await asyncio.to_thread(keep)

    @app.delete("/api/taps/{uuid}", tags=["taps"])
    async def undo(uuid: str) -> Tap:
        """Take a tap back."""
        return await asyncio.to_thread(parts.taps.undo, read_uuid(uuid), parts.now())


def _add_actions(app: FastAPI, parts: Parts) -> None:
    @app.get("/api/actions", tags=["actions"])
    async def actions() -> list[KeptAction]:
        """What the hub asks of this shop, the newest first."""
        return await asyncio.to_thread(parts.inbox.all)

    @app.post("/api/actions/{action}", tags=["actions"])
    async def mark_action(
        action: str,
        event: Annotated[StaffEvent, Body()],
        uuid: Annotated[str | None, Body(description="made on the phone")] = None,
        reason: Reason = "",
    ) -> KeptAction:
        """Say that an action was opened, done, or declined."""
        return await asyncio.to_thread(
            parts.inbox.mark,
            action,
            event,
            parts.now(),
            uuid=None if uuid is None else read_uuid(uuid),
            reason=reason,
        )


def _add_planograms(app: FastAPI, parts: Parts) -> None:
    @app.get("/api/planograms", tags=["planograms"])
    async def planograms() -> list[PlanFacts]:
        """The planograms that photos can be judged by."""
        return await asyncio.to_thread(parts.plans.all)

    @app.get("/api/planograms/{planogram}", tags=["planograms"], response_class=FileResponse)
    async def planogram(
        planogram: str, version: Annotated[int | None, Query(ge=1)] = None
    ) -> FileResponse:
        """One planogram, whole; of another version where the one asked for is gone."""
        path = await asyncio.to_thread(parts.plans.file, planogram, version)
        return FileResponse(path, media_type="application/json")

    @app.put("/api/planograms/{planogram}", tags=["planograms"], dependencies=[Depends(owner_only)])
    async def put_planogram(planogram: str, request: Request) -> PlanFacts:
        """Keep a planogram, or a newer version of one. For the node's owner."""
        content = await request.body()
        return await asyncio.to_thread(parts.plans.put, planogram, content)


def _add_health(app: FastAPI, parts: Parts) -> None:
    @app.get("/healthz", tags=["node"])
    async def health(caller: AskedBy) -> Health | HealthInShort:
        """Whether all is well; for the node's owner also how outbox, link and children stand."""
        link, workers = parts.link(), parts.workers()
        well = not link.alarms and all(
            worker.phase in ("ready", "starting", "finished") for worker in workers
        )
        status: Standing = "ok" if well else "degraded"
        if not caller.owner:
            return HealthInShort(status)
        waiting = await asyncio.to_thread(parts.outbox.waiting)
        moment = parts.now()
        oldest = waiting.oldest_said_at
        return Health(
            status=status,
            version=__version__,
            node=parts.node,
            at=moment.at,
            clock_synchronised=moment.clock.synchronised,
            outbox=OutboxHealth(
                epoch=waiting.epoch,
                waiting=waiting.numbers,
                bytes=waiting.bytes,
                oldest_age_s=None if oldest is None else (moment.at - oldest).total_seconds(),
                last_number=waiting.last_number,
                acknowledged=waiting.acknowledged,
            ),
            link=link,
            workers=workers,
        )


def _checklist(kept: KeptChecklist) -> dict[str, Any]:
    marks = {mark.item: mark for mark in kept.marks}
    told: dict[str, Any] = CHECKLIST_JSON.dump_python(kept.checklist, mode="json")
    for item in told["items"]:
        mark = marks.get(item["id"])
        item["state"] = mark.state if mark else "open"
        item["reason"] = mark.reason if mark else ""
        item["marked_at"] = mark.at.isoformat() if mark else None
    return told

"""The door for nodes: HTTPS routes by a code or a certificate; for pictures and planograms, too.

    GET  /enrol/ca     the authority's certificate; the node compares it with its code
    POST /enrol        a code and a request: the first certificate, or one after the last has ended
    POST /enrol/renew  over mutual TLS: the next one
    PUT  /blobs/{photo}/{name}  over mutual TLS: a picture; its shop is the certificate's
    GET  /plans/{planogram}/{version}  over mutual TLS: a planogram that holds in that shop

Decides nothing (`hub.nodes.enrolling`, `hub.pictures.store`). Whoever comes to the first two has no
certificate yet, so TLS asks for one and does not insist; one that is shown must be ours and good,
else TLS itself refuses.
"""

import asyncio
import ssl
from asyncio import Transport
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from cryptography import x509
from fastapi import APIRouter, FastAPI, Request
from fastapi import Path as PathPart
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from pydantic import TypeAdapter, ValidationError
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.errors import BlobContradicts, NodeRefused
from hub.nodes.authority import NODE_LIFETIME
from hub.nodes.authority_files import KeptAuthority
from hub.nodes.enrolling import enrol, known_node, renew, sync_revoked
from hub.nodes.names import PRIVATE_NAMES, NodeNames
from hub.pictures.blobs import BlobStore, read_key
from hub.pictures.store import keep_blob
from hub.plans.store import file_for_shop
from hub.store.database import Database
from storepulse.enrolment import (
    ENROL_REQUEST_JSON,
    ENROLLED_JSON,
    RENEW_REQUEST_JSON,
    Enrolled,
)
from storepulse.errors import BadInput, StorepulseError, Unavailable
from storepulse.pictures import PICTURE_BYTES_MAX
from storepulse.topics import Address
from storepulse.units import KIB
from storepulse.wire import explain

BODY_BYTES_MAX: Final = 16 * KIB
_PRESENTED: Final = "client_certificate"
_Said = TypeVar("_Said")
_Version = Annotated[int, PathPart(ge=1, le=2**31 - 1)]
_PICTURES_AT_ONCE: Final = 4
"""Each is held in memory whole while it is kept."""
SILENT_S_MAX: Final = 30.0
"""So long no byte of a request may come before its sender is given up."""


class NoPlan(BadInput):
    """A planogram that is not there, or holds in other shops only: which is not said."""


class TooMuch(BadInput):
    """A request that is longer than any certificate's, or picture's."""


class Stalled(Unavailable):
    """A request whose rest does not come."""


_STATUS: Final[tuple[tuple[type[StorepulseError], int], ...]] = (
    (NodeRefused, 403), (TooMuch, 413), (BlobContradicts, 409), (NoPlan, 404),
    (BadInput, 422),
)  # fmt: skip
"""HTTP status of each error, the first that fits; 503 for what may be well in a while."""
_CODES: Final = {
    403: "node_refused", 404: "not_there", 409: "contradicts", 413: "too_large", 422: "refused",
    503: "unavailable",
}  # fmt: skip


class PresentingProtocol(H11Protocol):
    """Lets a route see the certificate that the connection presented: uvicorn itself hides it."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        link = transport.get_extra_info("ssl_object")
        der = None if link is None else link.getpeercert(binary_form=True)
        self.app_state = {**self.app_state, _PRESENTED: der}


def door_config(app: FastAPI, *, ca: Path, server: Path) -> Config:
    """How the door is served: TLS, and a look at the client's certificate where it has one."""
    return Config(
        app, log_level="warning", lifespan="off", server_header=False,
        timeout_graceful_shutdown=3, http=PresentingProtocol, ws="none", proxy_headers=False,
        ssl_certfile=server, ssl_keyfile=server, ssl_ca_certs=str(ca),
        ssl_cert_reqs=ssl.CERT_OPTIONAL,
    )  # fmt: skip


def create_door(
    database: Database,
    kept: KeptAuthority,
    *,
    broker: Callable[[], str],
    now: Callable[[], datetime],
    lifetime: timedelta = NODE_LIFETIME,
    allowed: NodeNames = PRIVATE_NAMES,
    store: BlobStore | None = None,
) -> FastAPI:
    """Make the door.

    Args:
        broker: where nodes find the broker: mqtts://HOST:PORT.
        allowed: under which names nodes may be served to phones.
        store: where pictures are kept; None: none are taken.
        lifetime: of the certificates that it gives.
    """
    app = FastAPI(title="storepulse: enrolment", docs_url=None, redoc_url=None)

    @app.exception_handler(StorepulseError)
    async def _refused(_request: Request, error: StorepulseError) -> JSONResponse:
        status = next((number for kind, number in _STATUS if isinstance(error, kind)), 503)
        code = _CODES[status]
        body = {"code": code, "message": str(error), "retryable": error.retryable}
        return JSONResponse({"error": body}, status)

    @app.get("/enrol/ca")
    async def authority() -> PlainTextResponse:
        return PlainTextResponse(kept.authority.certificate_pem)

    @app.post("/enrol")
    async def first(request: Request) -> JSONResponse:
        asked = await _read(request, ENROL_REQUEST_JSON)

        def give() -> Enrolled:
            at = now()
            given = enrol(
                database, kept.authority, asked, now=at, broker=broker(), lifetime=lifetime,
                allowed=allowed,
            )  # fmt: skip
            # What the node had before is good no more: the brokers must know.
            sync_revoked(database, kept, now=at)
            return given

        return _told(await asyncio.to_thread(give))

    @app.post("/enrol/renew")
    async def again(request: Request) -> JSONResponse:
        presented = _presented(request)
        asked = await _read(request, RENEW_REQUEST_JSON)
        given = await asyncio.to_thread(
            renew, database, kept.authority, presented, asked, now=now(), broker=broker(),
            lifetime=lifetime,
        )  # fmt: skip
        return _told(given)

    if store is not None:
        app.include_router(_picture_routes(database, store, now))
    app.include_router(_plan_routes(database, now))
    return app


def _plan_routes(database: Database, now: Callable[[], datetime]) -> APIRouter:
    routes = APIRouter()

    @routes.get("/plans/{planogram}/{version}")
    async def plan(planogram: str, version: _Version, request: Request) -> Response:
        presented = _presented(request)
        sender = await asyncio.to_thread(_sender, database, presented, now())
        content = await asyncio.to_thread(_plan_for, database, sender, planogram, version)
        return Response(content, media_type="application/json")

    return routes


def _plan_for(database: Database, sender: Address, planogram: str, version: int) -> bytes:
    with database.connection() as connection:
        content = file_for_shop(connection, planogram, version, sender.shop)
    if content is None:
        raise NoPlan("no such planogram holds in this shop")
    return content


def _picture_routes(database: Database, store: BlobStore, now: Callable[[], datetime]) -> APIRouter:
    routes = APIRouter()
    turn = asyncio.Semaphore(_PICTURES_AT_ONCE)

    @routes.put("/blobs/{photo}/{name}")
    async def put(photo: str, name: str, request: Request) -> JSONResponse:
        presented = _presented(request)
        sender = await asyncio.to_thread(_sender, database, presented, now())
        key = read_key(sender.shop, photo, name)
        async with turn:
            content = await _body(request, PICTURE_BYTES_MAX, "a picture")
            new = await asyncio.to_thread(
                keep_blob, database, store, key, content, sender, now=now()
            )
        return JSONResponse({"kept": key.path, "new": new}, 201 if new else 200)

    return routes


def _sender(database: Database, presented: x509.Certificate, now: datetime) -> Address:
    with database.connection() as connection:
        return known_node(connection, presented, now=now)[0]


def _presented(request: Request) -> x509.Certificate:
    der = request.scope["state"].get(_PRESENTED)
    if der is None:
        raise NodeRefused("show the node's present certificate, or enrol by a code")
    return x509.load_der_x509_certificate(der)


async def _body(request: Request, bytes_max: int, what: str) -> bytes:
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > bytes_max:
        # Before it is sent: who asks by `Expect: 100-continue` need not send it at all.
        raise TooMuch(f"{what} has at most {bytes_max} bytes")
    body = bytearray()
    parts = request.stream()
    while True:
        try:
            # A shop's line that breaks in the middle says nothing: without an end to the waiting
            # a few such nodes would keep all others out for good.
            part = await asyncio.wait_for(anext(parts, None), SILENT_S_MAX)
        except TimeoutError as error:
            raise Stalled(f"{what} stopped coming for {SILENT_S_MAX:g} s") from error
        if part is None:
            return bytes(body)
        body += part
        if len(body) > bytes_max:
            raise TooMuch(f"{what} has at most {bytes_max} bytes")


async def _read(request: Request, form: TypeAdapter[_Said]) -> _Said:
    body = await _body(request, BODY_BYTES_MAX, "a request for a certificate")
    try:
        return form.validate_json(body)
    except ValidationError as error:
        raise BadInput(f"the request cannot be read: {explain(error)}") from error


def _told(given: Enrolled) -> JSONResponse:
    said: Any = ENROLLED_JSON.dump_python(given, mode="json")
    return JSONResponse(said)

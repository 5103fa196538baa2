"""The door for nodes: HTTPS routes that take a code or a certificate and give a certificate.

    GET  /enrol/ca     the authority's certificate; the node compares it with its code
    POST /enrol        a code and a request: the first certificate, or one after the last has ended
    POST /enrol/renew  over mutual TLS: the next one

Decides nothing (`hub.enrolling`). Whoever comes to the first two has no certificate yet, so TLS
asks for one and does not insist; one that is shown must be ours and good, else TLS itself refuses.
"""

import asyncio
import ssl
from asyncio import Transport
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

from cryptography import x509
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import TypeAdapter, ValidationError
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.authority import NODE_LIFETIME
from hub.authority_files import KeptAuthority
from hub.database import Database
from hub.enrolling import enrol, renew, sync_revoked
from hub.errors import NodeRefused
from hub.node_names import PRIVATE_NAMES, NodeNames
from storepulse.enrolment import (
    ENROL_REQUEST_JSON,
    ENROLLED_JSON,
    RENEW_REQUEST_JSON,
    Enrolled,
)
from storepulse.errors import BadInput, StorepulseError
from storepulse.units import KIB
from storepulse.wire import explain

BODY_BYTES_MAX: Final = 16 * KIB
_PRESENTED: Final = "client_certificate"
_Said = TypeVar("_Said")


class TooMuch(BadInput):
    """A request that is longer than any certificate's."""


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
        timeout_graceful_shutdown=3, http=PresentingProtocol, ws="none",
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
) -> FastAPI:
    """Make the door.

    Args:
        broker: where nodes find the broker: mqtts://HOST:PORT.
        allowed: under which names nodes may be served to phones.
        lifetime: of the certificates that it gives.
    """
    app = FastAPI(title="storepulse: enrolment", docs_url=None, redoc_url=None)

    @app.exception_handler(StorepulseError)
    async def _refused(_request: Request, error: StorepulseError) -> JSONResponse:
        status = 403 if isinstance(error, NodeRefused) else 422
        status = 413 if isinstance(error, TooMuch) else status
        status = status if isinstance(error, BadInput) else 503
        code = {403: "node_refused", 413: "too_large", 422: "refused"}.get(status, "unavailable")
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
        der = request.scope["state"].get(_PRESENTED)
        if der is None:
            raise NodeRefused("show the node's present certificate, or enrol by a code")
        presented = x509.load_der_x509_certificate(der)
        asked = await _read(request, RENEW_REQUEST_JSON)
        given = await asyncio.to_thread(
            renew, database, kept.authority, presented, asked, now=now(), broker=broker(),
            lifetime=lifetime,
        )  # fmt: skip
        return _told(given)

    return app


async def _read(request: Request, form: TypeAdapter[_Said]) -> _Said:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise TooMuch(f"a request for a certificate has at most {BODY_BYTES_MAX} bytes")
    try:
        return form.validate_json(body)
    except ValidationError as error:
        raise BadInput(f"the request cannot be read: {explain(error)}") from error


def _told(given: Enrolled) -> JSONResponse:
    said: Any = ENROLLED_JSON.dump_python(given, mode="json")
    return JSONResponse(said)

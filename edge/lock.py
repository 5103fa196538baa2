"""The lock on the node's API: who asks is settled here, once, before any route. Deny by default.

What is not on the list of public paths needs a paired phone's cookie or the owner's key; that a
path is new, misspelt or unknown changes nothing. What only the owner may, the route itself says
(`owner_only`). Reads the disk for each request: a phone that was ended is ended at once, whichever
process ended it.
"""

import asyncio
import logging
import re
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from fastapi import Depends, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.clock import Now
from edge.errors import ForeignOrigin, NotYours, Unpaired, WrongHost
from edge.owner import is_owner
from edge.pairing import PairedPhone, Phones
from edge.refusals import refusal
from storepulse.errors import StorepulseError

log = logging.getLogger(__name__)

PUBLIC: Final = frozenset(
    {
        # The page, which says that the phone is not paired, and how it is.
        ("GET", "/"), ("GET", "/sw.js"), ("GET", "/push.js"), ("GET", "/app.webmanifest"),
        # The installer's page holds nothing by itself: it asks for the owner's key.
        ("GET", "/installer"),
        # The certificate of the hub's authority, which a phone is to trust.
        ("GET", "/ca.pem"),
        ("POST", "/api/pair"),
        # To the public it says "ok" or "degraded" and nothing else.
        ("GET", "/healthz"),
        # What the routes are is in our source anyway.
        ("GET", "/docs"), ("GET", "/openapi.json"),
    }
)  # fmt: skip
"""Whole paths, so that no other spelling of a path falls among them."""
PUBLIC_FILES: Final = re.compile(r"/assets/[^/]+")
"""What the page loads."""
COOKIE: Final = "storepulse-phone"
SECURE_COOKIE: Final = f"__Host-{COOKIE}"
"""Over TLS: no other host and no plain page can set a cookie of this name."""
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY_VIOLATION: Final = 1008


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Neither: nobody whom the node knows."""

    owner: bool = False
    phone: PairedPhone | None = None


class Keys(Protocol):
    """What the lock needs to know."""

    @property
    def phones(self) -> Phones: ...
    @property
    def owner_key(self) -> str: ...
    @property
    def names(self) -> frozenset[str]:
        """Hosts, without a port, by which this node is asked."""

    @property
    def now(self) -> Now: ...


class Lock:
    """ASGI middleware: the outermost, so that nothing of a refused request is read."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its `Caller`, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        try:
            scope.setdefault("state", {})["caller"] = await self._admit(HTTPConnection(scope))
        except StorepulseError as error:
            if not isinstance(error, Unpaired):
                log.info("%s %s: %s", scope["method"], scope["path"], error)
            await refusal(error)(scope, receive, _unkept(send))
            return
        kept_nowhere = scope["path"].startswith("/api/")
        await self._app(scope, receive, _unkept(send) if kept_nowhere else send)

    async def _admit(self, asked: HTTPConnection) -> Caller:
        """Say who asks.

        Raises:
            WrongHost, Unpaired, ForeignOrigin: the request is refused.
        """
        method, path = asked.scope["method"], asked.scope["path"]
        if _host_of(asked.headers) not in self._keys.names:
            raise WrongHost
        caller = await self._caller(asked)
        known = caller.owner or caller.phone is not None
        if not known and not _is_public(method, path):
            raise Unpaired
        if method not in _SAFE and not _may_write(asked, caller):
            raise ForeignOrigin
        return caller

    async def _caller(self, asked: HTTPConnection) -> Caller:
        if is_owner(asked.headers.get("authorization"), self._keys.owner_key):
            return Caller(owner=True)
        token = asked.cookies.get(cookie_name(asked))
        if not token:
            return Caller()
        now = self._keys.now().at
        return Caller(phone=await asyncio.to_thread(self._keys.phones.paired_as, token, now))


def cookie_name(asked: HTTPConnection) -> str:
    """The name of the cookie that counts on this connection: over TLS none that plain HTTP set."""
    return SECURE_COOKIE if asked.scope["scheme"] == "https" else COOKIE


def caller_of(request: Request) -> Caller:
    """Who asks, as the lock found."""
    found: Caller = request.state.caller
    return found


def phone_of(request: Request) -> PairedPhone:
    """The phone that asks. Raises `Unpaired`, also for the owner, who is none."""
    phone = caller_of(request).phone
    if phone is None:
        raise Unpaired
    return phone


def owner_only(request: Request) -> None:
    """Raises `NotYours` for everybody but the node's owner."""
    if not caller_of(request).owner:
        raise NotYours


AskedBy = Annotated[Caller, Depends(caller_of)]
AskingPhone = Annotated[PairedPhone, Depends(phone_of)]


def _is_public(method: str, path: str) -> bool:
    if (method, path) in PUBLIC:
        return True
    return method == "GET" and PUBLIC_FILES.fullmatch(path) is not None


def _may_write(asked: HTTPConnection, caller: Caller) -> bool:
    """Whether a write is the own page's, or a program's: no page of elsewhere can send it.

    A browser says its page's Origin with every write; a page of elsewhere can send JSON, or an
    Authorization header, only after the node has allowed it, which it never does.
    """
    origin = asked.headers.get("origin")
    if origin is not None:
        return origin == f"{asked.scope['scheme']}://{asked.headers.get('host', '')}"
    kind = asked.headers.get("content-type", "").split(";")[0].strip().lower()
    return caller.owner or kind == "application/json"


def _unkept(send: Send) -> Send:
    """Let no cache keep the answer: what a phone was shown is not there for whoever has it next."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("Cache-Control", "no-store")
        await send(message)

    return sent


def _host_of(headers: Headers) -> str:
    """The host that was asked for, without its port."""
    host = headers.get("host", "").lower()
    return host if host.endswith("]") else host.rsplit(":", 1)[0]

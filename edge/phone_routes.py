"""The routes by which a phone pairs, asks who it is, and goes. Decides in `pairing`."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Body, Request, Response

from edge.clock import Now
from edge.errors import CodeUsedOrEnded, TooManyTries
from edge.lock import SECURE_COOKIE, AskingPhone, caller_of, cookie_name
from edge.pairing import PairedPhone, Phones
from edge.photos import read_uuid
from edge.wrong_tries import WrongTries
from storepulse.errors import StorepulseError
from storepulse.phones import PAIRED_FOR, PHONE_NAME_MAX, read_pairing_code

_CODE_TYPED_MAX: Final = 40


@dataclass(frozen=True, slots=True)
class NewlyPaired:
    """A phone that may speak now: its token is in the cookie that comes with this."""

    phone: str
    shop: str


@dataclass(frozen=True, slots=True)
class ThisPhone:
    """The phone that asks, as the node knows it."""

    phone: str
    name: str
    shop: str
    paired_at: datetime
    ticket_pages: str = ""
    """While the node is away a phone makes an experience's ticket itself (see POST /api/taps): its
    QR holds this and the token behind it. "": there is no QR yet."""


@dataclass(frozen=True, slots=True)
class EndedPhone:
    """A phone that may speak no more."""

    phone: str
    ended_at: datetime


class Pairs(Protocol):
    """What these routes speak to."""

    @property
    def phones(self) -> Phones: ...
    @property
    def now(self) -> Now: ...
    @property
    def shop(self) -> str: ...


def phone_routes(parts: Pairs) -> APIRouter:
    """The routes over the phones of one node."""
    routes = APIRouter(prefix="/api", tags=["phones"])
    tries = WrongTries()

    @routes.post("/pair")
    async def pair(
        code: Annotated[str, Body(max_length=_CODE_TYPED_MAX)],
        uuid: Annotated[str, Body(description="made on the phone; a repeat pairs once")],
        request: Request,
        response: Response,
        name: Annotated[
            str, Body(max_length=PHONE_NAME_MAX, description="by which people know the phone")
        ] = "",
    ) -> NewlyPaired:
        """Pair this phone by a code; the cookie that comes with the answer lets it speak.

        A phone that was paired before is another one from now on: the one of before is ended.
        """
        typed, request_id = read_pairing_code(code), read_uuid(uuid)
        moment = parts.now()
        began_s = moment.clock.monotonic_s
        wait_s = tries.wait_s(began_s)
        if wait_s > 0:
            raise TooManyTries(wait_s)
        tries.begun(began_s)
        try:
            paired = await asyncio.to_thread(
                parts.phones.pair, typed, request_id, name.strip(), moment
            )
        except CodeUsedOrEnded:
            raise
        except StorepulseError:
            tries.take_back(began_s)
            raise
        tries.take_back(began_s)
        before = caller_of(request).phone
        if before is not None and before.phone != paired.phone.phone:
            await asyncio.to_thread(parts.phones.end, before.phone, moment)
        cookie = cookie_name(request)
        response.set_cookie(
            cookie, paired.token, max_age=int(PAIRED_FOR.total_seconds()), path="/",
            secure=cookie == SECURE_COOKIE, httponly=True, samesite="strict",
        )  # fmt: skip
        return NewlyPaired(phone=paired.phone.phone, shop=parts.shop)

    @routes.get("/phone")
    async def this_phone(asking: AskingPhone) -> ThisPhone:
        """Which phone this is, and with which shop it is paired."""
        pages = await asyncio.to_thread(parts.phones.ticket_pages)
        return ThisPhone(asking.phone, asking.name, parts.shop, asking.paired_at, pages)

    @routes.delete("/phone")
    async def unpair(asking: AskingPhone, request: Request, response: Response) -> EndedPhone:
        """Forget this phone: it needs another code to come back."""
        ended = await asyncio.to_thread(parts.phones.end, asking.phone, parts.now())
        response.delete_cookie(
            cookie_name(request), path="/", secure=request.url.scheme == "https", httponly=True,
            samesite="strict",
        )  # fmt: skip
        return _ended(ended)

    return routes


def _ended(phone: PairedPhone) -> EndedPhone:
    assert phone.ended_at is not None
    return EndedPhone(phone.phone, phone.ended_at)

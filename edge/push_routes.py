"""The routes by which a phone lets itself be told of new actions, or not any more."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import APIRouter, Body

from edge.clock import Now
from edge.lock import AskingPhone
from edge.push import Language, Pushes
from storepulse.web_push import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidPush:
    """What `pushManager.subscribe` gave this phone, and the language of its page."""

    endpoint: str = field(repr=False)
    p256dh: str
    auth: str = field(repr=False)
    language: Language = "zh"


@dataclass(frozen=True, slots=True)
class PushOfPhone:
    """How this phone stands."""

    key: str
    """For `pushManager.subscribe` (applicationServerKey)."""
    told: bool
    """Whether it is told of new actions while its page is closed."""


class Tells(Protocol):
    """What these routes speak to."""

    @property
    def pushes(self) -> Pushes: ...
    @property
    def now(self) -> Now: ...


def push_routes(parts: Tells) -> APIRouter:
    """The routes over the phones of one node that are told; each phone for itself."""
    routes = APIRouter(prefix="/api/push", tags=["phones"])

    @routes.get("")
    async def how(asking: AskingPhone) -> PushOfPhone:
        """Whether this phone is told of new actions, and the key by which it subscribes."""
        told = await asyncio.to_thread(parts.pushes.tells, asking.phone)
        return PushOfPhone(parts.pushes.key.public, told)

    @routes.put("")
    async def tell(asking: AskingPhone, said: Annotated[SaidPush, Body()]) -> PushOfPhone:
        """Tell this phone of new actions, once each, not at night, at most 8 messages a day."""
        one = Subscription(said.endpoint, said.p256dh, said.auth)
        await asyncio.to_thread(parts.pushes.keep, asking.phone, one, said.language, parts.now())
        return PushOfPhone(parts.pushes.key.public, True)

    @routes.delete("")
    async def tell_no_more(asking: AskingPhone) -> PushOfPhone:
        """Tell this phone nothing any more."""
        await asyncio.to_thread(parts.pushes.drop, asking.phone)
        return PushOfPhone(parts.pushes.key.public, False)

    return routes

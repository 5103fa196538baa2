"""The routes by which a name is picked on a paired phone. Decides in `staff`."""

import asyncio
from dataclasses import dataclass
from datetime import UTC
from typing import Annotated, Protocol

from fastapi import APIRouter, Body

from edge.clock import Now
from edge.lock import AskingPhone
from edge.plans import Plans
from edge.staff import OwnFigures, Staff, StaffNames, Turn

Pin = Annotated[str, Body(pattern=r"^[0-9]{4}$", description="four digits")]


@dataclass(frozen=True, slots=True)
class StaffHere:
    """The names that can be picked, and whose this phone is now."""

    names: tuple[Staff, ...]
    turn: Turn | None


@dataclass(frozen=True, slots=True)
class OwnDay:
    """What is one person's alone: shown on the phone on which that person is picked."""

    turn: Turn | None
    today: OwnFigures | None


class Names(Protocol):
    """What these routes speak to."""

    @property
    def staff(self) -> StaffNames: ...
    @property
    def plans(self) -> Plans: ...
    @property
    def now(self) -> Now: ...


def staff_routes(parts: Names) -> APIRouter:
    """The routes over the names of one node."""
    routes = APIRouter(prefix="/api/staff", tags=["staff"])

    @routes.get("")
    async def staff(asking: AskingPhone) -> StaffHere:
        """Names, and whose this phone is."""

        def look() -> StaffHere:
            turn = parts.staff.turn_of(asking.phone, parts.now().at)
            return StaffHere(tuple(parts.staff.all()), turn)

        return await asyncio.to_thread(look)

    @routes.post("/turn")
    async def pick(person: Annotated[str, Body()], pin: Pin, asking: AskingPhone) -> Turn:
        """Pick a name by its PIN. After five wrong ones the name is locked for a while."""
        at = parts.now().at
        return await asyncio.to_thread(parts.staff.pick, asking.phone, person, pin, at)

    @routes.delete("/turn")
    async def leave(asking: AskingPhone) -> OwnDay:
        """The phone is nobody's from now on."""
        await asyncio.to_thread(parts.staff.leave, asking.phone, parts.now().at)
        return OwnDay(None, None)

    @routes.get("/own")
    async def own(asking: AskingPhone) -> OwnDay:
        """The own figures of whoever is picked on this phone, of today by the shop's clock."""

        def look() -> OwnDay:
            at = parts.now().at
            turn = parts.staff.turn_of(asking.phone, at)
            if turn is None:
                return OwnDay(None, None)
            since = parts.plans.day_began(at).astimezone(UTC)
            return OwnDay(turn, parts.staff.figures(turn.person, since))

        return await asyncio.to_thread(look)

    return routes

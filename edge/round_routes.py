"""What the phones of a shop ask about its rounds. Decides nothing."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from fastapi import APIRouter

from edge.rounds import Rounds
from planograms.rounds import RoundStanding, next_bay


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsNow:
    """The rounds that are open now, what is due first first."""

    next: str | None
    """The bay to photograph next; null: nothing is due."""
    rounds: tuple[RoundStanding, ...]


class Walks(Protocol):
    """What these routes speak to."""

    @property
    def rounds(self) -> Rounds: ...


def round_routes(parts: Walks) -> APIRouter:
    """The routes over the rounds of one node."""
    routes = APIRouter(prefix="/api", tags=["rounds"])

    @routes.get("/rounds")
    async def rounds() -> RoundsNow:
        """Which bays are to be photographed now, and which were."""
        found = await asyncio.to_thread(parts.rounds.standing)
        return RoundsNow(next=next_bay(found), rounds=found)

    return routes

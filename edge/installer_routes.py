"""The routes of the installer's page: for the node's owner alone. Decides in `bench`.

No phone, paired or not, gets anything here: each route wants the owner's key. What it shows names
the hub, the broker and the node's trouble.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Protocol

from fastapi import APIRouter, Body, Depends, File, Form, UploadFile

from edge.bench import About, Bench, EnrolledAs, NewCode, TriedPhoto
from edge.clock import Now
from edge.doctor import Finding
from edge.errors import BadSettings
from edge.lock import owner_only
from storepulse.errors import BadInput

_TYPED_MAX: Final = 300
_NAMES_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """How everything stood at a moment."""

    at: datetime
    findings: list[Finding]


class Installs(Protocol):
    """What these routes speak to."""

    @property
    def bench(self) -> Bench: ...
    @property
    def now(self) -> Now: ...


def installer_routes(parts: Installs) -> APIRouter:
    """The routes over one node, each for its owner."""
    routes = APIRouter(
        prefix="/api/installer", tags=["installer"], dependencies=[Depends(owner_only)]
    )

    @routes.get("")
    async def about() -> About:
        """Which node this is."""
        return await asyncio.to_thread(parts.bench.about)

    @routes.get("/doctor")
    async def doctor() -> Examined:
        """Look at everything; what is not well says what to do. Takes up to some seconds."""
        return Examined(at=parts.now().at, findings=await parts.bench.examine())

    @routes.post("/test-photo")
    async def test_photo(
        file: Annotated[UploadFile, File(description="JPEG, PNG or WebP")],
        planogram: Annotated[str | None, Form(description="its id; without it, the first")] = None,
    ) -> TriedPhoto:
        """Judge a photo and forget it: nothing of it is kept, or told to the hub."""
        return await parts.bench.try_photo(await file.read(), planogram or None)

    @routes.post("/pairing-code")
    async def pairing_code() -> NewCode:
        """A code by which one phone pairs: once, within 15 minutes."""
        return await asyncio.to_thread(parts.bench.new_code)

    @routes.post("/enrol")
    async def enrol(
        code: Annotated[str, Body(max_length=_TYPED_MAX, description="as the hub gave it out")],
        hub: Annotated[str, Body(max_length=_TYPED_MAX, description="https://HOST:PORT")],
        names: Annotated[
            list[Annotated[str, Body(max_length=_TYPED_MAX)]],
            Body(max_length=_NAMES_MAX, description="under which phones reach this node"),
        ] = [],  # noqa: B006
    ) -> EnrolledAs:
        """Bring this node in by a code. It is the one that was enrolled from its next start on."""
        try:
            return await asyncio.to_thread(parts.bench.enrol, code.strip(), hub.strip(), names)
        except BadSettings as error:
            # Here somebody typed it: it is no fault of the node's.
            raise BadInput(str(error)) from error

    return routes

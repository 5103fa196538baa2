"""What a phone asks before it sends a photo: which bay is this? Decides nothing."""

from typing import Annotated, Protocol

from fastapi import APIRouter, File, UploadFile

from edge.bays import Bays
from planograms.bay_answers import SeenBay


class Knows(Protocol):
    """What this route speaks to."""

    @property
    def bays(self) -> Bays: ...


def bay_routes(parts: Knows) -> APIRouter:
    """The route over the bays of one node."""
    routes = APIRouter(prefix="/api", tags=["photos"])

    @routes.post("/bay")
    async def bay(
        file: Annotated[UploadFile, File(description="the photo, also made smaller")],
    ) -> SeenBay:
        """Say which bay a photo shows, and how sure that is; the photo is not kept."""
        return await parts.bays.recognise(await file.read())

    return routes

"""Show evidence pictures to whoever may see their shop's figures, which the database decides."""

from typing import Annotated, Final

from fastapi import APIRouter, Path
from fastapi.responses import Response

from hub.errors import Refused
from hub.people.roles import Session
from hub.people.sessions import ReadsFigures
from hub.pictures.blobs import BlobKey, BlobStore, read_key
from hub.store.database import Database
from hub.store.queries import question
from storepulse.errors import BadInput

_HEADERS: Final = {
    # It begins like a JPEG; a browser shall take it for nothing else, and run nothing.
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
Text = Annotated[str, Path(max_length=200)]


class NoPicture(Refused):
    """None of this name, or none for whoever asks: which of the two is not said."""

    status = 404
    code = "not_there"


class NoPictureYet(Refused):
    """The node has told of the photo; its picture has not come up yet."""

    status = 404
    code = "not_there_yet"
    retryable = True


def picture_routes(database: Database, store: BlobStore | None) -> APIRouter:
    """`GET /api/shops/{shop}/photos/{photo}/{name}`; without a store there are no pictures."""
    routes = APIRouter(prefix="/api", tags=["pictures"])

    @routes.get(
        "/shops/{shop}/photos/{photo}/{name}",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}},
    )
    def picture(shop: Text, photo: Text, name: Text, session: ReadsFigures) -> Response:
        """A photo with its findings drawn (annotated.jpg), or without (photo.jpg)."""
        try:
            key = read_key(shop, photo, name)
        except BadInput as error:
            raise NoPicture("there is no such picture") from error
        content = _seen(database, store, key, session)
        return Response(content, media_type="image/jpeg", headers=_HEADERS)

    return routes


def _seen(database: Database, store: BlobStore | None, key: BlobKey, session: Session) -> bytes:
    said = {"shop": key.shop, "photo": key.photo, "name": key.name}
    with database.of_session(session) as connection:
        row = connection.execute(question("seen_blob"), said).fetchone()
    assert row is not None
    content = store.read(key) if store is not None and row["there"] else None
    if content is not None:
        return content
    if row["told"] and not row["there"]:
        raise NoPictureYet("the node has not sent this picture yet")
    raise NoPicture("there is no such picture")

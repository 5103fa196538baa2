"""Serve a built page and its files beside an API. Builds none: `make pages` does, with Vite.

Knows neither hub nor node. Where nothing was built, the page's address says so in one line.
"""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, PlainTextResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

ENVIRONMENT_NAME: Final = "STOREPULSE_PAGES"
"""A folder of built pages, for a package that lies elsewhere than its source."""
NOT_BUILT: Final = "the pages are not built on this machine: run `make pages`\n"
_BESIDE_THE_SOURCE: Final = Path(__file__).parents[1] / "dashboards" / "dist"
_HEADERS: Final = {
    # All that a page needs comes from where it came from itself: no script, style, font or picture
    # of another site, and nobody may put the page into a frame.
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_ASK_EACH_TIME: Final = {"Cache-Control": "no-cache"}
_NEVER_CHANGES: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
"""A built file's name holds the hash of what is in it."""


def pages_folder() -> Path:
    """Where the built pages lie, or would."""
    return Path(os.environ.get(ENVIRONMENT_NAME) or _BESIDE_THE_SOURCE)


def page_routes(
    page: str, folder: Path | None = None, *, also: Mapping[str, str] | None = None
) -> APIRouter:
    """The routes of a page: `/`, what it loads, how it is installed and kept for offline.

    Args:
        page: name of the built page, such as "clerk.html".
        also: further built pages, each by the path at which it is served.
        folder: of the built pages; without it, `pages_folder()` at each request, so that pages
            that are built while a server runs are served.
    """
    routes = APIRouter(include_in_schema=False)

    def found(name: str) -> Path:
        return (folder or pages_folder()) / name

    def whole(name: str) -> Response:
        path = found(name)
        if not path.is_file():
            return PlainTextResponse(NOT_BUILT, 503)
        return FileResponse(path, media_type="text/html", headers=_HEADERS | _ASK_EACH_TIME)

    for at, name in {"/": page, **(also or {})}.items():
        routes.add_api_route(at, partial(whole, name), methods=["GET"])

    @routes.get("/app.webmanifest")
    def manifest() -> Response:
        return _file(found("app.webmanifest"), _ASK_EACH_TIME, kind=".webmanifest")

    @routes.get("/sw.js")
    def worker() -> Response:
        return _file(found("sw.js"), _ASK_EACH_TIME)

    @routes.get("/push.js")
    def notes() -> Response:
        return _file(found("push.js"), _ASK_EACH_TIME)

    @routes.get("/assets/{name}")
    def asset(name: str, request: Request) -> Response:
        # One folder, no way out of it: the route takes no slash, and `..` is no file.
        path = found("assets") / name
        packed = path.with_name(path.name + ".gz")
        if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
            more = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            return _file(packed, _NEVER_CHANGES | more, kind=path.suffix)
        return _file(path, _NEVER_CHANGES, kind=path.suffix)

    return routes


_KINDS: Final = {
    ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}  # fmt: skip


def _file(path: Path, headers: dict[str, str], *, kind: str = ".js") -> Response:
    if not path.is_file():
        raise HTTPException(404, "there is no such file")
    shown = _KINDS.get(kind, "application/octet-stream")
    return FileResponse(path, media_type=shown, headers=_HEADERS | headers)

"""The page behind a ticket's QR, as files of ours: no build, no cookie, nothing from elsewhere."""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # The secret of the ticket stands in the address: no other page hears of it.
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FILES: Final = {
    "/ticket": ("ticket.html", "text/html; charset=utf-8"),
    "/ticket.js": ("ticket.js", "text/javascript; charset=utf-8"),
    "/ticket.css": ("ticket.css", "text/css; charset=utf-8"),
}


def ticket_page_routes() -> APIRouter:
    """GET /ticket and its two files."""
    routes = APIRouter(include_in_schema=False)

    def serve(path: str, name: str, kind: str) -> None:
        content = (files("hub.care") / "page" / name).read_bytes()

        @routes.get(path)
        def file() -> Response:
            return Response(content, media_type=kind, headers=_HEADERS)

    for path, (name, kind) in _FILES.items():
        serve(path, name, kind)
    return routes

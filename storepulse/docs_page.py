"""Serve a page that lists the routes of an API, with nothing from elsewhere. Knows no route.

FastAPI's own page loads its script from a network of others: without a line it stays empty, and
with one it would run foreign code where phones and managers are signed in.
"""

from importlib.resources import files
from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def docs_route() -> APIRouter:
    """`GET /docs`: what /openapi.json describes, for people."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs")
    def docs() -> HTMLResponse:
        text = (files("storepulse") / "docs_page.html").read_text(encoding="utf-8")
        return HTMLResponse(text, headers=_HEADERS)

    return routes

"""A visitor of the hub's API, without a socket: keeps cookies as a browser does."""

import asyncio
from datetime import datetime
from typing import Any

import httpx

from hub.api.app import create_app
from hub.api.news import News
from hub.people.roles import Role
from hub.people.sessions import _PLAIN_COOKIE
from hub.people.store import first_link
from hub.store.database import Database
from tests.hub.staff import session_for

ADDRESS = "http://127.0.0.1:8080"
PASSWORD = "correct horse battery"
"""Long enough, and of nobody."""


class Visitor:
    """Somebody with a browser of his own."""

    def __init__(
        self,
        database: Database,
        *,
        now: Any = None,
        token: str | None = None,
        address: str = ADDRESS,
        news: News | None = None,
        app: Any = None,
    ) -> None:
        more = {} if now is None else {"now": now}
        self.app = app or create_app(database, news=news, **more)
        self.address = address
        self.cookies = httpx.Cookies()
        if token is not None:
            self.cookies.set(_PLAIN_COOKIE, token)

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("DELETE", path, **more)

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """As a program that is no browser: it says JSON, and no origin."""
        headers = {"content-type": "application/json"} | more.pop("headers", {})
        return asyncio.run(self._ask(method, path, headers=headers, **more))

    async def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(
            transport=transport, base_url=self.address, cookies=self.cookies
        ) as client:
            answer = await client.request(method, path, **more)
            self.cookies = client.cookies
            return answer

    def at_once(self, asked: list[tuple[str, str, Any]]) -> list[httpx.Response]:
        """Several of them, each with no cookie, ask one hub at the same time: (method, path, body).

        On one loop, as the hub runs: it builds its routes when they are first asked for, which
        several loops in several threads must not do side by side.
        """

        async def ask_all() -> list[httpx.Response]:
            browsers = [self.other() for _ in asked]
            headers = {"content-type": "application/json"}
            return await asyncio.gather(
                *(
                    browser._ask(method, path, json=body, headers=headers)
                    for browser, (method, path, body) in zip(browsers, asked, strict=True)
                )
            )

        return asyncio.run(ask_all())

    def other(self) -> "Visitor":
        """Somebody else with the same hub, and no cookie."""
        return Visitor(None, app=self.app, address=self.address)  # type: ignore[arg-type]


def visitor_of(
    database: Database, role: Role = "head_office", *, now: datetime | None = None, **reach: Any
) -> Visitor:
    """Somebody who has signed in, at a moment that does not move."""
    _, token = session_for(database, role, **reach)
    return Visitor(database, token=token, now=None if now is None else lambda: now)


def first_visitor(database: Database, **more: Any) -> Visitor:
    """The first person of head office, in by the link of the first run, as a stranger would be."""
    with database.connection() as connection:
        token = first_link(connection)
    visitor = Visitor(database, **more)
    answer = visitor.post(f"/api/welcome/{token}", json={"name": "Ann", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return visitor

"""GET /api/audit: the log, for auditors and head office. Writes nothing."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from hub.api.asked import Since, Until
from hub.audit.store import LINES_MAX, Line, lines
from hub.people.roles import Session
from hub.people.sessions import needs
from hub.store.database import Database

ReadsAudit = Annotated[Session, Depends(needs("read_audit"))]
_ID_MAX = 2**63 - 1


def audit_routes(database: Database) -> APIRouter:
    """The log, newest first."""
    routes = APIRouter(prefix="/api", tags=["audit"])

    @routes.get("/audit")
    def audit(
        session: ReadsAudit,
        before: Annotated[int | None, Query(ge=1, le=_ID_MAX)] = None,
        about: Annotated[str | None, Query(max_length=200)] = None,
        what: Annotated[str | None, Query(max_length=100)] = None,
        person: UUID | None = None,
        first: Since = None,
        last: Until = None,
        limit: Annotated[int, Query(ge=1, le=LINES_MAX)] = 100,
    ) -> list[Line]:
        """Who changed what, also of days from..to; `before` the id of a line gives those before
        it."""
        with database.of_session(session) as connection:
            return lines(
                connection, before=before, about=about, what=what, person=person, first=first,
                last=last, limit=limit,
            )  # fmt: skip

    return routes

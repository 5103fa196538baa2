"""Policies over HTTP: list, read, try, publish; a shop's calendar of codes. Computes nothing.

Whether somebody may publish, the database decides: the route only says so more kindly.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.status import HTTP_201_CREATED

from hub.api.asked import Clock, Day, Name, NotThere
from hub.codes.calendar import CALENDAR_DAYS_MAX, Calendar, read_calendar
from hub.codes.computing import UnknownShop, day_shown, read_policies, shop_kinds
from hub.codes.effective import check_policy
from hub.codes.policy import Policy, policy_schema
from hub.codes.publishing import (
    PolicyVersion,
    list_policies,
    next_draft,
    policy_of_version,
    publish_as_session,
    try_policy,
)
from hub.codes.touched import known_shops, newest_code_day_seen
from hub.codes.trial import TRIED_DAYS, Trial
from hub.people.sessions import EditsPolicies, NotYours, ReadsFigures, SignedIn, TriesPolicies
from hub.playbooks.store import playbooks_in_force
from hub.store.database import Database

_Version = Annotated[int, Path(ge=1, le=1_000_000_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToTry:
    """A draft to be tried; whatever day it starts on, as if it had been in force all the while."""

    policy: Policy
    days: Annotated[int, Field(ge=1, le=TRIED_DAYS)] = TRIED_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class ToPublish:
    """A draft to be published as it is."""

    policy: Policy


def policy_routes(database: Database, now: Clock) -> APIRouter:
    """GET /api/policy, /api/policies, POST /api/policy/try and /publish, a shop's calendar."""
    routes = APIRouter(prefix="/api", tags=["policy"])

    @routes.get("/policy")
    def policy(session: SignedIn, day: Day = None, shop: str | None = None) -> Policy:
        """The policy in force on a day (default: today); with `shop`, its overrides applied."""
        with database.of_session(session) as connection:
            policies = read_policies(connection)
            on = day or now().date()
            if shop is None:
                return policies.in_force(on)
            kinds = shop_kinds(connection, [shop])
            if shop not in kinds:
                raise UnknownShop(f"shop {shop!r} is not known")
            return policies.in_force_at(kinds[shop], on)

    @routes.get("/policy/schema")
    def schema(_: SignedIn) -> dict[str, Any]:
        """The JSON Schema of a policy."""
        return policy_schema()

    @routes.get("/policy/draft")
    def draft(session: TriesPolicies) -> Policy:
        """The newest version as the next one, starting today: what an editor begins with."""
        with database.of_session(session) as connection:
            return next_draft(connection, now().date())

    @routes.get("/policies")
    def policies(session: SignedIn) -> list[PolicyVersion]:
        """The published versions, newest first."""
        with database.of_session(session) as connection:
            return list_policies(connection, now().date())

    @routes.get("/policies/{version}")
    def one_policy(version: _Version, session: SignedIn) -> Policy:
        """A published version."""
        with database.of_session(session) as connection:
            found = policy_of_version(connection, version)
        if found is None:
            raise NotThere(f"there is no policy {version}")
        return found

    @routes.post("/policy/try")
    def try_it(asked: ToTry, session: TriesPolicies) -> Trial:
        """What a draft would have changed in the last days, at the shops of whoever asks."""
        with database.of_session(session) as connection:
            check_policy(asked.policy, called="draft", books=playbooks_in_force(connection))
            return try_policy(connection, asked.policy, now=now(), days=asked.days)

    @routes.post("/policy/publish", status_code=HTTP_201_CREATED)
    def publish(asked: ToPublish, session: EditsPolicies) -> Policy:
        """Publish a draft as the next version, from today or a later day on."""
        with database.of_session(session) as connection:
            try:
                return publish_as_session(connection, asked.policy, who=session.person.id)
            except PermissionError as error:
                raise NotYours("this is not among what your role may do") from error

    @routes.get("/shops/{shop}/calendar")
    def calendar(
        shop: Name,
        session: ReadsFigures,
        day: Day = None,
        days: Annotated[int, Query(ge=1, le=CALENDAR_DAYS_MAX)] = 91,
    ) -> Calendar:
        """The stored codes of a shop's days up to `day` (default: the newest with codes)."""
        with database.of_session(session) as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            newest = newest_code_day_seen(connection) or day_shown(connection, shops=[shop])
            return read_calendar(connection, shop, day or newest or now().date(), days)

    return routes

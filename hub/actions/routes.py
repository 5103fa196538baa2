"""The routes of actions: the list with history, and what a manager does with one. Decides nothing.

Whose actions a session sees and leads, the database decides; another's and none get one answer.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from hub.actions.listing import (
    LIST_MAX,
    Filter,
    ListedAction,
    ListedActions,
    Taker,
    listed_actions,
    takers,
)
from hub.api.asked import Name, NotThere, Since, Until
from hub.codes.computing import UnknownShop
from hub.codes.touched import known_shops
from hub.errors import Refused
from hub.ingest.fact_rules import as_storable
from hub.people.roles import Session
from hub.people.sessions import NotYours, ReadsFigures
from hub.store.database import Connection, Database
from hub.store.queries import question
from storepulse.actions import ActionRole, ActionState, Dimension

_REASON_MAX: Final = 500
_SHIFT_MAX: Final = 40
_LEADING: Final = ("region", "head_office")


class ActionIsOver(Refused):
    """It is done, confirmed or was given up already."""

    status = 409
    code = "action_is_over"


class NobodyThere(Refused):
    """The person named does not work for the shop in that role."""

    status = 409
    code = "nobody_there"


def leads(session: ReadsFigures) -> Session:
    """FastAPI dependency: somebody who is more than a clerk. At which shops, the database says."""
    if session.person.role not in _LEADING:
        raise NotYours("this is not among what your role may do")
    return session


Leads = Annotated[Session, Depends(leads)]
Text = Annotated[str | None, Query(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why something is done."""

    reason: str

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > _REASON_MAX:
            raise ValueError(f"a reason has 1 to {_REASON_MAX} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTaker(Because):
    """Whom an action goes to from now on: a role, perhaps one shift or one person of it."""

    role: ActionRole
    shift: str = ""
    person: UUID | None = None

    def __post_init__(self) -> None:
        # By name: slots make a class of its own, to which super() without one would not belong.
        Because.__post_init__(self)
        if len(self.shift) > _SHIFT_MAX:
            raise ValueError(f"a shift's name has at most {_SHIFT_MAX} characters")


def action_routes(database: Database) -> APIRouter:
    """The routes over the database, each as the session that asks."""
    routes = APIRouter(prefix="/api", tags=["actions"])

    @routes.get("/actions")
    def actions(
        session: ReadsFigures,
        shop: Text = None,
        region: Text = None,
        dimension: Dimension | None = None,
        kind: Text = None,
        role: ActionRole | None = None,
        state: Annotated[list[ActionState] | None, Query()] = None,
        escalated: bool | None = None,
        first: Since = None,
        last: Until = None,
        limit: Annotated[int, Query(ge=1, le=LIST_MAX)] = 200,
    ) -> ListedActions:
        """The actions of one's shops, open ones first, the most worth before others."""
        wanted = Filter(
            shop=shop, region=region, dimension=dimension, kind=kind, role=role,
            states=None if state is None else tuple(state), escalated=escalated,
            since=first, until=last,
        )  # fmt: skip
        with database.of_session(session) as connection:
            return listed_actions(connection, wanted, limit=limit)

    @routes.get("/actions/{action}")
    def action(action: Name, session: ReadsFigures) -> ListedAction:
        """One action with its history."""
        with database.of_session(session) as connection:
            return _one(connection, action)

    @routes.get("/shops/{shop}/takers")
    def who_takes(shop: Name, session: Leads) -> list[Taker]:
        """Who works for a shop, and could be given an action."""
        with database.of_session(session) as connection:
            if not known_shops(connection, [shop]):
                raise UnknownShop(f"shop {shop!r} is not known")
            return takers(connection, shop)

    @routes.post("/actions/{action}/dismiss")
    def dismiss(action: Name, said: Because, session: Leads) -> ListedAction:
        """Take an action off the list, with the reason: it is withdrawn, at the shop's node too."""
        return _turn(database, session, "dismiss_action", action, said)

    @routes.post("/actions/{action}/reassign")
    def reassign(action: Name, said: NewTaker, session: Leads) -> ListedAction:
        """Give an action to another role, shift or person, with the reason."""
        more = {"role": said.role, "shift": as_storable(said.shift), "person": said.person}
        return _turn(database, session, "reassign_action", action, said, **more)

    return routes


def _one(connection: Connection, action: str) -> ListedAction:
    found = listed_actions(connection, Filter(id=action), limit=1).actions
    if not found:
        raise NotThere(f"there is no action {action!r}")
    return found[0]


def _turn(
    database: Database,
    session: Session,
    name: Literal["dismiss_action", "reassign_action"],
    action: str,
    said: Because,
    **more: Any,
) -> ListedAction:
    asked = {"action": action, "reason": as_storable(said.reason.strip())} | more
    with database.of_session(session) as connection:
        row = connection.execute(question(name), asked).fetchone()
        assert row is not None
        match row["became"]:
            case "not_there":
                raise NotThere(f"there is no action {action!r}")
            case "closed":
                raise ActionIsOver(f"action {action!r} is over already: nothing was changed")
            case "nobody":
                raise NobodyThere("nobody of this id works for the shop in this role")
        return _one(connection, action)

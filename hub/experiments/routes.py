"""The routes of experiments. Each asks the database as the session; none decides by itself."""

from dataclasses import asdict, dataclass
from datetime import date
from secrets import randbits
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path

from hub.api.asked import Clock
from hub.experiments.store import (
    Experiment,
    Kind,
    experiments,
    move,
    one_experiment,
    propose,
)
from hub.people.sessions import ManagesPeople, ReadsFigures
from hub.store.database import Database
from storepulse.actions import Dimension

SEED_BITS: Final = 48
Asked = Annotated[str, Path(alias="id", min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody would like to try. With a shop it is that shop's proposal."""

    kind: Kind
    subject: str
    dimension: Dimension
    shop: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """From when, and for how long."""

    first: date
    days: int = 28
    shops: tuple[str, ...] | None = None
    """Only among these; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why; needed to roll out what has not won."""

    reason: str = ""


def experiment_routes(database: Database, now: Clock) -> APIRouter:
    """The routes over an open database.

    Starting, stopping and rolling out is head office's: its right to manage people stands for it,
    which no other role has.
    """
    routes = APIRouter(prefix="/api/experiments", tags=["experiments"])

    @routes.get("")
    def list_them(session: ReadsFigures) -> list[Experiment]:
        """The experiments that reach the session's shops, newest first."""
        with database.of_session(session) as connection:
            return experiments(connection)

    @routes.get("/worths")
    def worths(session: ReadsFigures) -> list[dict[str, Any]]:
        """What everything tried was worth, as a share of usual, the most promising first."""
        from hub.experiments import running

        with database.of_session(session) as connection:
            found = running.worths(database, connection, today=now().date())
        return [asdict(one) for one in found]

    @routes.get("/{id}")
    def show(experiment: Asked, session: ReadsFigures) -> dict[str, Any]:
        """One experiment: how it stands, and each day's effect with an interval that may be
        looked at any time."""
        from hub.experiments import running

        with database.of_session(session) as connection:
            found = one_experiment(connection, experiment)
        return running.as_plain(running.look_at(database, found, today=now().date()))

    @routes.post("", status_code=201)
    def propose_it(proposal: Proposal, session: ReadsFigures) -> Experiment:
        """Propose a playbook, a layout or a policy for a trial."""
        with database.of_session(session) as connection:
            made = propose(
                connection, kind=proposal.kind, subject=proposal.subject,
                dimension=proposal.dimension, shop=proposal.shop,
            )  # fmt: skip
            return one_experiment(connection, made)

    @routes.post("/{id}/start")
    def start(experiment: Asked, asked: Start, session: ManagesPeople) -> dict[str, Any]:
        """Pair the chain's shops, draw lots, and let it run."""
        from hub.experiments import running

        with database.of_session(session) as connection, database.connection() as owner:
            pairs = running.start_trial(
                connection, owner, experiment, first=asked.first, days=asked.days,
                seed=randbits(SEED_BITS), shops=asked.shops,
            )  # fmt: skip
        return {"pairs": len(pairs)}

    @routes.post("/{id}/stop")
    def stop(
        experiment: Asked, session: ManagesPeople, asked: Annotated[Because, Body()]
    ) -> Experiment:
        """Stop a trial."""
        with database.of_session(session) as connection:
            move(connection, experiment, "stopped", reason=asked.reason)
            return one_experiment(connection, experiment)

    @routes.post("/{id}/roll-out")
    def roll_out(
        experiment: Asked, session: ManagesPeople, asked: Annotated[Because, Body()]
    ) -> dict[str, Any]:
        """Let every shop act: what has won by itself, the rest with a reason."""
        from hub.experiments import running

        with database.of_session(session) as connection:
            shown = running.roll_out(
                connection, database, experiment, today=now().date(), reason=asked.reason
            )
            found = one_experiment(connection, experiment)
        return running.as_plain(shown) | {"state": found.state}

    return routes

"""The routes of experiments. Each asks the database as the session; none decides by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from secrets import randbits
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query

from hub.api.asked import Clock
from hub.experiments.pairs import Pair
from hub.experiments.store import (
    WORDS_CHARACTERS_MAX,
    Experiment,
    ExperimentMove,
    Kind,
    NotSo,
    State,
    experiments,
    move,
    moves_of,
    one_experiment,
    propose,
    stored_worths,
)
from hub.experiments.trials import Look, Standing, Worth
from hub.ingest.fact_rules import as_storable
from hub.notices.telling import tell_proposal
from hub.people.roles import Session
from hub.people.sessions import ProposesTrials, ReadsFigures, RunsTrials
from hub.store.database import Database
from storepulse.actions import Dimension

SEED_BITS: Final = 48
_REASON_MAX: Final = 500
Asked = Annotated[str, Path(alias="id", min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What somebody would like to try. With a shop it is that shop's proposal."""

    kind: Kind
    """A playbook steers pushes, a layout is told to the shops that act; a policy is tried by
    overrides that head office publishes for the acting shops itself."""
    subject: str
    """The playbook's name, or what is tried in a few words; head office may change it at the
    start."""
    dimension: Dimension
    shop: str | None = None
    words: str = ""
    """What, and why it should help."""

    def __post_init__(self) -> None:
        if len(self.words) > WORDS_CHARACTERS_MAX:
            raise ValueError(f"words have at most {WORDS_CHARACTERS_MAX} characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """From when, for how long, and perhaps under another name than was proposed."""

    first: date
    days: int = 28
    shops: tuple[str, ...] | None = None
    """Only among these; None: all."""
    subject: str | None = None
    """In the place of what was proposed: a playbook by its name, a layout in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why; needed to roll out what has not won."""

    reason: str = ""

    def __post_init__(self) -> None:
        if len(self.reason) > _REASON_MAX:
            raise ValueError(f"a reason has at most {_REASON_MAX} characters")


Reason = Annotated[Because, Body()]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldExperiment(Experiment):
    """An experiment with how it stands and its history."""

    standing: Standing
    """won, lost, open, or unknown where nothing can be said yet."""
    pairs: int
    looks: tuple[Look, ...]
    """One a day, oldest first: intervals that hold however often one looks."""
    moves: tuple[ExperimentMove, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """How many pairs of shops take part, and which shops of the session's act and wait."""

    pairs: int
    acts: tuple[str, ...]
    waits: tuple[str, ...]


def experiment_routes(database: Database, now: Clock) -> APIRouter:
    """The routes over an open database, which itself asks who may propose and run trials.

    What looks at a trial's figures is loaded when it is first asked for: it takes a second.
    """
    routes = APIRouter(prefix="/api/experiments", tags=["experiments"])

    @routes.get("")
    def list_them(
        session: ReadsFigures, state: Annotated[State | None, Query()] = None
    ) -> list[Experiment]:
        """The experiments that reach the session's shops, newest first; proposals by
        `state=proposed`."""
        with database.of_session(session) as connection:
            return experiments(connection, state=state)

    @routes.get("/worths")
    def worths(session: ReadsFigures) -> list[Worth]:
        """What everything tried was worth, as a share of the usual figure, the most promising
        first: the table by which pushes are chosen. Looked at anew every hour."""
        with database.of_session(session) as connection:
            return list(stored_worths(connection))

    @routes.get("/{id}")
    def show(experiment: Asked, session: ReadsFigures) -> ToldExperiment:
        """One experiment: how it stands, and each day's effect with an interval that may be
        looked at any time."""
        return _told(session, experiment)

    @routes.post("", status_code=201)
    def propose_it(proposal: Proposal, session: ProposesTrials) -> Experiment:
        """Propose a playbook, a layout or a policy for a trial: a shop for itself, head office
        without a shop. It goes to head office, which starts or declines it."""
        with database.of_session(session) as connection:
            made = propose(
                connection, kind=proposal.kind, subject=as_storable(proposal.subject),
                dimension=proposal.dimension, shop=proposal.shop,
                words=as_storable(proposal.words), who=session.person.id,
            )  # fmt: skip
            found = one_experiment(connection, made)
        if found.shop is not None:
            with database.connection() as owner:
                tell_proposal(owner, made, subject=found.subject, shop=found.shop, now=now())
        return found

    @routes.post("/{id}/start")
    def start(experiment: Asked, asked: Start, session: RunsTrials) -> Started:
        """Turn a proposal into a trial: pair the chain's shops, draw lots, and let it run.

        From its first day on the playbook is pushed at the shops that act and held back at those
        that wait; a layout is told to the shops that act."""
        from hub.experiments import running

        subject = None if asked.subject is None else as_storable(asked.subject)
        with database.of_session(session) as connection, database.connection() as owner:
            pairs = running.start_trial(
                connection, owner, experiment, first=asked.first, days=asked.days,
                seed=randbits(SEED_BITS), shops=asked.shops, subject=subject,
                who=session.person.id,
            )  # fmt: skip
        return _started(pairs)

    @routes.post("/{id}/stop")
    def stop(experiment: Asked, session: RunsTrials, asked: Reason) -> Experiment:
        """Stop a trial; what it showed stays, and pushes go back to the policy."""
        return _moved(session, experiment, "stopped", asked, before="running")

    @routes.post("/{id}/decline")
    def decline(experiment: Asked, session: ProposesTrials, asked: Reason) -> Experiment:
        """Decline a proposal (head office), or take one's own shop's proposal back."""
        return _moved(session, experiment, "declined", asked)

    @routes.post("/{id}/reopen")
    def reopen(experiment: Asked, session: RunsTrials, asked: Reason) -> Experiment:
        """Undo a decline: it is a proposal again."""
        return _moved(session, experiment, "proposed", asked)

    @routes.post("/{id}/roll-out")
    def roll_out(experiment: Asked, session: RunsTrials, asked: Reason) -> ToldExperiment:
        """Let every shop act: what has won by itself, the rest with a reason."""
        from hub.experiments import running

        with database.of_session(session) as connection:
            running.roll_out(
                connection, database, experiment, today=now().date(),
                reason=as_storable(asked.reason), who=session.person.id,
            )  # fmt: skip
        return _told(session, experiment)

    @routes.post("/{id}/take-back")
    def take_back(experiment: Asked, session: RunsTrials, asked: Reason) -> Experiment:
        """Undo a roll-out: pushes go back to the policy, and a layout's open actions are withdrawn.
        It may be rolled out again."""
        return _moved(session, experiment, "stopped", asked, before="rolled_out")

    def _moved(
        session: Session, experiment: str, state: State, asked: Because, *, before: str = ""
    ) -> Experiment:
        with database.of_session(session) as connection:
            found = one_experiment(connection, experiment)
            if before and found.state != before:
                raise NotSo(f"experiment {experiment} is {found.state}, not {before}")
            move(
                connection, experiment, state, reason=as_storable(asked.reason),
                who=session.person.id,
            )  # fmt: skip
            return one_experiment(connection, experiment)

    def _told(session: Session, experiment: str) -> ToldExperiment:
        from hub.experiments import running

        with database.of_session(session) as connection:
            found = one_experiment(connection, experiment)
            moves = tuple(moves_of(connection, experiment))
        shown = running.look_at(database, found, today=now().date())
        said: Mapping[str, Any] = {name: getattr(found, name) for name in Experiment.__slots__}
        return ToldExperiment(
            **said, standing=shown.standing, pairs=shown.pairs, looks=shown.looks, moves=moves
        )

    return routes


def _started(pairs: tuple[Pair, ...]) -> Started:
    return Started(
        pairs=len(pairs), acts=tuple(sorted(pair.acts for pair in pairs)),
        waits=tuple(sorted(pair.waits for pair in pairs)),
    )  # fmt: skip

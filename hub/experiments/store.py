"""Experiments in the database: propose, start, stop, roll out, list. Judges no trial.

The same questions serve the owner and a session: for a session the database itself asks whether it
may, and shows what reaches its shops only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, get_args
from uuid import uuid4

import psycopg

from hub.errors import Refused
from hub.experiments.pairs import Pair
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import Dimension
from storepulse.errors import BadInput

Kind = Literal["playbook", "layout", "policy"]
State = Literal["proposed", "running", "stopped", "rolled_out"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
SUBJECT_CHARACTERS_MAX: Final = 200


class BadProposal(BadInput):
    """What was proposed cannot be tried."""


class NoSuchExperiment(BadInput):
    """There is none of this id, or none that reaches the session's shops."""


class NotSo(Refused):
    """The experiment's state does not allow it."""

    status = 409
    code = "not_so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment as it stands."""

    id: str
    kind: Kind
    subject: str
    dimension: Dimension
    state: State
    shop: str | None
    """The shop that proposed it; None: head office, or a shop that is not the session's."""
    proposed_at: datetime
    starts_on: date | None
    ends_on: date | None


@dataclass(frozen=True, slots=True)
class Arms:
    """How a playbook stands at shops: where its trial holds it back, and where it acts."""

    acts: frozenset[str]
    waits: frozenset[str]
    everywhere: bool
    """It was rolled out."""


def propose(
    connection: Connection, *, kind: Kind, subject: str, dimension: Dimension, shop: str | None
) -> str:
    """Keep a proposal; returns its id.

    Raises:
        BadProposal: no kind of experiment, or no subject.
        NoSuchExperiment: the shop is not there, or none of the session's.
    """
    said = " ".join(subject.split())
    if kind not in KINDS or not 0 < len(said) <= SUBJECT_CHARACTERS_MAX:
        raise BadProposal(
            f"an experiment is one of {', '.join(KINDS)}, and says what is tried in 1 to "
            f"{SUBJECT_CHARACTERS_MAX} characters"
        )
    made = f"exp-{uuid4().hex[:12]}"
    asked = {"id": made, "kind": kind, "subject": said, "dimension": dimension, "shop": shop}
    try:
        became = _became(connection, "propose_experiment", asked)
    except psycopg.errors.ForeignKeyViolation as error:
        raise NoSuchExperiment(f"shop {shop!r} is not known") from error
    if became == "not_there":
        raise NoSuchExperiment(f"shop {shop!r} is not known")
    return made


def start(
    connection: Connection, experiment: str, *, seed: int, first: date, last: date,
    pairs: Sequence[Pair],
) -> None:  # fmt: skip
    """Record the lots and let it run.

    Raises:
        NoSuchExperiment: it is not there, or not for this session to start.
        NotSo: it runs already, or did.
    """
    asked = {
        "id": experiment, "seed": seed, "first": first, "last": last,
        "acting": [pair.acts for pair in pairs], "waiting": [pair.waits for pair in pairs],
    }  # fmt: skip
    _check(experiment, "start", _became(connection, "start_experiment", asked))


def move(connection: Connection, experiment: str, state: State, *, reason: str = "") -> None:
    """Stop it, or roll it out. Raises NoSuchExperiment or NotSo."""
    asked = {"id": experiment, "state": state, "reason": reason}
    word = "stop" if state == "stopped" else "roll out"
    _check(experiment, word, _became(connection, "move_experiment", asked))


def experiments(connection: Connection, *, only: str | None = None) -> list[Experiment]:
    """All experiments (of the session), newest first."""
    return [Experiment(**row) for row in connection.execute(question("experiments"), {"id": only})]


def one_experiment(connection: Connection, experiment: str) -> Experiment:
    """One of them. Raises NoSuchExperiment."""
    found = experiments(connection, only=experiment)
    if not found:
        raise NoSuchExperiment(f"there is no experiment {experiment!r}")
    return found[0]


def pairs_of(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Pair, ...]]:
    """The pairs of experiments, as the owner sees them."""
    sides: dict[str, dict[int, dict[bool, str]]] = {one: {} for one in ids}
    for row in connection.execute(question("experiment_shops"), {"ids": list(ids)}):
        sides[row["experiment"]].setdefault(row["pair"], {})[row["acts"]] = row["shop"]
    return {
        one: tuple(Pair(pair[True], pair[False]) for pair in found.values() if len(pair) == 2)
        for one, found in sides.items()
    }


def playbook_arms(connection: Connection, day: date) -> Mapping[str, Arms]:
    """How playbooks under trial stand on a day: a push is held back where its shop waits."""
    acts: dict[str, set[str]] = {}
    waits: dict[str, set[str]] = {}
    everywhere: set[str] = set()
    for row in connection.execute(question("playbook_arms"), {"day": day}):
        if row["shop"] is None:
            everywhere.add(row["subject"])
        else:
            (acts if row["acts"] else waits).setdefault(row["subject"], set()).add(row["shop"])
    return {
        one: Arms(frozenset(acts.get(one, ())), frozenset(waits.get(one, ())), one in everywhere)
        for one in {*acts, *waits, *everywhere}
    }


def _became(connection: Connection, name: str, asked: Mapping[str, Any]) -> str:
    row = connection.execute(question(name), asked).fetchone()
    assert row is not None
    return str(row["became"])


def _check(experiment: str, word: str, became: str) -> None:
    if became == "not_there":
        raise NoSuchExperiment(f"there is no experiment {experiment!r} that you may {word}")
    if became == "not_so":
        raise NotSo(
            f"experiment {experiment} cannot {word} now: a proposal starts, what runs stops, "
            "what ran is rolled out"
        )

"""Experiments in the database: propose, start, stop, roll out, list. Judges no trial.

The same questions serve the owner and a session: for a session the database itself asks whether it
may, and shows what reaches its shops only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID, uuid4

import psycopg

from hub.audit import MACHINE, record
from hub.errors import Refused
from hub.experiments.arms import Arms
from hub.experiments.pairs import Pair
from hub.experiments.trials import Worth
from hub.store.database import Connection
from hub.store.queries import question
from storepulse.actions import Dimension
from storepulse.errors import BadInput

Kind = Literal["playbook", "layout", "policy"]
State = Literal["proposed", "declined", "running", "stopped", "rolled_out"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STATES: Final[tuple[State, ...]] = get_args(State)
SUBJECT_CHARACTERS_MAX: Final = 200
WORDS_CHARACTERS_MAX: Final = 4000
_MOVE_WORDS: Final[Mapping[State, str]] = {
    "stopped": "stop", "rolled_out": "roll out", "declined": "decline", "proposed": "reopen",
}  # fmt: skip
_SAID: Final[Mapping[State, str]] = {
    "stopped": "trial_stopped", "rolled_out": "trial_rolled_out", "declined": "trial_declined",
    "proposed": "trial_reopened",
}  # fmt: skip


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
    words: str
    """Of whoever proposed it: what, and why it should help."""
    against: str
    """The playbook that the waiting shops get in its place; "": none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentMove:
    """One step of an experiment. Who did it stands in the audit log."""

    from_state: State
    to_state: State
    at: datetime
    reason: str


def propose(
    connection: Connection, *, kind: Kind, subject: str, dimension: Dimension, shop: str | None,
    words: str = "", who: UUID | str = MACHINE,
) -> str:  # fmt: skip
    """Keep a proposal; returns its id.

    Args:
        words: what, and why it should help.
        who: for the audit log, see `hub.audit.record`.
    Raises:
        BadProposal: no kind of experiment, no subject, or a text that is too long.
        NoSuchExperiment: the shop is not there, or none of the session's.
    """
    said = " ".join(subject.split())
    if kind not in KINDS or not 0 < len(said) <= SUBJECT_CHARACTERS_MAX:
        raise BadProposal(
            f"an experiment is one of {', '.join(KINDS)}, and says what is tried in 1 to "
            f"{SUBJECT_CHARACTERS_MAX} characters"
        )
    if len(words) > WORDS_CHARACTERS_MAX:
        raise BadProposal(f"the words of a proposal have at most {WORDS_CHARACTERS_MAX} characters")
    made = f"exp-{uuid4().hex[:12]}"
    asked = {
        "id": made, "kind": kind, "subject": said, "dimension": dimension, "shop": shop,
        "words": words.strip(),
    }  # fmt: skip
    try:
        became = _became(connection, "propose_experiment", asked)
    except psycopg.errors.ForeignKeyViolation as error:
        raise NoSuchExperiment(f"shop {shop!r} is not known") from error
    if became == "not_there":
        raise NoSuchExperiment(f"shop {shop!r} is not known")
    detail = {"kind": kind, "subject": said, "dimension": dimension, "shop": shop}
    record(connection, who=who, what="trial_proposed", about=about(made), detail=detail)
    return made


def about(experiment: str) -> str:
    """How the audit log names an experiment."""
    return f"experiment:{experiment}"


def start(
    connection: Connection, experiment: str, *, seed: int, first: date, last: date,
    pairs: Sequence[Pair], subject: str, against: str = "", who: UUID | str = MACHINE,
) -> None:  # fmt: skip
    """Record the lots and let it run.

    Raises:
        NoSuchExperiment: it is not there, or not for this session to start.
        NotSo: it runs already, or did.
    """
    asked = {
        "id": experiment, "seed": seed, "first": first, "last": last, "subject": subject,
        "against": against,
        "acting": [pair.acts for pair in pairs], "waiting": [pair.waits for pair in pairs],
    }  # fmt: skip
    _check(experiment, "start", _became(connection, "start_experiment", asked))
    detail = {
        "subject": subject, "against": against, "first": first.isoformat(),
        "last": last.isoformat(), "seed": seed, "pairs": len(pairs),
    }  # fmt: skip
    record(connection, who=who, what="trial_started", about=about(experiment), detail=detail)


def move(
    connection: Connection, experiment: str, state: State, *, reason: str = "",
    who: UUID | str = MACHINE,
) -> None:  # fmt: skip
    """Stop it, roll it out, take the roll-out back (stopped), decline it, or reopen it (proposed).

    Raises:
        NoSuchExperiment, NotSo.
    """
    asked = {"id": experiment, "state": state, "reason": reason}
    became = _became(connection, "move_experiment", asked)
    _check(experiment, _MOVE_WORDS.get(state, state), became)
    detail = {"reason": reason}
    record(connection, who=who, what=_SAID[state], about=about(experiment), detail=detail)


def experiments(
    connection: Connection, *, only: str | None = None, state: State | None = None
) -> list[Experiment]:
    """All experiments (of the session), or those in a state, newest first."""
    rows = connection.execute(question("experiments"), {"id": only, "state": state})
    return [Experiment(**row) for row in rows]


def moves_of(connection: Connection, experiment: str) -> list[ExperimentMove]:
    """The steps of one of them, oldest first."""
    rows = connection.execute(question("experiment_moves"), {"id": experiment})
    return [ExperimentMove(**row) for row in rows]


def shops_on_trial(
    connection: Connection, dimension: Dimension, first: date, last: date
) -> frozenset[str]:
    """The shops that take part in a trial of this dimension on one of these days; of the owner."""
    asked = {"dimension": dimension, "first": first, "last": last}
    rows = connection.execute(question("shops_on_trial"), asked)
    return frozenset(row["shop"] for row in rows)


def stored_worths(connection: Connection) -> tuple[Worth, ...]:
    """What everything tried was worth when the scheduler looked last, the most promising first."""
    return tuple(Worth(**row) for row in connection.execute(question("trial_worths")))


def keep_worths(connection: Connection, found: Iterable[Worth], *, at: datetime) -> None:
    """Put these in the place of what was known before."""
    connection.execute(question("forget_worths"))
    for one in found:
        connection.execute(question("new_worth"), asdict(one) | {"at": at})


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
    """How playbooks under trial stand on a day: a push is held back where its shop waits.

    Of a session's connection: its own shops' sides only.
    """
    acts: dict[str, set[str]] = {}
    waits: dict[str, set[str]] = {}
    everywhere: set[str] = set()
    trials: dict[str, str] = {}
    for row in connection.execute(question("playbook_arms"), {"day": day}):
        name = row["subject"]
        if row["shop"] is None:
            everywhere.add(name)
            trials.setdefault(name, row["id"])
        else:
            (acts if row["acts"] else waits).setdefault(name, set()).add(row["shop"])
            trials[name] = row["id"]
    return {
        one: Arms(
            acts=frozenset(acts.get(one, ())), waits=frozenset(waits.get(one, ())),
            everywhere=one in everywhere, trial=trials[one],
        )
        for one in trials
    }  # fmt: skip


def _became(connection: Connection, name: str, asked: Mapping[str, Any]) -> str:
    row = connection.execute(question(name), asked).fetchone()
    assert row is not None
    return str(row["became"])


def _check(experiment: str, word: str, became: str) -> None:
    if became == "not_there":
        raise NoSuchExperiment(f"there is no experiment {experiment!r} that you may {word}")
    if became == "not_so":
        raise NotSo(
            f"experiment {experiment} cannot be told to {word} now: a proposal starts or is "
            "declined, what runs stops, what ran is rolled out, and a roll-out stops again"
        )

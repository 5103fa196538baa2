"""Start a trial from the shops' figures, and look at how it stands. Stores only what is started."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import numpy as np

from hub.actions.choosing import Steering, choose
from hub.audit import MACHINE
from hub.codes.computing import read_policies
from hub.errors import Refused
from hub.experiments.pairs import Pair, TooFewShops, matched_pairs
from hub.experiments.store import (
    SUBJECT_CHARACTERS_MAX,
    Experiment,
    NotSo,
    experiments,
    keep_worths,
    move,
    one_experiment,
    pairs_of,
    playbook_arms,
    shops_on_trial,
    start,
    stored_worths,
)
from hub.experiments.trials import (
    BEFORE_DAYS,
    KNOWN_DAYS_MIN,
    Look,
    Standing,
    Trial,
    Worth,
    looks,
    standing,
    worth_of_playbooks,
)
from hub.ingest.fact_rules import YEARS
from hub.playbooks.store import playbooks_in_force
from hub.store.database import Connection, Database
from hub.why.panel import figures
from hub.why.reading import daily_of, shops_with_kinds
from storepulse.actions import Dimension
from storepulse.errors import BadInput

DAYS: Final = 28
SHOPS_MAX: Final = 2000


class NoTrialLength(BadInput):
    """A trial that is too short, too long, or at no time."""


class NoSuchPlaybook(BadInput):
    """A trial of a playbook that there is not, or not for its dimension."""


class NotWon(Refused):
    """What has not won is not rolled out by itself."""

    status = 409
    code = "not_won"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An experiment and what it has shown so far."""

    experiment: Experiment
    standing: Standing
    pairs: int
    looks: tuple[Look, ...]
    """One a day, oldest first; empty while nothing is known."""


def start_trial(
    connection: Connection, owner: Connection, experiment: str, *, first: date, days: int = DAYS,
    seed: int, shops: Sequence[str] | None = None, subject: str | None = None,
    who: UUID | str = MACHINE,
) -> tuple[Pair, ...]:  # fmt: skip
    """Pair the shops by their figures before `first`, draw lots, and let it run.

    A shop that takes part in another trial of the dimension on these days takes part in none more.

    Args:
        connection: whose right it is; the database asks.
        owner: reads the figures of all shops.
        shops: only among these; None: all.
        subject: in the place of what was proposed; a playbook by its name.
        who: for the audit log, see `hub.audit.record`.
    Raises:
        NoTrialLength: fewer than 7 days or more than 126.
        NoSuchPlaybook: what is tried is no playbook of this dimension.
        TooFewShops, NoSuchExperiment, NotSo.
    """
    if not 7 <= days <= 126:
        raise NoTrialLength(f"a trial lasts 7 to 126 days, got {days}")
    if not YEARS[0] < first.year < YEARS[1]:
        raise NoTrialLength(f"{first} lies outside the years {YEARS[0] + 1} to {YEARS[1] - 1}")
    found = one_experiment(connection, experiment)
    if found.state != "proposed":
        raise NotSo(f"experiment {experiment} is {found.state}: only a proposal starts")
    last = first + timedelta(days=days - 1)
    tried = " ".join((subject or found.subject).split())[:SUBJECT_CHARACTERS_MAX]
    against = _against(owner, found, tried, first) if found.kind == "playbook" else ""
    taken = shops_on_trial(owner, found.dimension, first, last)
    kinds = {
        shop: kind
        for shop, kind in shops_with_kinds(owner, shops, most=SHOPS_MAX).items()
        if shop not in taken
    }
    told = _figures(owner, list(kinds), found.dimension, first - timedelta(days=1), BEFORE_DAYS)
    before = {
        shop: float(np.nanmean(course))
        for shop, course in told.items()
        if np.isfinite(course).sum() >= KNOWN_DAYS_MIN
    }
    try:
        pairs = matched_pairs(before, {shop: kind for shop, (_, kind) in kinds.items()}, seed=seed)
    except TooFewShops as error:
        if not taken:
            raise
        raise TooFewShops(
            f"{error}; {len(taken)} shops take part in another trial of {found.dimension} on these "
            "days: stop that one, or start later"
        ) from error
    start(
        connection, experiment, seed=seed, first=first, last=last, pairs=pairs, subject=tried,
        against=against, who=who,
    )  # fmt: skip
    return pairs


def _against(owner: Connection, found: Experiment, tried: str, day: date) -> str:
    """The playbook that shops get which wait; "": none. Raises NoSuchPlaybook."""
    books = playbooks_in_force(owner)
    fitting = {name for name, book in books.items() if book.dimension == found.dimension}
    if tried not in fitting:
        raise NoSuchPlaybook(
            f"{tried!r} is no playbook of {found.dimension}: publish it first, or name one of "
            f"{', '.join(sorted(fitting))}"
        )
    arms = {name: one for name, one in playbook_arms(owner, day).items() if one.everywhere}
    # Nobody's shop: what head office rolled out and the policy names, without any lot.
    chosen = choose(
        read_policies(owner).in_force(day).of(found.dimension).push.named, found.dimension, "",
        Steering(arms=arms, worths=stored_worths(owner)), fitting=fitting - {tried},
    )  # fmt: skip
    return "" if chosen is None else chosen.playbook


def _figures(
    owner: Connection, shops: Sequence[str], dimension: Dimension, last: date, days: int
) -> dict[str, np.ndarray]:
    daily = daily_of(owner, shops_with_kinds(owner, shops, most=len(shops)), last, days=days)
    return dict(zip(daily.shops, figures(daily, dimension), strict=True))


def look_at(database: Database, experiment: Experiment, *, today: date) -> Shown:
    """How an experiment stands, by the figures up to today or its end.

    Read as the owner: pairs hold shops of any region. What is told is one effect over all pairs.
    """
    if experiment.starts_on is None or experiment.ends_on is None:
        return Shown(experiment=experiment, standing="unknown", pairs=0, looks=())
    last = min(today, experiment.ends_on)
    days = (last - experiment.starts_on).days + 1
    with database.connection() as owner:
        pairs = pairs_of(owner, [experiment.id])[experiment.id]
        if days < 1 or not pairs:
            return Shown(experiment=experiment, standing="unknown", pairs=len(pairs), looks=())
        shops = [shop for pair in pairs for shop in (pair.acts, pair.waits)]
        told = _figures(owner, shops, experiment.dimension, last, BEFORE_DAYS + days)
    first = experiment.starts_on - timedelta(days=BEFORE_DAYS)
    dated = [first + timedelta(days=number) for number in range(BEFORE_DAYS + days)]
    seen = looks(told, pairs, dated, start=BEFORE_DAYS)
    return Shown(experiment=experiment, standing=standing(seen), pairs=len(pairs), looks=seen)


def roll_out(
    connection: Connection, database: Database, experiment: str, *, today: date, reason: str = "",
    who: UUID | str = MACHINE,
) -> Shown:  # fmt: skip
    """Let every shop act, when the trial has won.

    Raises:
        NotWon: it has not, and no reason was given to do it all the same.
        NoSuchExperiment, NotSo.
    """
    found = one_experiment(connection, experiment)
    if found.state not in ("running", "stopped"):
        raise NotSo(f"experiment {experiment} is {found.state}: only what ran is rolled out")
    shown = look_at(database, found, today=today)
    if shown.standing != "won" and not reason.strip():
        raise NotWon(
            f"experiment {experiment} has not won (it is {shown.standing}); "
            "to roll it out all the same, say why"
        )
    move(connection, experiment, "rolled_out", reason=reason, who=who)
    return shown


def worths(database: Database, *, today: date) -> tuple[Worth, ...]:
    """What everything that was ever tried was worth, most to be expected first."""
    trials = []
    with database.connection() as connection:
        found = experiments(connection)
    for one in found:
        shown = look_at(database, one, today=today)
        if shown.looks:
            last = shown.looks[-1]
            trials.append(
                Trial(kind=one.kind, subject=one.subject, dimension=one.dimension,
                      against=one.against, effect=last.effect, low=last.low, high=last.high)
            )  # fmt: skip
    return worth_of_playbooks(trials)


def tell_worths(database: Database, *, now: datetime) -> tuple[Worth, ...]:
    """Look at all trials and keep what they were worth, for pushes to be chosen by."""
    found = worths(database, today=now.date())
    with database.connection() as connection:
        keep_worths(connection, found, at=now)
    return found


def as_plain(shown: Shown) -> dict[str, object]:
    """An experiment's JSON: what it is, how it stands, each day's look."""
    return asdict(shown.experiment) | {
        "standing": shown.standing, "pairs": shown.pairs,
        "looks": [asdict(look) for look in shown.looks],
    }  # fmt: skip

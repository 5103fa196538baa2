"""Start a trial from the shops' figures, and look at how it stands. Stores only what is started."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np

from hub.errors import Refused
from hub.experiments.pairs import Pair, matched_pairs
from hub.experiments.store import (
    Experiment,
    NotSo,
    experiments,
    move,
    one_experiment,
    pairs_of,
    start,
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
from hub.store.database import Connection, Database
from hub.why.panel import figures
from hub.why.reading import daily_of, shops_with_kinds
from storepulse.actions import Dimension
from storepulse.errors import BadInput

DAYS: Final = 28
SHOPS_MAX: Final = 2000


class NoTrialLength(BadInput):
    """A trial that is too short, too long, or at no time."""


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
    seed: int, shops: Sequence[str] | None = None,
) -> tuple[Pair, ...]:  # fmt: skip
    """Pair the shops by their figures before `first`, draw lots, and let it run.

    Args:
        connection: whose right it is; the database asks.
        owner: reads the figures of all shops.
        shops: only among these; None: all.
    Raises:
        NoTrialLength: fewer than 7 days or more than 126.
        TooFewShops, NoSuchExperiment, NotSo.
    """
    if not 7 <= days <= 126:
        raise NoTrialLength(f"a trial lasts 7 to 126 days, got {days}")
    if not YEARS[0] < first.year < YEARS[1]:
        raise NoTrialLength(f"{first} lies outside the years {YEARS[0] + 1} to {YEARS[1] - 1}")
    found = one_experiment(connection, experiment)
    kinds = shops_with_kinds(owner, shops, most=SHOPS_MAX)
    told = _figures(owner, list(kinds), found.dimension, first - timedelta(days=1), BEFORE_DAYS)
    before = {
        shop: float(np.nanmean(course))
        for shop, course in told.items()
        if np.isfinite(course).sum() >= KNOWN_DAYS_MIN
    }
    pairs = matched_pairs(before, {shop: kind for shop, (_, kind) in kinds.items()}, seed=seed)
    start(
        connection, experiment, seed=seed, first=first, last=first + timedelta(days=days - 1),
        pairs=pairs,
    )  # fmt: skip
    return pairs


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
    connection: Connection, database: Database, experiment: str, *, today: date, reason: str = ""
) -> Shown:
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
    move(connection, experiment, "rolled_out", reason=reason)
    return shown


def worths(database: Database, connection: Connection, *, today: date) -> tuple[Worth, ...]:
    """What everything that was ever tried was worth, most to be expected first."""
    trials = []
    for one in experiments(connection):
        shown = look_at(database, one, today=today)
        if shown.looks:
            last = shown.looks[-1]
            trials.append(
                Trial(subject=one.subject, dimension=one.dimension, effect=last.effect,
                      low=last.low, high=last.high)
            )  # fmt: skip
    return worth_of_playbooks(trials)


def as_plain(shown: Shown) -> dict[str, object]:
    """An experiment's JSON: what it is, how it stands, each day's look."""
    return asdict(shown.experiment) | {
        "standing": shown.standing, "pairs": shown.pairs,
        "looks": [asdict(look) for look in shown.looks],
    }  # fmt: skip

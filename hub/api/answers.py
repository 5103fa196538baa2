"""What the commands and the API answer: boards, actions, lists. Reads the database only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from hub.actions.pushing import pushes_of_today
from hub.actions.store import actions
from hub.codes.code import Code, own_colour
from hub.codes.colours import WORST_FIRST, Shown
from hub.codes.computing import Policies, UnknownShop, compute_codes
from hub.codes.days import day_start, local_day
from hub.codes.policy import Policy
from hub.codes.store import StoredCode, codes_of_days
from hub.codes.touched import known_shops
from hub.playbooks.store import playbooks_in_force
from hub.shops_store import Shop
from hub.shops_store import shops as read_shops
from hub.store.database import Connection
from hub.store.queries import question
from hub.taps.experiences import EXPERIENCE_DAYS
from hub.taps.store import items_of
from hub.taps.tapping import open_tickets_of
from storepulse.actions import ACTION_JSON, Action, ActionState
from storepulse.checklists import CHECKLIST_JSON, Checklist

ROWS_MAX: Final = 5000
"""Most rows of one answer; ask for a shorter time to see the others."""
_FACT_DAYS: Final = 7
CARE_WORDS: Final = "a message goes only to a customer who agreed on the page of the ticket"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardCode:
    """One dimension of a board's row."""

    dimension: str
    colour: str
    probability: float | None
    turning: str | None
    value: float | None
    unit: str
    rule: str
    rule_zh: str
    """The same in Chinese; empty where the code was stored before there was any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRow:
    """A shop with its own colour, that of its worst dimension, and its four codes."""

    shop: str
    name: str
    region: str
    format: str
    assigned: bool
    simulated: bool
    """Drawn for a demonstration, and said so wherever it shows."""
    colour: Shown
    codes: tuple[BoardCode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAction:
    """An action and where it stands; `not_pushed`: a code calls for it, but no hub ran that day."""

    action: Action
    state: ActionState | Literal["not_pushed"]
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAction(Action):
    """An action as the API tells it."""

    state: ActionState | Literal["not_pushed"]
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFact:
    """A fact as the API tells it."""

    id: str
    shop: str
    metric: str
    started_at: datetime
    ended_at: datetime
    value: float | None
    low: float | None
    high: float | None
    n: int | None
    coverage: float
    independent: float
    dims: Mapping[str, str]
    method: str
    source: str
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFacts:
    """Facts, oldest first; `more` says that there are others."""

    facts: tuple[ToldFact, ...]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CareMessages:
    """Experiences that reached 72 h without a deal, and what was sent to whoever agreed.

    The last four count the last 28 days.
    """

    reached_72h: int
    sent: int
    why: str
    """Why not to everybody."""
    agreed: int = 0
    waiting: int = 0
    gave_up: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopActions:
    """What was pushed to a shop, oldest day first."""

    actions: tuple[ToldAction, ...]
    care_messages: CareMessages


def board(
    connection: Connection,
    day: date,
    policies: Policies,
    *,
    now: datetime,
    shops: Sequence[str] | None = None,
) -> list[BoardRow]:
    """The chain on one day, computed from the facts, worst shops first."""
    listed = {shop.shop: shop for shop in read_shops(connection, shops)}
    computed = compute_codes(connection, {shop: [day] for shop in listed}, policies, now=now)
    return _sorted(_row(listed[four[0].shop], four, own_colour(four)) for four in computed)


def stored_board(
    connection: Connection, day: date, policies: Policies, *, now: datetime
) -> list[BoardRow]:
    """The same from the stored codes, which the scheduler keeps; the rest is computed."""
    stored: dict[str, list[StoredCode]] = {}
    for code in codes_of_days(connection, day, day):
        stored.setdefault(code.shop, []).append(code)
    listed = read_shops(connection)
    rows = []
    for shop in listed:
        four = sorted(stored.get(shop.shop, ()), key=lambda code: _ORDER.index(code.dimension))
        if four:
            own = min((_shown(code.colour) for code in four), key=WORST_FIRST.index)
            rows.append(_row(shop, four, own))
    missing = [shop.shop for shop in listed if shop.shop not in stored]
    if missing:
        rows += board(connection, day, policies, now=now, shops=missing)
    return _sorted(rows)


def stored_codes(connection: Connection, shop: str, day: date) -> list[Code] | None:
    """A shop's four codes as they were stored; None where not all are there in both languages."""
    rows = connection.execute(question("newest_codes"), {"shop": shop, "day": day})
    found = {row["dimension"]: row for row in rows if row["rule_zh"]}
    if len(found) < len(_ORDER):
        return None
    names = Code.__dataclass_fields__
    told = [{name: found[dimension][name] for name in names} for dimension in _ORDER]
    return [Code(**one | {"facts": tuple(one["facts"])}) for one in told]


_ORDER: Final = ("people", "goods", "place", "conversion")


def _shown(colour: str) -> Shown:
    return next(one for one in WORST_FIRST if one == colour)


def _row(shop: Shop, codes: Iterable[Code | StoredCode], own: Shown) -> BoardRow:
    return BoardRow(
        shop=shop.shop, name=shop.name, region=shop.region, format=shop.format,
        assigned=shop.assigned, simulated=shop.simulated, colour=own,
        codes=tuple(
            BoardCode(
                dimension=code.dimension, colour=code.colour, probability=code.probability,
                turning=code.turning, value=code.value, unit=code.unit, rule=code.rule,
                rule_zh=code.rule_zh,
            )
            for code in codes
        ),
    )  # fmt: skip


def _sorted(rows: Iterable[BoardRow]) -> list[BoardRow]:
    return sorted(rows, key=lambda row: (WORST_FIRST.index(row.colour), row.shop))


def shown_actions(
    connection: Connection,
    *,
    shop: str | None,
    day: date | None,
    called_for_on: date | None,
    policies: Policies,
    now: datetime,
    policy: Policy | None = None,
) -> list[ShownAction]:
    """The stored actions, and those that the codes of `called_for_on` call for beside them."""
    stored = actions(connection, shops=None if shop is None else [shop], day=day)
    shown = [
        ShownAction(action=one.action, state=one.state, delivered_at=one.delivered_at)
        for one in stored
    ]
    if called_for_on is not None:
        names = [one.shop for one in read_shops(connection, None if shop is None else [shop])]
        wanted = {name: [called_for_on] for name in names}
        computed = compute_codes(connection, wanted, policies, now=now)
        codes = {four[0].shop: four for four in computed}
        pushed = {one.action.id for one in stored}
        shown += [
            ShownAction(action=action, state="not_pushed")
            for action in pushes_of_today(
                connection, codes, now=now, playbooks=playbooks_in_force(connection), policy=policy
            )
            if action.id not in pushed
        ]
    return shown


def action_json(shown: ShownAction) -> dict[str, Any]:
    """An action as people and programs read it."""
    body: dict[str, Any] = ACTION_JSON.dump_python(shown.action, mode="json")
    delivered = None if shown.delivered_at is None else shown.delivered_at.isoformat()
    return body | {"state": shown.state, "delivered_at": delivered}


def one_checklist(connection: Connection, checklist: str) -> dict[str, Any] | None:
    """A checklist and how its items stand; None when there is none of this id."""
    row = connection.execute(question("checklist"), {"id": checklist}).fetchone()
    if row is None:
        return None
    body: Checklist = CHECKLIST_JSON.validate_python(row["body"], strict=False)
    states: Mapping[str, Any] = {
        one.item: {
            "state": one.state, "reason": one.reason, "changed_at": one.changed_at.isoformat(),
        }
        for one in items_of(connection, row["shop"], checklist)
    }  # fmt: skip
    return {
        "checklist": CHECKLIST_JSON.dump_python(body, mode="json"),
        "node": row["node_path"],
        "items": states,
    }


def care_messages(connection: Connection, shop: str, *, now: datetime) -> CareMessages:
    """Experiences of the last 28 days that reached 72 h without a deal, and who was written to.

    Only of a session's connection.
    """
    since = now - timedelta(days=EXPERIENCE_DAYS)
    reached = len(open_tickets_of(connection, {shop: since}, now=now).get(shop, []))
    row = connection.execute(question("care_counts"), {"shop": shop}).fetchone()
    counts = row or {"agreed": 0, "sent": 0, "waiting": 0, "gave_up": 0}
    return CareMessages(reached_72h=reached, why=CARE_WORDS, **counts)


def facts_of_shop(
    connection: Connection,
    shop: str,
    metric: str | None,
    first: date | None,
    last: date | None,
    *,
    now: datetime,
    limit: int,
) -> list[dict[str, Any]]:
    """A shop's facts of its local days first..last (default: the last seven), oldest first.

    Raises:
        UnknownShop: whoever the connection is of knows no such shop.
    """
    known = known_shops(connection, [shop])
    if shop not in known:
        raise UnknownShop(f"shop {shop!r} is not known")
    timezone = known[shop].timezone
    until = last or local_day(now, timezone)
    since = first or until - timedelta(days=_FACT_DAYS - 1)
    return rows_of(
        connection, "facts_between", shop=shop, metric=metric, since=day_start(since, timezone),
        until=day_start(until + timedelta(days=1), timezone), limit=limit,
    )  # fmt: skip


def rows_of(connection: Connection, name: str, **asked: Any) -> list[dict[str, Any]]:
    """The rows of a question, at most ROWS_MAX, as they are."""
    return list(connection.execute(question(name), {"limit": ROWS_MAX} | asked))

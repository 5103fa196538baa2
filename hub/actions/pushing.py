"""Gather what a push must know from the database, and ask `hub.actions.pushes`. Stores nothing."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from hub.actions.pushes import (
    CHECKLIST_KIND,
    OpenAction,
    ShopPlace,
    Situation,
    pushes,
    strong_shop_nearby,
)
from hub.actions.store import StoredAction, actions
from hub.codes.code import Code
from hub.codes.colours import WORST_FIRST
from hub.codes.computing import read_policies
from hub.codes.days import day_start
from hub.codes.policy import Policy
from hub.codes.store import codes_of_days
from hub.codes.touched import known_shops, open_checklists
from hub.ingest.facts_store import facts_by_id
from hub.playbooks import Playbook
from hub.shops_store import Shop
from hub.shops_store import shops as read_shops
from hub.store.database import Connection
from hub.taps.tapping import open_tickets_of
from storepulse.actions import Action

_OPEN: Final = ("pushed", "delivered", "seen", "overdue")
_CHECKLIST_WAIT: Final = timedelta(minutes=2)
"""The checklist and the figures of a photo come up as two messages: wait for the other one."""


def pushes_of_today(
    connection: Connection,
    codes: Mapping[str, Sequence[Code]],
    *,
    now: datetime,
    playbooks: Mapping[str, Playbook],
    policy: Policy | None = None,
) -> list[Action]:
    """The actions that these shops' codes of one day call for, none that is open already.

    Args:
        codes: the four of each shop; the strong shop is looked for among these and the stored ones.
        policy: in place of the one in force.
    """
    policies = read_policies(connection, policy)
    calling = {
        shop: four
        for shop, four in codes.items()
        if any(_calls(code, policies.in_force(code.day)) for code in four)
    }
    if not calling:
        return []
    zones = known_shops(connection, sorted(calling))
    opened = _open_actions(actions(connection, states=_OPEN), calling)
    tickets = open_tickets_of(
        connection, {shop: now for shop in calling if _is_red(calling[shop], "conversion")}, now=now
    )
    found: list[Action] = []
    places: list[ShopPlace] = []
    for shop, four in calling.items():
        day = four[0].day
        timezone = zones[shop].timezone
        lists = open_checklists(
            connection, [shop], day_start(day, timezone),
            day_start(day + timedelta(days=1), timezone),
        )  # fmt: skip
        strong = None
        if _is_red(four, "people"):
            places = places or _places(connection, codes, day)
            strong = strong_shop_nearby(next(p for p in places if p.shop == shop), places)
        situation = Situation(
            checklist=lists.get(shop),
            strong_shop=strong,
            open_tickets=tickets.get(shop, ()),
            open_actions=opened.get(shop, frozenset()),
        )
        found += pushes(four, situation, policies.in_force(day), playbooks, now=now)
    return found


def _calls(code: Code, policy: Policy) -> bool:
    return code.colour == "red" or code.unknown_days > policy.unknown_days_max


def _is_red(codes: Sequence[Code], dimension: str) -> bool:
    return any(code.colour == "red" and code.dimension == dimension for code in codes)


def _open_actions(
    stored: Sequence[StoredAction], of_shops: Mapping[str, object]
) -> dict[str, frozenset[OpenAction]]:
    found: dict[str, set[OpenAction]] = {}
    for one in stored:
        action = one.action
        if action.shop in of_shops:
            opened = OpenAction(action.kind, action.dimension, action.dims.get("bay", ""))
            found.setdefault(action.shop, set()).add(opened)
    return {shop: frozenset(opened) for shop, opened in found.items()}


def _places(
    connection: Connection, codes: Mapping[str, Sequence[Code]], day: date
) -> list[ShopPlace]:
    """All shops with their people code: the given one, else the newest stored of two days."""
    stored = {
        one.shop: (one.colour, one.value)
        for one in codes_of_days(connection, day - timedelta(days=1), day)
        if one.dimension == "people"  # by day: a later one takes the place of an earlier one
    }
    given = {
        shop: (code.colour, code.value)
        for shop, four in codes.items()
        for code in four
        if code.dimension == "people"
    }
    people: Mapping[str, tuple[str, float | None]] = stored | given
    return [
        _place(shop, *people.get(shop.shop, ("unknown", None))) for shop in read_shops(connection)
    ]


def _place(shop: Shop, colour: str, a_head: float | None) -> ShopPlace:
    shown = next(one for one in WORST_FIRST if one == colour)
    return ShopPlace(
        shop.shop, shop.region, shop.format, shop.latitude, shop.longitude, shown, a_head
    )


def may_wait_for_checklist(connection: Connection, action: Action, *, now: datetime) -> bool:
    """Whether a goods push without a checklist is so young that the list may be on its way."""
    if action.kind != CHECKLIST_KIND or action.checklist is not None:
        return False
    facts = facts_by_id(connection, list(action.evidence))
    # A fact of the whole of today ends tonight: it is no photo of a moment ago.
    return any(timedelta(0) <= now - one.fact.end < _CHECKLIST_WAIT for one in facts)

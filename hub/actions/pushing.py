"""Gather what a push must know from the database, and ask `hub.actions.pushes`. Stores nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from hub.actions.choosing import Steering
from hub.actions.kinds import CHECKLIST_KIND
from hub.actions.opening import shift_at
from hub.actions.plate import Given, handed_out
from hub.actions.pushes import (
    OpenAction,
    ShopPlace,
    Situation,
    ZoneFigure,
    pushes,
    strong_shop_nearby,
)
from hub.actions.store import StoredAction, actions, given_actions, read_rules_in_force, videos
from hub.codes.code import Code
from hub.codes.colours import WORST_FIRST
from hub.codes.computing import read_policies, shop_kinds
from hub.codes.days import day_start
from hub.codes.policy import Policy
from hub.codes.store import codes_of_days
from hub.codes.touched import known_shops, open_checklists
from hub.experiments.store import playbook_arms, stored_worths
from hub.ingest.facts_store import facts_by_id, facts_of_days
from hub.playbooks import Playbook
from hub.shops_store import Shop
from hub.shops_store import shops as read_shops
from hub.store.database import Connection
from hub.taps.tapping import open_tickets_of
from storepulse.actions import Action

_OPEN: Final = ("pushed", "delivered", "seen", "overdue")
_LONGEST_MEMORY: Final = timedelta(days=28)
"""No cooldown is longer."""
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
    kinds = shop_kinds(connection, codes)
    calling = {
        shop: four
        for shop, four in codes.items()
        if any(_calls(code, policies.in_force_at(kinds[shop], code.day)) for code in four)
    }
    if not calling:
        return []
    rules = read_rules_in_force(connection)
    known = known_shops(connection, sorted(calling))
    opened = _open_actions(actions(connection, shops=sorted(calling), states=_OPEN))
    tickets = open_tickets_of(
        connection, {shop: now for shop in calling if _is_red(calling[shop], "conversion")}, now=now
    )
    steered: dict[date, Steering] = {}
    found: list[Action] = []
    places: dict[str, list[ShopPlace]] = {}
    for shop, four in calling.items():
        day = four[0].day
        timezone = known[shop].timezone
        lists = open_checklists(
            connection, [shop], day_start(day, timezone),
            day_start(day + timedelta(days=1), timezone),
        )  # fmt: skip
        strong = None
        if _is_red(four, "people"):
            region = known[shop].region
            if region not in places:
                places[region] = _places(connection, region, codes, day)
            here = places[region]
            strong = strong_shop_nearby(next(one for one in here if one.shop == shop), here)
        situation = Situation(
            checklist=lists.get(shop),
            strong_shop=strong,
            open_tickets=tickets.get(shop, ()),
            zones=_zones(connection, shop, day) if _is_red(four, "place") else (),
            open_actions=opened.get(shop, frozenset()),
        )
        policy = policies.in_force_at(kinds[shop], day)
        if day not in steered:
            steered[day] = read_steering(connection, day)
        found += pushes(
            four, situation, policy, playbooks, now=now, rules=rules, steering=steered[day]
        )
    return found


def read_steering(connection: Connection, day: date) -> Steering:
    """What trials say on a day: who acts and who waits, and what each playbook was worth."""
    return Steering(arms=playbook_arms(connection, day), worths=stored_worths(connection))


def handed_out_now(
    connection: Connection,
    called_for: Sequence[Action],
    *,
    weekdays: frozenset[int],
    now: datetime,
) -> list[Action]:
    """Those of the actions that there is room for now: see `hub.actions.plate`.

    Args:
        weekdays: on which the shops are open, 0 for Monday.
    """
    if not called_for:
        return []
    rules = read_rules_in_force(connection)
    by_shop: dict[str, list[Action]] = {}
    for action in called_for:
        by_shop.setdefault(action.shop, []).append(action)
    known = known_shops(connection, sorted(by_shop))
    given = given_actions(connection, sorted(by_shop), since=now - _LONGEST_MEMORY)
    staff = _staff(connection, sorted(by_shop), now=now)
    chosen: list[Action] = []
    for shop, wanted in by_shop.items():
        shift = shift_at(now, rules.shifts, timezone=known[shop].timezone, weekdays=weekdays)
        before: Sequence[Given] = given.get(shop, ())
        chosen += handed_out(wanted, before, rules, shift=shift, staff=staff.get(shop, 1), now=now)
    return chosen


def _staff(connection: Connection, shops: Sequence[str], *, now: datetime) -> dict[str, int]:
    """How many were last told to be on duty, today or yesterday; shops without word left out."""
    # A shop's own day may be the one before or after that of UTC.
    day, one = now.date(), timedelta(days=1)
    found: dict[str, int] = {}
    for dated in facts_of_days(
        connection, day - one, day + one, shops=shops, metrics=["staff_on_duty"]
    ):
        if dated.fact.value is not None and dated.fact.start <= now:
            found[dated.fact.shop] = int(dated.fact.value)
    return found


def _zones(connection: Connection, shop: str, day: date) -> list[ZoneFigure]:
    """The newest dwell of the day in each part of the shop that facts tell apart."""
    newest: dict[str, float] = {}
    for dated in facts_of_days(connection, day, day, shops=[shop], metrics=["dwell_mean"]):
        name = dated.fact.dims.get("zone", "")
        if name and dated.fact.value is not None:
            newest[name] = dated.fact.value
    return [ZoneFigure(zone, dwell_min) for zone, dwell_min in newest.items()]


def _calls(code: Code, policy: Policy) -> bool:
    return code.colour == "red" or code.unknown_days > policy.unknown_days_max


def _is_red(codes: Sequence[Code], dimension: str) -> bool:
    return any(code.colour == "red" and code.dimension == dimension for code in codes)


def _open_actions(stored: Iterable[StoredAction]) -> dict[str, frozenset[OpenAction]]:
    found: dict[str, set[OpenAction]] = {}
    for one in stored:
        action = one.action
        opened = OpenAction(action.kind, action.dimension, action.dims.get("bay", ""))
        found.setdefault(action.shop, set()).add(opened)
    return {shop: frozenset(opened) for shop, opened in found.items()}


def _places(
    connection: Connection, region: str, codes: Mapping[str, Sequence[Code]], day: date
) -> list[ShopPlace]:
    """A region's shops with their people code: the given one, else the newest of two days."""
    here = [shop for shop in read_shops(connection) if shop.region == region]
    names = [shop.shop for shop in here]
    stored = {
        one.shop: (one.colour, one.value)
        for one in codes_of_days(connection, day - timedelta(days=1), day, shops=names)
        if one.dimension == "people"  # by day: a later one takes the place of an earlier one
    }
    given = {
        shop: (code.colour, code.value)
        for shop, four in codes.items()
        for code in four
        if code.dimension == "people"
    }
    people: Mapping[str, tuple[str, float | None]] = stored | given
    filmed = videos(connection)
    return [
        _place(shop, *people.get(shop.shop, ("unknown", None)), filmed.get(shop.shop, ""))
        for shop in here
    ]


def _place(shop: Shop, colour: str, a_head: float | None, video: str) -> ShopPlace:
    shown = next(one for one in WORST_FIRST if one == colour)
    return ShopPlace(
        shop.shop, shop.region, shop.format, shop.latitude, shop.longitude, shown, a_head, video
    )


def may_wait_for_checklist(connection: Connection, action: Action, *, now: datetime) -> bool:
    """Whether a goods push without a checklist is so young that the list may be on its way."""
    if action.kind != CHECKLIST_KIND or action.checklist is not None:
        return False
    facts = facts_by_id(connection, list(action.evidence))
    # A fact of the whole of today ends tonight: it is no photo of a moment ago.
    return any(timedelta(0) <= now - one.fact.end < _CHECKLIST_WAIT for one in facts)

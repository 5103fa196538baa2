"""Look after actions: silence sends them one level up, once; later codes confirm what was done, or
take away why it was asked for."""

from datetime import datetime, timedelta
from typing import Final

from hub.actions.silence import Silence, silence
from hub.actions.store import (
    borne_out_actions,
    insert_escalation,
    move_action,
    read_rules_in_force,
    watched_actions,
    withdrawable_actions,
)
from hub.actions.withdrawing import reason_of, why_withdrawn
from hub.codes.computing import Policies, read_policies
from hub.codes.policy import WEEKDAYS
from hub.notices.telling import tell_escalations
from hub.store.database import Connection

_LOOK_BACK: Final = timedelta(days=35)
"""A hub that was away for a while still hears it; no due time is longer than 28 days."""


def escalate(connection: Connection, *, now: datetime) -> list[Silence]:
    """Send up what nobody saw or did in time; returns what went up now, and was never up before."""
    watched = watched_actions(connection, since=now - _LOOK_BACK)
    if not watched:
        return []
    rules = read_rules_in_force(connection)
    weekdays = open_weekdays(read_policies(connection), now)
    found = (
        silence(
            one, rules.hours_of(one.shop), unseen_minutes_max=rules.unseen_minutes_max,
            weekdays=weekdays, now=now,
        )
        for one in watched
    )  # fmt: skip
    gone_up = [
        one for one in found if one is not None and insert_escalation(connection, one, at=now)
    ]
    tell_escalations(connection, gone_up, now=now)
    return gone_up


def confirm(connection: Connection, *, now: datetime) -> int:
    """Confirm what was done and a later code bears out; returns how many that were."""
    moved = [
        move_action(connection, action, "later_fact_agrees", at=now, reason=f"hub: code of {day}")
        for action, day in borne_out_actions(connection, since=now - _LOOK_BACK).items()
    ]
    return sum(one is not None for one in moved)


def withdraw(connection: Connection, *, now: datetime) -> int:
    """Withdraw what has expired or lost its cause; returns how many that were."""
    found = withdrawable_actions(connection, now=now)
    if not found:
        return 0
    rules = read_rules_in_force(connection)
    moved = 0
    for one in found:
        why = why_withdrawn(one, days_after_due=rules.withdrawn_days_after_due, now=now)
        if why is not None:
            reason = f"hub: {reason_of(one, why)}"
            moved += move_action(connection, one.id, why, at=now, reason=reason) is not None
    return moved


def open_weekdays(policies: Policies, now: datetime) -> frozenset[int]:
    """The weekdays on which shops are open under the policy in force, 0 for Monday."""
    open_on = policies.in_force(now.date()).open_weekdays
    return frozenset(WEEKDAYS.index(day) for day in open_on)

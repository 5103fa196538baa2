"""Look for silence among the open actions, and send what it took up one level higher. Once each."""

from datetime import datetime, timedelta
from typing import Final

from hub.actions.silence import Silence, silence
from hub.actions.store import insert_escalation, read_rules_in_force, watched_actions
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


def open_weekdays(policies: Policies, now: datetime) -> frozenset[int]:
    """The weekdays on which shops are open under the policy in force, 0 for Monday."""
    open_on = policies.in_force(now.date()).open_weekdays
    return frozenset(WEEKDAYS.index(day) for day in open_on)

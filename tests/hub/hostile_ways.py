"""Ways by which a manager of the west tries to get at the shops of the east. Asks nothing itself.

Whoever adds a route adds the ways through it here; `test_hostile_people.py` tries them all. What
must not get out carries MARK in the house that the tests build: names, methods, titles, raw text.
"""

from dataclasses import dataclass, field
from typing import Any

from hub.codes.policy import default_json

MARK = "mark-of-the-east"
EAST, WEST = "east-1", "west-1"
EAST_ACTION, EAST_LIST = "action-of-east", "list-of-east"
EAST_PHONE = "3f9c1f6e-0000-4000-8000-000000000001"
DAY_TEXT = "2026-11-20"


@dataclass(frozen=True)
class Way:
    """One request, and what may come of it.

    `{me}`, `{head}`, `{head_session}` in path and body stand for ids. Head office asking the same
    gets `head_status`, and the mark where `shows` says so: else the way would prove nothing.
    """

    path: str
    status: int
    method: str = "GET"
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    shows: bool = False
    head_status: int = 200


_NOT_THERE: dict[str, Any] = {"status": 404, "code": "not_there", "shows": True}
_NOT_YOURS: dict[str, Any] = {"status": 403, "code": "not_yours"}
_GONE: dict[str, Any] = {"status": 404, "code": "not_there"}
_SQL = "' or '1'='1"
GOODS = "exposure_main_push"

WAYS: dict[str, Way] = {
    # figures
    "the newest board": Way("/api/board", 200, shows=True),
    "the board of a day": Way(f"/api/board?day={DAY_TEXT}", 200, shows=True),
    "a page of the board": Way("/api/board?limit=100", 200, shows=True),
    "a page of another's region": Way("/api/board?limit=100&region=east", 200, shows=True),
    "a page by another's name": Way(f"/api/board?limit=100&called={EAST}", 200, shows=True),
    "the board as columns": Way("/api/board/columns", 200, shows=True),
    "a column of another's shop": Way(f"/api/board/columns?shop={EAST}", 200, shows=True),
    "another's history": Way(f"/api/history?shop={EAST}", 200),
    "SQL as a name on a page": Way(f"/api/board?limit=100&called={_SQL}", 200),
    "the list of shops": Way("/api/shops", 200, shows=True),
    "codes of another's shop": Way(f"/api/shops/{EAST}/codes", **_NOT_THERE),
    "codes of a day": Way(f"/api/shops/{EAST}/codes?day={DAY_TEXT}", **_NOT_THERE),
    # Those have no text in them: that they hold one's own shops alone is a test of its own.
    "the figures of all shops": Way("/api/figures", 200),
    "the figures of a day": Way(f"/api/figures?day={DAY_TEXT}", 200),
    "two figures of all shops": Way(
        f"/api/plane?x=goods&y=visitors&day={DAY_TEXT}", 200, shows=True
    ),
    "another's figures by day": Way(f"/api/shops/{EAST}/figures?metric={GOODS}", **_GONE),
    "another's figures by quarter": Way(
        f"/api/shops/{EAST}/figures?metric={GOODS}&by=quarter&from={DAY_TEXT}&to={DAY_TEXT}",
        **_GONE,
    ),
    "another's figures by hour": Way(
        f"/api/shops/{EAST}/figures?metric={GOODS}&by=hour&from={DAY_TEXT}&to={DAY_TEXT}", **_GONE
    ),
    "another's weeks in opening hours": Way(
        f"/api/shops/{EAST}/figures?metric={GOODS}&by=week&open_only=true", **_GONE
    ),
    "another's figures beside one's own": Way(
        f"/api/shops/{WEST}/figures?metric={GOODS}&shop={EAST}", 200
    ),
    "another's figures by a path that climbs": Way(
        f"/api/shops/{WEST}%2F..%2F{EAST}/figures?metric={GOODS}", 404, code="not_there",
        head_status=404,
    ),
    "SQL as a shop of figures": Way(
        f"/api/shops/{EAST}{_SQL}/figures?metric={GOODS}", 404, head_status=404
    ),
    "SQL as a metric of figures": Way(
        f"/api/shops/{WEST}/figures?metric={GOODS}{_SQL}", 400, head_status=400
    ),
    "actions of another's shop": Way(f"/api/shops/{EAST}/actions", **_NOT_THERE),
    "an action by its id": Way(f"/api/actions/{EAST_ACTION}", **_NOT_THERE),
    "the list of actions": Way("/api/actions", 200, shows=True),
    "actions of a region": Way("/api/actions?region=east", 200, shows=True),
    "actions by a shop's name": Way(f"/api/actions?shop={EAST}", 200, shows=True),
    "another's action given up": Way(
        "/api/actions/nothing-1/dismiss", 404, method="POST", body={"reason": "x"},
        code="not_there", head_status=404,
    ),
    "another's action given to oneself": Way(
        f"/api/actions/{EAST_ACTION}/reassign", method="POST",
        body={"reason": "mine now", "role": "region"}, **_NOT_THERE,
    ),
    "who works for another's shop": Way(f"/api/shops/{EAST}/takers", **_NOT_THERE),
    "a link for another's ticket": Way(
        f"/api/shops/{EAST}/tickets/T1/link", 404, method="POST", code="not_there", head_status=404
    ),
    "texts of one's own": Way(
        "/api/playbooks/talk_track", method="PUT", body={"en": "x", "zh": "x", "after": 0},
        head_status=422, **_NOT_YOURS,
    ),
    "a checklist by its id": Way(f"/api/checklists/{EAST_LIST}", **_NOT_THERE),
    "facts of another's shop": Way(f"/api/facts?shop={EAST}", **_NOT_THERE),
    "two shops in one request": Way(f"/api/facts?shop={WEST}&shop={EAST}", **_NOT_THERE),
    "a path that climbs": Way(
        f"/api/shops/{WEST}%2F..%2F{EAST}/codes", 404, code="not_there", head_status=404
    ),
    # exports
    "the board as a file": Way("/api/board.csv", 200, shows=True),
    "facts as a file": Way(f"/api/facts.csv?shop={EAST}", **_NOT_THERE),
    "actions as a file": Way(f"/api/actions.csv?shop={EAST}", **_NOT_THERE),
    # policies
    "a policy of one's own": Way(
        "/api/policy/publish", method="POST", body={"policy": default_json()}, head_status=400,
        **_NOT_YOURS,
    ),
    "a draft tried at all shops": Way(
        "/api/policy/try", 200, method="POST", body={"policy": default_json(), "days": 1}
    ),
    "another's policy": Way(f"/api/policy?shop={EAST}", 404, code="not_there"),
    "another's calendar": Way(f"/api/shops/{EAST}/calendar", 404, code="not_there"),
    # SQL
    "SQL as a shop": Way(f"/api/facts?shop={EAST}{_SQL}", 404, head_status=404),
    "SQL as a metric": Way(f"/api/facts?shop={WEST}&metric=x{_SQL}", 200),
    "SQL as an id": Way(f"/api/actions/x{_SQL}", 404, head_status=404),
    "SQL as a day": Way("/api/board?day=2026-11-20'--", 422, head_status=422),
    "a setting as a parameter": Way("/api/board?storepulse.session=00&role=none", 200, shows=True),
    # nodes and faults
    "nodes": Way("/api/nodes", 200, shows=True),
    "streams": Way("/api/streams", 200, shows=True),
    "quarantine": Way("/api/quarantine", shows=True, **_NOT_YOURS),
    "alarms": Way("/api/alarms", shows=True, **_NOT_YOURS),
    # phones
    "phones of another's shop": Way(f"/api/shops/{EAST}/phones", **_NOT_THERE),
    "where another's phones pair": Way(f"/api/shops/{EAST}/pairing", **_NOT_THERE),
    "a code for another's shop": Way(f"/api/shops/{EAST}/pairing", method="POST", **_NOT_THERE),
    "the end of another's phone": Way(
        f"/api/shops/{EAST}/phones/{EAST_PHONE}", 404, method="DELETE", code="not_there"
    ),
    "another's phone by one's own shop": Way(
        f"/api/shops/{WEST}/phones/{EAST_PHONE}", 404, method="DELETE", code="not_there",
        head_status=404,
    ),
    # headers that some proxies set
    "a name in a header": Way(
        f"/api/facts?shop={EAST}", headers={"X-Forwarded-User": "head", "X-Role": "head_office"},
        **_NOT_THERE,
    ),
    "another path in a header": Way(
        "/api/board", 200, headers={"X-Original-URL": "/api/quarantine"}, shows=True
    ),
    "another method in a header": Way(
        "/api/sessions", 405, method="POST", headers={"X-HTTP-Method-Override": "DELETE"},
        head_status=405,
    ),
    # the audit log
    "who changed what": Way("/api/audit", **_NOT_YOURS),
    # feeds
    "the feeds": Way("/api/feeds", **_NOT_YOURS),
    "a feed's rows that are aside": Way("/api/feeds/till/aside", **_NOT_YOURS),
    "rows of one's own making": Way(
        "/api/feeds/till/rows", 401, method="POST", body={"rows": []}, code="bad_signature",
        head_status=401,
    ),
    # people
    "the list of people": Way("/api/people", shows=True, **_NOT_YOURS),
    "a person of one's own making": Way(
        "/api/people", method="POST", body={"name": "Eve", "role": "head_office"},
        head_status=201, **_NOT_YOURS,
    ),
    "another role for oneself": Way(
        "/api/people/{me}", method="PATCH", body={"role": "head_office"}, **_NOT_YOURS
    ),
    "another region for oneself": Way(
        "/api/people/{me}", method="PATCH", body={"role": "region", "regions": ["east"]},
        **_NOT_YOURS,
    ),
    "another's link": Way(
        "/api/people/{head}/link", method="POST", head_status=201, **_NOT_YOURS
    ),
    "another's end": Way("/api/people/{me}", method="DELETE", **_NOT_YOURS),
    "all sessions of another": Way("/api/people/{me}/sessions", method="DELETE", **_NOT_YOURS),
    "a session of another": Way(
        "/api/sessions/{head_session}", 404, method="DELETE", code="not_there"
    ),
}  # fmt: skip

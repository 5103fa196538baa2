"""One suite for every kind of feed and every way it comes: twice is one, bad rows wait aside."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.api.app import create_app
from hub.feeds.intake import Taken
from hub.feeds.kinds import KINDS
from hub.feeds.reasons import FeedFailed, RowReason, RunReason
from hub.feeds.running import run_due, run_feed, take_again
from hub.feeds.signing import signature
from hub.feeds.store import add_feed, aside, feeds
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.feeds.fake_server import Fake, csv_bytes, fake_server
from tests.hub.feeds.told import NOW, facts
from tests.hub.staff import session_for
from tests.hub.visitor import Visitor

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Case:
    """Good rows of a kind, what they make, and a row that can be taken once shop 99 is listed."""

    kind: str
    good: Rows
    makes: Mapping[str, object]
    """Metric (or table) to the value (or how many rows)."""
    late: Mapping[str, object]


_DAY = {"first_day": "2026-11-19", "last_day": "2026-11-20"}
CASES = [
    Case(
        "deals",
        [{"shop": "17", "id": "r1", "at": "2026-11-20T10:00:00", "amount": 12.5, "ticket": "t1"},
         {"shop": "18", "id": "r1", "at": "2026-11-20T03:00:00Z", "amount": 7, "undone": "no"}],
        {"deals": 2},
        {"shop": "99", "id": "r2", "at": "2026-11-20T10:00:00", "amount": 1},
    ),
    Case(
        "receptions",
        [{"shop": "17", "id": "q1", "at": "2026-11-20T10:00:00"},
         {"shop": "17", "id": "q2", "at": "2026-11-20T10:01:00", "undone": "yes"}],
        {"receptions": 2},
        {"shop": "99", "id": "q1", "at": "2026-11-20T10:00:00"},
    ),
    Case(
        "sales",
        [{"shop": "17", "start": "2026-11-19T00:00", "end": "2026-11-20T00:00", "amount": 900.5}],
        {"sales": 900.5},
        {"shop": "99", "start": "2026-11-19T00:00", "end": "2026-11-20T00:00", "amount": 1},
    ),
    Case(
        "screen",
        [{"shop": "17", "start": "2026-11-20T10:00", "end": "2026-11-20T11:00", "touches": 31}],
        {"screen_touches": 31.0},
        {"shop": "99", "start": "2026-11-20T10:00", "end": "2026-11-20T11:00", "touches": 1},
    ),
    Case(
        "rota",
        [{"shop": "17", "start": "2026-11-20T10:00", "end": "2026-11-20T14:00", "people": 3}],
        {"staff_on_duty": 3.0},
        {"shop": "99", "start": "2026-11-20T10:00", "end": "2026-11-20T14:00", "people": 1},
    ),
    Case(
        "competitors",
        [{"id": "e1", "region": "east", **_DAY}],
        {"competitor_event": 1.0},
        {"id": "e2", "shop": "99", **_DAY},
    ),
    Case(
        "promotions",
        [{"id": "p1", "shop": "17", **_DAY}],
        {"promotion": 1.0},
        {"id": "p2", "shop": "99", **_DAY},
    ),
    Case(
        "holidays",
        [{"shop": "17", "day": "2026-10-01", "holiday": "yes"}],
        {"holiday": 1.0},
        {"shop": "99", "day": "2026-10-01", "holiday": "yes"},
    ),
    Case(
        "weather",
        [{"shop": "17", "day": "2026-11-19", "rain_mm": 4.5, "degc": 11.5}],
        {"rain": 4.5, "temperature": 11.5},
        {"shop": "99", "day": "2026-11-19", "rain_mm": 4.5, "degc": 11.5},
    ),
]  # fmt: skip


class Way:
    """How rows reach the hub."""

    def __init__(self, name: str, database: Database, fake: Fake, folder: Path, case: Case) -> None:
        self.name, self.database, self.fake, self.case = name, database, fake, case
        self.file = folder / "rows.csv"
        places = {"webhook": "webhook", "file": str(self.file), "address": f"{fake.url}/rows.csv"}
        with database.connection() as connection:
            self.secret = add_feed(
                connection, "feed", kind=case.kind, place=places[name], options={}, every_s=3600,
                now=NOW,
            )  # fmt: skip
        self.deliveries = 0

    def send(self, rows: Rows) -> tuple[int, int, int]:
        """New, known and aside."""
        content = csv_bytes(rows, KINDS[self.case.kind].columns)
        if self.name == "webhook":
            answer = deliver(
                self.database, self.secret, {"rows": list(rows)}, delivery=f"d{self.deliveries}"
            )
            self.deliveries += 1
            assert answer.status_code == 200, answer.text
            said = answer.json()
            return said["taken"], said["same"], said["aside"]
        self.file.write_bytes(content)
        self.fake.content = content
        done = run_feed(self.database, "feed", now=NOW)
        return done.taken, done.same, done.aside.total()


_apps: dict[int, Any] = {}


def _app(database: Database) -> Any:
    """One for the session's database: building it takes longer than a test."""
    if id(database) not in _apps:
        _apps[id(database)] = create_app(database, now=lambda: NOW)
    return _apps[id(database)]


def deliver(
    database: Database, secret: bytes | None, body: Any, *, delivery: str = "d", at: datetime = NOW,
    feed: str = "feed",
) -> Any:  # fmt: skip
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = f"{at.timestamp():.0f}"
    headers = {
        "webhook-id": delivery, "webhook-timestamp": timestamp,
        "webhook-signature": signature(
            secret or b"", delivery=delivery, timestamp=timestamp, body=content
        ),
    }  # fmt: skip
    visitor = Visitor(database, app=_app(database))
    return visitor.post(f"/api/feeds/{feed}/rows", content=content, headers=headers)


@pytest.fixture(params=["webhook", "file", "address"])
def way(
    request: pytest.FixtureRequest, case: Case, chain: Database, fake: Fake, tmp_path: Path
) -> Way:
    return Way(request.param, chain, fake, tmp_path, case)


def stored(database: Database) -> dict[str, Any]:
    """Metrics with their values, tables of taps with their rows; duplicates would show."""
    found: dict[str, Any] = {}
    with database.connection() as connection:
        for row in connection.execute(
            "select metric, value, count(*) as n from facts group by 1, 2"
        ):
            assert row["metric"] not in found, "two values of one figure"
            found[row["metric"]] = row["value"]
        for table in ("deals", "receptions"):
            row = connection.execute(f"select count(*) as n from {table}").fetchone()  # type: ignore[call-overload]
            assert row is not None
            if row["n"]:
                found[table] = row["n"]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_rows_are_taken_once_and_bad_ones_wait_aside(case: Case, way: Way) -> None:
    """The whole contract in one go: each way needs a database of its own."""
    database = way.database
    assert way.send(case.good) == (len(case.good), 0, 0)
    assert stored(database) == case.makes
    before = facts(database)

    # Twice is once, and a row of a shop that nobody listed holds up no other: aside once, too.
    assert way.send([*case.good, case.late]) == (0, len(case.good), 1)
    assert way.send([case.late, *reversed(case.good)]) == (0, len(case.good), 1)
    assert facts(database) == before
    with database.connection() as connection:
        (waiting,) = aside(connection, "feed")
        assert (waiting.reason, waiting.tries) == (RowReason.UNKNOWN_SHOP, 2)
        (listed,) = feeds(connection)
        assert (listed.taken, listed.aside, listed.reason) == (len(case.good), 1, "")
        assert listed.last_ok_at == NOW
    assert take_again(database, "feed", now=NOW).aside == {RowReason.UNKNOWN_SHOP: 1}

    with database.connection() as connection:
        save_shop(connection, Shop(shop="99", region="west"))
    assert take_again(database, "feed", now=NOW).taken == 1
    with database.connection() as connection:
        assert aside(connection, "feed") == []
    assert take_again(database, "feed", now=NOW).rows == 0
    assert way.send([case.late]) == (0, 1, 0)


def test_every_kind_is_held_to_the_contract() -> None:
    assert {case.kind for case in CASES} == set(KINDS)


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        ("deals", {"shop": "17", "id": "r", "at": "20/11/2026 10:00"}, RowReason.NOT_A_TIME),
        ("deals", {"shop": "17", "id": "", "at": "2026-11-20T10:00"}, RowReason.MISSING),
        ("deals", {"shop": "17", "id": "r", "at": "2026-12-20T10:00"}, RowReason.IN_FUTURE),
        ("deals", {"shop": "17", "id": "r", "at": "2026-11-20T10:00", "amount": "1.200,50"},
         RowReason.NOT_A_NUMBER),
        ("deals", {"shop": "17", "id": "x" * 150, "at": "2026-11-20T10:00"}, RowReason.TOO_LONG),
        ("deals", {"shop": "17", "id": "r", "at": "2026-11-20T10:00", "undone": "perhaps"},
         RowReason.NOT_A_ROW),
        ("screen", {"shop": "17", "start": "2026-11-20T10:00", "end": "2026-11-20T10:00",
                    "touches": "1"}, RowReason.BACKWARDS),
        ("screen", {"shop": "17", "start": "2026-11-20T10:00", "end": "2026-11-20T11:00",
                    "touches": "-1"}, RowReason.OUT_OF_RANGE),
        ("screen", {"shop": "17", "start": "2026-11-10T10:00", "end": "2026-11-20T11:00",
                    "touches": "1"}, RowReason.TOO_LONG),
        ("weather", {"shop": "17", "day": "2026-11-19", "degc": "400"}, RowReason.OUT_OF_RANGE),
        ("competitors", {"id": "e", "region": "nowhere", **_DAY}, RowReason.UNKNOWN_REGION),
        ("competitors", {"id": "e", "shop": "17", "first_day": "2026-11-20",
                         "last_day": "2026-11-19"}, RowReason.BACKWARDS),
    ],
)  # fmt: skip
def test_a_bad_row_says_what_is_wrong_with_it(
    chain: Database, tmp_path: Path, kind: str, row: Mapping[str, str], reason: RowReason
) -> None:
    assert _run(chain, tmp_path, kind, [row]).aside == {reason: 1}
    assert stored(chain) == {}


def _run(database: Database, folder: Path, kind: str, rows: Rows, name: str = "feed") -> Taken:
    file = folder / f"{name}.csv"
    file.write_bytes(csv_bytes(rows, KINDS[kind].columns))
    with database.connection() as connection:
        if not feeds(connection, name):
            add_feed(
                connection, name, kind=kind, place=str(file), options={}, every_s=3600, now=NOW
            )
    return run_feed(database, name, now=NOW)


def test_two_rows_of_one_time_are_not_both_true(chain: Database, tmp_path: Path) -> None:
    first = {"shop": "17", "start": "2026-11-20T10:00", "end": "2026-11-20T14:00", "people": 3}
    other = first | {"start": "2026-11-20T13:00", "end": "2026-11-20T18:00"}
    done = _run(chain, tmp_path, "rota", [first, other])
    assert (done.taken, done.aside) == (1, {RowReason.OVERLAPS: 1})


def test_the_last_word_of_a_figure_counts_and_the_first_is_kept(
    chain: Database, tmp_path: Path
) -> None:
    row = {"shop": "17", "start": "2026-11-19T00:00", "end": "2026-11-20T00:00", "amount": 900}
    _run(chain, tmp_path, "sales", [row])
    assert _run(chain, tmp_path, "sales", [row | {"amount": 950}]).taken == 1
    first, second = facts(chain)
    assert second["id"] == first["id"] + "~2"
    assert (first["value"], second["value"]) == (900, 950)


def test_a_receipt_that_is_taken_back_is_taken_back(chain: Database, tmp_path: Path) -> None:
    row = {"shop": "17", "id": "r1", "at": "2026-11-20T10:00:00", "amount": 12.5}
    _run(chain, tmp_path, "deals", [row])
    assert _run(chain, tmp_path, "deals", [row | {"undone": "yes"}]).taken == 1
    with chain.connection() as connection:
        rows = connection.execute("select id, undone from deals").fetchall()
    assert rows == [{"id": "feed/feed/r1", "undone": True}]


def test_columns_that_nobody_asked_for_are_kept_nowhere(chain: Database, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("shop,start,end,people,name\n17,x,2026-11-20T14:00,3,Li Wei\n")
    with chain.connection() as connection:
        add_feed(connection, "rota", kind="rota", place=str(file), options={}, every_s=60, now=NOW)
    assert run_feed(chain, "rota", now=NOW).aside.total() == 1
    with chain.connection() as connection:
        (waiting,) = aside(connection, "rota")
    assert "Li Wei" not in str(waiting)


# What others answer when they fail


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (404, b"", RunReason.REFUSED),
        (503, b"", RunReason.FAILING),
        (200, b"\xff\xfe\x00not text", RunReason.UNREADABLE),
        (200, b'shop,id\n"17', RunReason.UNREADABLE),
    ],
)
def test_a_source_that_fails_says_how_and_is_tried_later_and_later(
    chain: Database, fake: Fake, status: int, content: bytes, reason: RunReason
) -> None:
    fake.status, fake.content = status, content
    with chain.connection() as connection:
        add_feed(
            connection, "feed", kind="deals", place=f"{fake.url}/x.csv", options={}, every_s=86_400,
            now=NOW,
        )  # fmt: skip
    waits, at = [], NOW
    for _ in range(8):
        ended = run_due(chain, now=at)["feed"]
        assert isinstance(ended, FeedFailed)
        assert ended.reason == reason
        with chain.connection() as connection:
            (listed,) = feeds(connection)
        assert listed.next_run_at is not None
        waits.append((listed.next_run_at - at).total_seconds())
        assert run_due(chain, now=listed.next_run_at - timedelta(seconds=1)) == {}
        at = listed.next_run_at
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert (listed.reason, listed.failures, listed.last_ok_at) == (reason, 8, None)
    fake.status, fake.content = 200, csv_bytes(CASES[0].good, KINDS["deals"].columns)
    assert isinstance(run_due(chain, now=at)["feed"], Taken)
    with chain.connection() as connection:
        (listed,) = feeds(connection)
    assert (listed.failures, listed.reason) == (0, "")


def test_nobody_there_is_unreachable(chain: Database, tmp_path: Path) -> None:
    with fake_server() as gone:
        url = gone.url
    for place, reason in ((f"{url}/x.csv", RunReason.UNREACHABLE),
                          (str(tmp_path / "none.csv"), RunReason.NO_FILE)):  # fmt: skip
        with chain.connection() as connection:
            name = reason.replace("_", "-")
            add_feed(connection, name, kind="deals", place=place, options={}, every_s=60, now=NOW)
        with pytest.raises(FeedFailed) as failed:
            run_feed(chain, name, now=NOW)
        assert failed.value.reason == reason


# Deliveries


@pytest.fixture
def secret(chain: Database) -> bytes:
    with chain.connection() as connection:
        made = add_feed(
            connection, "feed", kind="deals", place="webhook", options={}, every_s=60, now=NOW
        )
    assert made is not None
    return made


def test_a_delivery_that_comes_again_is_answered_and_not_taken(
    chain: Database, secret: bytes
) -> None:
    rows = {"rows": list(CASES[0].good)}
    assert deliver(chain, secret, rows).json() == {
        "before": False, "taken": 2, "same": 0, "aside": 0,
    }  # fmt: skip
    assert deliver(chain, secret, rows).json()["before"] is True


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"secret": b"another"}, "bad_signature"),
        ({"feed": "none"}, "bad_signature"),
        ({"at": NOW - timedelta(minutes=6)}, "too_old"),
        ({"at": NOW + timedelta(minutes=6)}, "too_old"),
        ({"delivery": ""}, "bad_signature"),
    ],
    ids=["another's secret", "no such feed", "sent long ago", "sent tomorrow", "no id"],
)
def test_a_strangers_delivery_changes_nothing(
    chain: Database, secret: bytes, how: dict[str, Any], code: str
) -> None:
    said = {"secret": secret} | how
    answer = deliver(chain, said.pop("secret"), {"rows": list(CASES[0].good)}, **said)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    assert stored(chain) == {}
    with chain.connection() as connection:
        (listed,) = feeds(connection)
    assert listed.last_run_at is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"rows": {}}', b"\xff", b"[" * 3000])
def test_a_signed_delivery_that_cannot_be_read_is_refused_and_noted(
    chain: Database, secret: bytes, body: bytes
) -> None:
    answer = deliver(chain, secret, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unreadable")
    with chain.connection() as connection:
        (listed,) = feeds(connection)
    assert listed.reason == RunReason.UNREADABLE


def test_rows_that_are_no_rows_wait_aside(chain: Database, secret: bytes) -> None:
    rows = [7, None, [1], {"shop": {"a": 1}}, {"shop": "17", "id": "\0"}]
    assert deliver(chain, secret, {"rows": rows}).json()["aside"] == len(rows)


def test_head_office_sends_rows_again_and_it_stands_in_the_log(
    chain: Database, secret: bytes
) -> None:
    row = {"shop": "77", "id": "r1", "at": "2026-11-19T10:00:00+08:00"}
    assert deliver(chain, secret, {"rows": [row]}).json()["aside"] == 1
    visitors = {
        role: Visitor(chain, app=_app(chain), token=session_for(chain, role)[1])
        for role in ("head_office", "auditor", "installer")
    }
    office = visitors["head_office"]
    assert [one["name"] for one in office.get("/api/feed-kinds").json()] == list(KINDS)
    (waiting,) = office.get("/api/feeds/feed/aside").json()
    assert (waiting["reason"], waiting["said"]["shop"]) == ("unknown_shop", "77")
    for role in ("auditor", "installer"):
        assert visitors[role].post("/api/feeds/feed/again", json={}).status_code == 403
    with chain.connection() as connection:
        save_shop(connection, Shop(shop="77", timezone="Asia/Shanghai"))
    told = office.post("/api/feeds/feed/again", json={"id": waiting["id"]}).json()
    assert told == {"before": False, "taken": 1, "same": 0, "aside": 0}
    assert office.get("/api/feeds/feed/aside").json() == []
    assert office.post("/api/feeds/feed/again", json={"id": waiting["id"]}).status_code == 404
    assert office.post("/api/feeds/none/again", json={}).status_code == 404
    (line,) = office.get("/api/audit?what=feed_sent_again").json()
    assert (line["about"], line["detail"]["taken"]) == ("feed:feed", 1)

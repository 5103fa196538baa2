"""The audit log: every change of a right leaves a line, no line can be changed, few may read it."""

import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from hub.audit.store import lines, record
from hub.cli import app as hub_app
from hub.people.roles import Scope
from hub.people.signing_in import use_link
from hub.people.store import change, end_person, invite, new_link
from hub.store.database import Database
from tests.hub.staff import make_person, session_for
from tests.hub.visitor import Visitor

AUDITOR = Scope(role="auditor")


def test_each_change_of_a_right_leaves_a_line(database: Database) -> None:
    with database.connection() as connection:
        person = invite(connection, "Li Wei", Scope(role="installer"))
        change(connection, person.id, AUDITOR)
        link = new_link(connection, person.id)
    use_link(database, link, name=None, password="a long password", where="")
    with database.connection() as connection:
        end_person(connection, person.id)
        told = list(reversed(lines(connection)))
    assert [(one.what, one.who) for one in told] == [
        ("person_invited", "machine"), ("person_changed", "machine"), ("link_made", "machine"),
        ("password_chosen", "person"), ("person_ended", "machine"),
    ]  # fmt: skip
    assert {one.about for one in told} == {f"person:{person.id}"}
    assert {one.about_name for one in told} == {"Li Wei"}
    assert told[1].detail["before"]["role"] == "installer"
    assert told[1].detail["after"]["role"] == "auditor"


def test_a_change_that_is_rolled_back_leaves_no_line(database: Database) -> None:
    with database.connection() as connection:
        invite(connection, "Li Wei", AUDITOR)
        connection.rollback()
    with database.connection() as connection:
        assert lines(connection) == []


@pytest.mark.parametrize(
    "text",
    [
        "update audit set what = 'nothing'",
        "delete from audit",
        "truncate audit",
        "update audit set at = now() where false",
    ],
)
def test_no_line_can_be_changed_by_the_owner_either(database: Database, text: str) -> None:
    with database.connection() as connection:
        record(connection, what="policy_published", about="policy:7")
    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.connection() as connection:
        connection.execute(text)  # type: ignore[call-overload]
    with database.connection() as connection:
        assert [one.about for one in lines(connection)] == ["policy:7"]


def test_a_session_cannot_say_that_it_was_somebody_else(database: Database) -> None:
    other = make_person(database, "other", "head_office")
    session, _ = session_for(database, "head_office", name="mine")
    with database.of_session(session) as connection:
        record(connection, who=other.id, what="policy_published", about="policy:7")
    with database.connection() as connection:
        (line,) = lines(connection)
    assert (line.person, line.name) == (session.person.id, "mine")


def test_a_session_that_has_ended_records_nothing(database: Database) -> None:
    session, _ = session_for(database, "head_office")
    with database.connection() as connection:
        connection.execute("update sessions set ended_at = now()")
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        database.of_session(session) as connection,
    ):
        record(connection, what="policy_published", about="policy:7")


def test_auditors_and_head_office_read_the_log_and_page_through_it(
    database: Database,
) -> None:
    with database.connection() as connection:
        for version in range(5):
            record(connection, what="policy_published", about=f"policy:{version}")
    told = {}
    for role in ("auditor", "head_office", "installer"):
        _, token = session_for(database, role)  # type: ignore[arg-type]
        visitor = Visitor(database, token=token)
        told[role] = visitor.get("/api/audit?limit=2")
        if role == "auditor":
            before = told[role].json()[-1]["id"]
            older = visitor.get(f"/api/audit?before={before}&limit=2")
    assert told["installer"].status_code == 403
    assert _about(told["auditor"]) == _about(told["head_office"]) == ["policy:4", "policy:3"]
    assert _about(older) == ["policy:2", "policy:1"]


def _about(answer: httpx.Response) -> list[str]:
    return [one["about"] for one in answer.json()]


def test_the_command_prints_the_log(database: Database) -> None:
    with database.connection() as connection:
        record(connection, what="policy_published", about="policy:7", detail={"name": "winter"})
    told = CliRunner().invoke(hub_app, ["audit", "--database", database.place])
    assert told.exit_code == 0
    assert "policy_published" in told.stdout
    assert "winter" in told.stdout


def test_the_log_is_searched_by_kind_person_and_day(database: Database) -> None:
    session, token = session_for(database, "head_office", name="Ann")
    with database.connection() as connection:
        record(connection, what="policy_published", about="policy:1")
        record(connection, who=session.person.id, what="feed_added", about="feed:till")
        (day,) = {f"{one.at:%F}" for one in lines(connection)}
    ann = Visitor(database, token=token)
    for asked, told in (
        ("what=feed_added", ["feed:till"]),
        (f"person={session.person.id}", ["feed:till"]),
        (f"from={day}&to={day}", ["feed:till", "policy:1"]),
        ("to=2020-01-01", []),
        ("from=2090-01-01", []),
        ("about=policy:1&what=feed_added", []),
    ):
        assert _about(ann.get(f"/api/audit?{asked}")) == told, asked

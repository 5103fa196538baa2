"""What is kept of a person is given out, and erased: nothing of it is left in any table."""

import json

import pytest
from typer.testing import CliRunner

from hub.audit.store import lines
from hub.cli import app
from hub.people.erasing import data_of, erase, places
from hub.people.roles import Role, Scope
from hub.people.signing_in import WrongPassword, sign_in, use_link
from hub.people.store import NoSuchPerson, invite, new_link, people
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.staff import session_for
from tests.hub.visitor import PASSWORD, Visitor

NAME = "Li Wei of the east"
WHERE = "203.0.113.77 a browser of hers"
SUBJECT = "subject-24400320"


@pytest.fixture
def li(database: Database) -> str:
    """Somebody with a row in every table that may have one, who gave a wrong password, too."""
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", region="east"))
        person = invite(connection, NAME, Scope(role="region", regions=("east",)))
        link = new_link(connection, person.id)
    use_link(database, link, name=None, password=PASSWORD, where=WHERE)
    with pytest.raises(WrongPassword):
        sign_in(database, NAME, "not this one", address="203.0.113.77", where=WHERE)
    with database.connection() as connection:
        connection.execute(
            "insert into person_subjects (issuer, subject, person) values ('i', %s, %s)",
            [SUBJECT, person.id],
        )
        connection.execute(
            "insert into pairing_codes (sha256, shop, made_by, ends_at)"
            " values ('x', '17', %s, now())", [person.id],
        )  # fmt: skip
    return str(person.id)


def everything(database: Database) -> str:
    """Every row of every table, as text."""
    with database.connection() as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'storepulse'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition"
        ).fetchall()
        return "\n".join(
            str(row)
            for table in tables
            for row in connection.execute(f"select * from {table['relname']}")  # type: ignore[call-overload]
        )


def test_a_person_gets_everything_and_no_secret(database: Database, li: str) -> None:
    told = CliRunner().invoke(app, ["people", "data", NAME, "--database", database.place])
    assert told.exit_code == 0, told.output
    said = json.loads(told.stdout)
    assert said["person"]["name"] == NAME
    assert said["sessions.person"][0]["seen_from"] == WHERE
    assert said["person_subjects.person"][0]["subject"] == SUBJECT
    assert said["person_regions.person"] == [{"person": li, "region": "east"}]
    assert {one["what"] for one in said["audit"]} == {
        "person_invited", "link_made", "password_chosen",
    }  # fmt: skip
    assert "argon2" not in told.stdout
    assert "token_sha256" not in told.stdout


def test_nothing_of_an_erased_person_is_left_but_what_was_done(database: Database, li: str) -> None:
    before = everything(database)
    for trace in (NAME, NAME.casefold(), WHERE, SUBJECT, "argon2"):
        assert trace in before
    done = CliRunner().invoke(app, ["people", "erase", NAME, "--database", database.place])
    assert done.exit_code == 0, done.output
    after = everything(database)
    for trace in (NAME, NAME.casefold(), WHERE, SUBJECT, "argon2", "name:"):
        assert trace not in after
    with database.connection() as connection:
        row = connection.execute("select made_by from pairing_codes").fetchone()
        assert row is not None
        assert str(row["made_by"]) == li
        newest = lines(connection)[0]
        assert (newest.what, newest.about) == ("person_erased", f"person:{li}")
        assert NAME not in str(lines(connection))
        (gone,) = people(connection)
        with pytest.raises(NoSuchPerson):
            erase(connection, gone.person.id)


def test_the_name_is_free_again(database: Database, li: str) -> None:
    with database.connection() as connection:
        erase(connection, people(connection)[0].person.id)
        invite(connection, NAME, Scope(role="auditor"))


def test_every_column_that_refers_to_people_is_given_out(database: Database, li: str) -> None:
    with database.connection() as connection:
        found = places(connection)
        told = data_of(connection, people(connection)[0].person.id)
    assert {f"{one.table}.{one.column}" for one in found} <= set(told)
    assert {"sessions", "welcome_links", "person_regions", "person_shops", "person_subjects",
            "oidc_tries", "pairing_codes"} <= {one.table for one in found}  # fmt: skip


def test_head_office_gives_out_and_erases_and_nobody_else_may(database: Database, li: str) -> None:
    _, token = session_for(database, "head_office", name="Ann")
    ann = Visitor(database, token=token)
    others: list[Role] = ["auditor", "installer", "region"]
    for role in others:
        regions = ["east"] if role == "region" else []
        visitor = Visitor(database, token=session_for(database, role, regions=regions)[1])
        for method, path in (("GET", "data"), ("POST", "erase")):
            assert visitor.ask(method, f"/api/people/{li}/{path}", json={}).status_code == 403
        assert visitor.get("/api/people-accounts").status_code == 403
    (account,) = ann.get("/api/people-accounts").json()
    assert (account["person"], account["issuer"], "subject" in account) == (li, "i", False)
    told = ann.get(f"/api/people/{li}/data")
    assert told.json()["person"]["name"] == NAME
    assert "argon2" not in told.text
    assert ann.post(f"/api/people/{li}/erase", json={}).json() == {"erased": li}
    assert NAME not in everything(database)
    assert ann.post(f"/api/people/{li}/erase", json={}).status_code == 404
    with database.connection() as connection:
        said = [(one.what, one.name) for one in lines(connection, about=f"person:{li}")]
    assert said[0] == ("person_erased", "Ann")
    assert ("data_given_out", "Ann") in said


def test_the_last_of_head_office_is_not_erased(database: Database) -> None:
    session, token = session_for(database, "head_office", name="Ann")
    answer = Visitor(database, token=token).post(f"/api/people/{session.person.id}/erase", json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "last_of_head_office")

"""Sign-in, welcome links, people: who comes in, by what, how often, and who is shut out."""

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.errors import Refused
from hub.people.cli import app
from hub.people.passwords import check_new_password, hash_password, password_fits
from hub.people.roles import BadPerson, Scope, clean_name, name_key
from hub.people.signing_in import sign_in, tries_of_name
from hub.people.store import first_link, invite, new_link, people
from hub.people.tokens import link_path
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from hub.store.queries import question
from tests.hub.staff import make_person, session_for
from tests.hub.visitor import ADDRESS, PASSWORD, Visitor, first_visitor, visitor_of


def code_of(answer: Any) -> str:
    return str(answer.json()["error"]["code"])


@pytest.fixture
def ann(database: Database) -> Visitor:
    """The first person of head office of a chain with two shops."""
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", region="east"))
        save_shop(connection, Shop(shop="19", region="west"))
    return first_visitor(database)


def invited(ann: Visitor, name: str = "李伟", **scope: Any) -> tuple[str, str]:
    """The id and the secret of the link of somebody new."""
    said = {"name": name, "role": "region", "regions": ["east"]} | scope
    answer = ann.post("/api/people", json=said)
    assert answer.status_code == 201, answer.text
    link = answer.json()["link"]
    assert link.startswith("/#/welcome/")
    return answer.json()["person"]["id"], link.rsplit("/", 1)[1]


def welcomed(visitor: Visitor, token: str, password: str = PASSWORD) -> Visitor:
    answer = visitor.post(f"/api/welcome/{token}", json={"password": password})
    assert answer.status_code == 200, answer.text
    return visitor


def test_the_first_link_makes_somebody_of_head_office_once(database: Database) -> None:
    with database.connection() as connection:
        token = first_link(connection)
    visitor = Visitor(database)
    path = f"/api/welcome/{token}"
    assert visitor.get(path).json() == {"kind": "first", "name": "", "role": "head_office"}
    said = {"name": " Ann  Lee ", "password": PASSWORD}
    me = visitor.post(path, json=said).json()["person"]
    assert (me["name"], me["role"]) == ("Ann Lee", "head_office")
    assert "manage_people" in me["rights"]
    assert visitor.get("/api/session").json()["person"] == me
    for answer in (visitor.get(path), visitor.post(path, json=said)):
        assert (answer.status_code, code_of(answer)) == (404, "link_used_or_ended")
    with database.connection() as connection:
        assert first_link(connection) is None


def test_each_start_ends_the_link_of_the_one_before(database: Database) -> None:
    with database.connection() as connection:
        old, new = first_link(connection), first_link(connection)
    visitor = Visitor(database)
    assert visitor.get(f"/api/welcome/{old}").status_code == 404
    assert visitor.get(f"/api/welcome/{new}").status_code == 200


def test_a_first_link_is_worth_nothing_once_somebody_is_there(database: Database) -> None:
    with database.connection() as connection:
        token = first_link(connection)
    make_person(database, "Ann", "head_office")
    said = {"name": "Eve", "password": PASSWORD}
    assert Visitor(database).post(f"/api/welcome/{token}", json=said).status_code == 404


def test_two_that_come_with_one_link_are_one(database: Database) -> None:
    with database.connection() as connection:
        path = f"/api/welcome/{first_link(connection)}"
    asked = [("POST", path, {"name": f"Ann {number}", "password": PASSWORD}) for number in range(3)]
    answers = Visitor(database).at_once(asked)
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404]


def test_somebody_invited_chooses_a_password_and_signs_in(ann: Visitor) -> None:
    _, token = invited(ann)
    li = ann.other()
    assert li.post("/api/session", json={"name": "李伟", "password": PASSWORD}).status_code == 401
    assert li.get(f"/api/welcome/{token}").json() == {
        "kind": "person", "name": "李伟", "role": "region",
    }  # fmt: skip
    welcomed(li, token)
    assert [shop["shop"] for shop in li.get("/api/shops").json()] == ["17"]
    elsewhere = ann.other()
    answer = elsewhere.post("/api/session", json={"name": " 李伟 ", "password": PASSWORD})
    assert answer.json()["person"]["regions"] == ["east"]
    assert len(li.get("/api/sessions").json()) == 2


def test_a_password_that_is_too_short_leaves_the_link_good(ann: Visitor) -> None:
    _, token = invited(ann, "Bo")
    for password in ("short", "a" * 40, "x" * 2000):
        answer = ann.other().post(f"/api/welcome/{token}", json={"password": password})
        assert (answer.status_code, code_of(answer)) == (400, "bad_input")
    welcomed(ann.other(), token)


def test_a_link_ends_after_a_day_and_with_a_newer_one(ann: Visitor, database: Database) -> None:
    person, old = invited(ann, "Bo")
    new = ann.post(f"/api/people/{person}/link").json()["link"].rsplit("/", 1)[1]
    assert ann.get(f"/api/welcome/{old}").status_code == 404
    assert ann.get(f"/api/welcome/{new}").status_code == 200
    with database.connection() as connection:
        connection.execute("update welcome_links set ends_at = ends_at - interval '24 hours'")
    answer = ann.other().post(f"/api/welcome/{new}", json={"password": PASSWORD})
    assert (answer.status_code, code_of(answer)) == (404, "link_used_or_ended")


def test_a_new_link_is_the_way_back_and_ends_what_was_open(ann: Visitor) -> None:
    person, token = invited(ann, "Bo")
    lost = welcomed(ann.other(), token)
    link = ann.post(f"/api/people/{person}/link").json()["link"]
    assert lost.get("/api/session").status_code == 200, "until it is used"
    welcomed(ann.other(), link.rsplit("/", 1)[1], "another long password")
    assert lost.get("/api/session").status_code == 401
    answer = lost.post("/api/session", json={"name": "Bo", "password": PASSWORD})
    assert code_of(answer) == "wrong_password"


def test_wrong_passwords_have_to_wait(ann: Visitor, database: Database) -> None:
    right, wrong = ({"name": "Ann", "password": word} for word in (PASSWORD, "a wrong password"))
    bo = ann.other()
    for _ in range(5):
        assert code_of(bo.post("/api/session", json=wrong)) == "wrong_password"
    with database.connection() as connection:
        connection.execute("update sign_in_tries set tries = tries + 4, last_at = now()")
    for said in (wrong, right):
        answer = bo.post("/api/session", json=said)
        assert (answer.status_code, code_of(answer)) == (429, "too_many_tries")
        assert 1 <= answer.json()["error"]["retry_after_s"] <= 17
        assert answer.headers["retry-after"].isdigit()
    # Who has signed in before is not thrown out by somebody who tries.
    assert ann.get("/api/session").status_code == 200
    with database.connection() as connection:
        connection.execute("update sign_in_tries set last_at = last_at - interval '1 minute'")
    assert bo.post("/api/session", json=wrong).status_code == 401
    with database.connection() as connection:
        connection.execute("update sign_in_tries set last_at = last_at - interval '1 minute'")
    assert bo.post("/api/session", json=right).status_code == 200
    assert code_of(ann.other().post("/api/session", json=wrong)) == "wrong_password"


def test_many_names_from_one_address_have_to_wait(database: Database) -> None:
    visitor = Visitor(database)
    with database.connection() as connection:
        connection.execute(
            "insert into sign_in_tries"
            " values ('address:127.0.0.1', 30, now() + interval '1 minute')"
        )
    answer = visitor.post("/api/session", json={"name": "anybody", "password": "a wrong password"})
    assert code_of(answer) == "too_many_tries"
    with database.connection() as connection:
        names = connection.execute("select who from sign_in_tries where who like 'name:%'")
        assert names.fetchall() == []


@pytest.mark.parametrize("free", [5, 30], ids=["of a name", "of an address"])
def test_each_wrong_try_doubles_the_wait_up_to_a_minute(database: Database, free: int) -> None:
    asked = {"who": "somebody", "free": free, "wait_s_max": 60}
    # In one transaction: its clock stands still.
    with database.connection() as connection:
        for beyond, wait_s in ((0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (30, 60), (2000, 60)):
            tries = free + beyond
            connection.execute("delete from sign_in_tries")
            connection.execute("insert into sign_in_tries values ('somebody', %s, now())", [tries])
            assert connection.execute(question("wait_of_try"), asked).fetchone() == {
                "wait_s": wait_s
            }
            connection.execute(
                "update sign_in_tries set last_at = now() - %s * interval '1 second'",
                [wait_s - 0.1],
            )
            assert connection.execute(question("take_try"), asked).fetchone() is None
            connection.execute("update sign_in_tries set last_at = last_at - interval '0.1 second'")
            assert connection.execute(question("take_try"), asked).fetchone() == {
                "tries": tries + 1
            }


def test_wrong_passwords_at_once_are_counted_before_they_are_checked(database: Database) -> None:
    make_person(database, "Ann", "head_office")
    with database.connection() as connection:
        # So often that whoever comes after the next try has to wait for longer than this takes.
        connection.execute(
            "insert into sign_in_tries values (%s, 20, now() - interval '2 minutes')",
            [tries_of_name("Ann")],
        )

    def wrong(_: int) -> str:
        try:
            sign_in(database, "Ann", "a wrong password", address="", where="")
        except Refused as error:
            return error.code
        return "in"

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(wrong, range(8)))
    assert sorted(found) == ["too_many_tries"] * 7 + ["wrong_password"]


def test_a_name_that_nobody_has_takes_as_long(database: Database) -> None:
    kept = hash_password(PASSWORD)

    def cost_s(kept: str | None) -> float:
        begun = time.process_time()
        assert not password_fits(kept, "a wrong password")
        return time.process_time() - begun

    password_fits(None, "the first one makes a hash to compare with")
    costs = [(cost_s(kept), cost_s(None)) for _ in range(3)]
    ratio = statistics.median(none / there for there, none in costs)
    assert 0.5 < ratio < 2
    answers = [
        Visitor(database).post("/api/session", json={"name": name, "password": "wrong password"})
        for name in ("nobody", "")
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {
        (401, answers[0].text),
    }  # fmt: skip


def test_passwords_are_hashed_with_argon2id_and_salt(database: Database) -> None:
    one, other = hash_password(PASSWORD), hash_password(PASSWORD)
    assert one != other
    assert one.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert password_fits(one, PASSWORD)
    assert not password_fits(one, PASSWORD + " ")
    assert not password_fits("-", PASSWORD)
    # However it was typed, one character or letter and accent.
    assert password_fits(
        hash_password("caf\u00e9 caf\u00e9 caf\u00e9"), "cafe\u0301 " * 2 + "cafe\u0301"
    )


@pytest.mark.parametrize("password", ["123456789", "aaaaaaaaaaaa", "Ann Margaret Lee", "x" * 1001])
def test_a_password_that_anybody_guesses_is_refused(password: str) -> None:
    with pytest.raises(BadPerson):
        check_new_password(password, name="ann margaret LEE")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(database: Database) -> None:
    with database.connection() as connection:
        path = f"/api/welcome/{first_link(connection)}"
    said = {"name": "Ann", "password": PASSWORD}
    plain = Visitor(database).post(path, json=said).headers["set-cookie"]
    assert plain.startswith("storepulse=")
    secure = Visitor(database, address=ADDRESS.replace("http", "https"))
    locked = secure.post("/api/session", json=said).headers["set-cookie"]
    assert locked.startswith("__Host-storepulse=")
    assert "; Secure" in locked
    for cookie in (plain, locked):
        assert "; HttpOnly" in cookie
        assert "; Path=/;" in cookie
        assert "samesite=strict" in cookie.lower()
        assert "domain" not in cookie.lower()


def test_sign_out_ends_the_session_and_not_only_the_cookie(ann: Visitor) -> None:
    kept = ann.cookies
    assert ann.delete("/api/session").json() == {"ended": 1}
    assert ann.get("/api/session").status_code == 401
    thief = ann.other()
    thief.cookies = kept
    assert thief.get("/api/session").status_code == 401


def test_a_session_elsewhere_can_be_ended_by_its_owner(ann: Visitor) -> None:
    other = ann.other()
    other.post("/api/session", json={"name": "ann", "password": PASSWORD})
    listed = ann.get("/api/sessions").json()
    assert [one["this"] for one in listed] in ([True, False], [False, True])
    assert all("127.0.0.1" in one["where"] for one in listed)
    (there,) = (one["id"] for one in listed if not one["this"])
    assert ann.delete(f"/api/sessions/{there}").json() == {"ended": 1}
    assert other.get("/api/session").status_code == 401
    assert ann.delete(f"/api/sessions/{there}").status_code == 404


def test_who_is_shut_out_is_out_at_once(ann: Visitor) -> None:
    person, token = invited(ann, "Bo")
    bo = welcomed(ann.other(), token)
    link = ann.post(f"/api/people/{person}/link").json()["link"].rsplit("/", 1)[1]
    assert ann.delete(f"/api/people/{person}").json() == {"ended": 1}
    assert bo.get("/api/board").status_code == 401
    assert bo.get(f"/api/welcome/{link}").status_code == 404
    answer = bo.post("/api/session", json={"name": "Bo", "password": PASSWORD})
    assert code_of(answer) == "wrong_password"
    assert ann.delete(f"/api/people/{person}").status_code == 404
    assert ann.post(f"/api/people/{person}/link").status_code == 404
    changed = ann.patch(f"/api/people/{person}", json={"role": "installer"})
    assert changed.status_code == 404
    # The name is free again, for somebody else.
    invited(ann, "Bo")


def test_where_somebody_signed_in_is_forgotten(ann: Visitor, database: Database) -> None:
    with database.connection() as connection:
        connection.execute("update sessions set made_at = made_at - interval '61 days'")
        connection.execute("update welcome_links set ends_at = ends_at - interval '90 days'")
    ann.other().post("/api/session", json={"name": "Ann", "password": PASSWORD})
    with database.connection() as connection:
        for table, left in (("sessions", 1), ("welcome_links", 0), ("sign_in_tries", 1)):
            rows = connection.execute(f"select * from {table}").fetchall()  # type: ignore[call-overload]
            assert len(rows) == left, table


def test_another_role_counts_at_once(ann: Visitor) -> None:
    person, token = invited(ann, "Bo")
    bo = welcomed(ann.other(), token)
    clerk = {"role": "clerk", "shops": ["19", "19"]}
    assert ann.patch(f"/api/people/{person}", json=clerk).json()["person"]["shops"] == ["19"]
    assert [shop["shop"] for shop in bo.get("/api/shops").json()] == ["19"]
    assert code_of(bo.get("/api/nodes")) == "not_yours"
    assert ann.delete(f"/api/people/{person}/sessions").json() == {"ended": 1}
    assert bo.get("/api/shops").status_code == 401


def test_the_last_of_head_office_stays(ann: Visitor) -> None:
    me = ann.get("/api/session").json()["person"]["id"]
    invited(ann, "Bo", role="head_office", regions=[])  # who has not come yet does not count
    for answer in (
        ann.delete(f"/api/people/{me}"),
        ann.patch(f"/api/people/{me}", json={"role": "installer"}),
    ):
        assert (answer.status_code, code_of(answer)) == (409, "last_of_head_office")


NOBODY: dict[str, dict[str, Any]] = {
    "a name that is taken": {"name": "ANN", "role": "installer"},
    "no name": {"name": " ", "role": "installer"},
    "a long name": {"name": "x" * 81, "role": "installer"},
    "letters that nobody sees": {"name": "x\u202ey", "role": "installer"},
    "a region of none": {"name": "x", "role": "region"},
    "no such region": {"name": "x", "role": "region", "regions": ["north"]},
    "no such shop": {"name": "x", "role": "clerk", "shops": ["99"]},
    "a clerk of a region": {"name": "x", "role": "clerk", "regions": ["east"]},
    "more than the role": {"name": "x", "role": "installer", "shops": ["17"]},
}


def test_a_person_that_cannot_be_is_refused(ann: Visitor) -> None:
    for name, said in NOBODY.items():
        answer = ann.post("/api/people", json=said)
        assert (answer.status_code, code_of(answer)) == (400, "bad_input"), name
    assert len(ann.get("/api/people").json()) == 1


def test_a_role_that_is_none_is_refused(ann: Visitor) -> None:
    answer = ann.post("/api/people", json={"name": "x", "role": "king"})
    assert (answer.status_code, code_of(answer)) == (422, "bad_request")


def test_names_are_compared_as_people_read_them() -> None:
    assert clean_name("  李  伟 ") == "李 伟"
    assert name_key("Ａｎｎ Straße") == name_key("ann STRASSE")


def test_no_secret_is_kept_or_told(ann: Visitor, database: Database) -> None:
    _, token = invited(ann, "Bo")
    cookie = next(iter(ann.cookies.jar)).value
    assert cookie is not None
    with database.connection() as connection:
        kept = "".join(
            str(row)
            for table in ("people", "sessions", "welcome_links", "sign_in_tries")
            for row in connection.execute(f"select * from {table}")  # type: ignore[call-overload]
        )
    for secret in (cookie, token, PASSWORD):
        assert secret not in kept
    assert "argon2" not in ann.get("/api/people").text
    refused = ann.other().post("/api/session", json={"name": ["x"], "password": PASSWORD})
    assert refused.status_code == 422
    assert PASSWORD not in refused.text


def run(database: Database, *words: str) -> Any:
    result = CliRunner().invoke(app, [*words, "--database", database.place, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def test_people_are_managed_on_the_machine_itself(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", region="east"))
    made = run(database, "invite", "Bo", "--role", "clerk", "--shop", "17", "--url", "https://hub/")
    assert made["link"].startswith("https://hub/#/welcome/")
    bo = welcomed(Visitor(database), made["link"].rsplit("/", 1)[1])
    assert [shop["shop"] for shop in bo.get("/api/shops").json()] == ["17"]
    (listed,) = run(database, "list")
    assert (listed["name"], listed["welcomed"], listed["shops"]) == ("Bo", True, ["17"])
    (session,) = run(database, "sessions", "bo", "--end")
    assert session["ended"] is True
    assert bo.get("/api/session").status_code == 401
    link = run(database, "link", "Bo")["link"]
    assert link.startswith(link_path(""))
    assert run(database, "end", "Bo") == {"ended": "Bo"}
    assert Visitor(database).get(f"/api/welcome/{link.rsplit('/', 1)[1]}").status_code == 404
    with pytest.raises(Refused, match="nobody called Bo"):
        run(database, "link", "Bo")
    with pytest.raises(BadPerson, match="none of clerk"):
        run(database, "invite", "Bo", "--role", "king")


def test_the_same_store_serves_the_owner_and_head_office_alike(database: Database) -> None:
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", region="east"))
    session, _ = session_for(database, "head_office", name="Ann")
    scope = Scope(role="region", regions=("east",))
    with database.connection() as connection:
        by_owner = invite(connection, "Bo", scope)
        assert new_link(connection, by_owner.id)
    with database.of_session(session) as connection:
        by_ann = invite(connection, "Cy", scope)
        assert new_link(connection, by_ann.id)
        assert new_link(connection, by_owner.id)
        seen = people(connection)
    with database.connection() as connection:
        assert people(connection) == seen
    assert [one.person.name for one in seen] == ["Ann", "Bo", "Cy"]


def test_an_export_is_a_file_that_no_spreadsheet_runs(database: Database) -> None:
    evil = '=HYPERLINK("https://evil.example";"上海")'
    with database.connection() as connection:
        save_shop(connection, Shop(shop="17", region="+1", name=evil))
    visitor = visitor_of(database)
    answer = visitor.get("/api/board.csv?day=2026-11-20")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "'=HYPERLINK" in answer.text
    assert ",'+1," in answer.text
    assert '"=' not in answer.text
    for path in ("/api/facts.csv?shop=17", "/api/actions.csv?shop=17"):
        assert visitor.get(path).content.startswith(b"\xef\xbb\xbf")

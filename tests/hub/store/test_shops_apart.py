"""The database keeps shops apart by itself: no check of the API takes part in these tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hub.figures.keeping import refresh_one
from hub.figures.store import touch_figures
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.people.roles import RIGHTS, ROLES, Role, Session
from hub.people.sessions import find_session, session_of
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import API_ROLE, SESSIONS_ENVIRONMENT_NAME, Database, open_database
from tests.hub.servers import url_of
from tests.hub.shop_facts import DAY, goods, midnight
from tests.hub.staff import session_for

NOON = midnight(DAY) + timedelta(hours=12)
WITH_A_SHOP = (
    "shops", "facts", "codes", "actions", "checklists", "checklist_items", "receptions",
    "experiences", "deals", "nodes", "streams_told", "action_told", "day_figures",
    "touched_figures",
)  # fmt: skip
"""Views of the schema storepulse_api that have a column `shop`."""
ROW_SECURED = {
    "people", "person_regions", "person_shops", "sessions", "welcome_links", "plan_drafts",
    "plan_versions", "plan_places", "plan_photos", "rounds", "rests",
}  # fmt: skip


@pytest.fixture
def chain(database: Database) -> Database:
    """Shops 17 and 18 in the east, 19 in the west, each with a row in every table."""
    with database.connection() as connection:
        for shop, region in (("17", "east"), ("18", "east"), ("19", "west")):
            save_shop(connection, Shop(shop=shop, name=f"Shop {shop}", region=region))
            fact = goods(DAY, 0.6, shop=shop, id=f"goods-{shop}")
            insert_facts(connection, [SaidFact(fact)], received_at=NOON)
    Scheduler(database).step(NOON)
    while refresh_one(database, now=datetime.now(UTC) + timedelta(minutes=1)) is not None:
        pass
    with database.connection() as connection:
        for shop in ("17", "18", "19"):
            fill(connection, shop)
            touch_figures(connection, shop, DAY)
        connection.execute(
            "insert into quarantine (node_path, epoch, number, reason, raw, received_at)"
            " values ('/storepulse/c/19/n', 'e', 1, 'why', 'raw', now())"
        )
        connection.execute(
            "insert into alarms (kind, node_path, detail, raised_at)"
            " values ('k', '/storepulse/c/19/n', 'd', now())"
        )
    return database


def fill(connection: Any, shop: str) -> None:
    path = f"/storepulse/c/{shop}/n"
    asked = {"shop": shop, "path": path, "at": NOON}
    for text in (
        "insert into nodes (node_path, chain, shop, node) values (%(path)s, 'c', %(shop)s, 'n')",
        "insert into streams (node_path, epoch, through) values (%(path)s, 'e', 1)",
        "insert into checklists (id, shop, node_path, bay, photo, planogram, planogram_version,"
        " made_at, body) values ('list-' || %(shop)s, %(shop)s, %(path)s, 'b', 'p', 'x', 1, %(at)s,"
        " '{}')",
        "insert into checklist_items (shop, checklist, item, changed_at)"
        " values (%(shop)s, 'list-' || %(shop)s, 'i', %(at)s)",
        "insert into receptions (shop, id, at) values (%(shop)s, 'r', %(at)s)",
        "insert into experiences (shop, ticket, begun_at) values (%(shop)s, 't', %(at)s)",
        "insert into deals (shop, id, ticket, made_at) values (%(shop)s, 'd', 't', %(at)s)",
        "insert into actions (id, shop, kind, dimension, day, body, state, created_at, due_at)"
        " values ('a-' || %(shop)s, %(shop)s, 'k', 'goods', %(at)s, '{}', 'pushed', %(at)s,"
        " %(at)s)",
        "insert into action_moves (action, from_state, to_state, event, at)"
        " values ('a-' || %(shop)s, 'pushed', 'seen', 'Seen', %(at)s)",
        "insert into action_turns (action, turn, at, from_role, to_role, reason)"
        " values ('a-' || %(shop)s, 'escalated', %(at)s, 'clerk', 'region', 'not_seen')",
    ):
        connection.execute(text, asked)


def seen(database: Database, session: Session, text: str) -> list[Any]:
    with database.of_session(session) as connection:
        return [next(iter(row.values())) for row in connection.execute(text)]  # type: ignore[call-overload]


def shops_in(database: Database, session: Session, view: str) -> set[str]:
    return set(seen(database, session, f"select shop from {view}"))


EAST, WEST, ALL = {"17", "18"}, {"19"}, {"17", "18", "19"}
ABOUT_NODES = ("nodes", "streams_told")


@pytest.mark.parametrize(
    ("role", "reaches", "listed", "figures", "nodes"),
    [
        pytest.param("region", {"regions": ["east"]}, EAST, EAST, EAST, id="a region"),
        pytest.param("clerk", {"shops": ["19"]}, WEST, WEST, set(), id="a clerk of one shop"),
        pytest.param("shop", {"shops": ["17"]}, {"17"}, {"17"}, {"17"}, id="the people of a shop"),
        pytest.param("auditor", {}, ALL, ALL, ALL, id="an auditor"),
        pytest.param("installer", {}, ALL, set(), ALL, id="an installer"),
        pytest.param("head_office", {}, ALL, ALL, ALL, id="head office"),
    ],
)
def test_each_role_sees_its_shops_and_no_other(
    chain: Database,
    role: Role,
    reaches: dict[str, list[str]],
    listed: set[str],
    figures: set[str],
    nodes: set[str],
) -> None:
    session, _ = session_for(chain, role, **reaches)  # type: ignore[arg-type]
    found = {view: shops_in(chain, session, view) for view in WITH_A_SHOP}
    assert found == {
        view: listed if view == "shops" else nodes if view in ABOUT_NODES else figures
        for view in WITH_A_SHOP
    }


def test_moves_follow_their_actions(chain: Database) -> None:
    session, _ = session_for(chain, "region", regions=["west"])
    assert seen(chain, session, "select action from action_moves") == ["a-19"]


@pytest.mark.parametrize(
    ("role", "reaches", "became"),
    [
        pytest.param("region", {"regions": ["west"]}, "not_there", id="another region"),
        pytest.param("clerk", {"shops": ["17"]}, "not_there", id="a clerk of the shop"),
        pytest.param("installer", {}, "not_there", id="an installer"),
        pytest.param("region", {"regions": ["east"]}, "reassigned", id="its manager"),
    ],
)
def test_an_action_turns_only_by_who_leads_its_shop(
    chain: Database, role: Role, reaches: dict[str, list[str]], became: str
) -> None:
    session, _ = session_for(chain, role, **reaches)  # type: ignore[arg-type]
    give = "select reassign_action('a-17', 'region', '', null, 'why')"
    assert seen(chain, session, give) == [became]
    who = seen(chain, session, "select name from who_takes('17')")
    assert bool(who) == (became == "reassigned")
    if became == "not_there":
        assert seen(chain, session, "select dismiss_action('a-17', 'why')") == ["not_there"]
    with chain.connection() as connection:
        rows = connection.execute("select role from actions where id = 'a-17'").fetchall()
    assert rows == [{"role": "region" if became == "reassigned" else "clerk"}]


@pytest.mark.parametrize("view", ["quarantine", "alarms"])
def test_faults_are_for_those_who_mend(chain: Database, view: str) -> None:
    region, _ = session_for(chain, "region", regions=["west"])
    installer, _ = session_for(chain, "installer")
    assert seen(chain, region, f"select id from {view}") == []
    assert len(seen(chain, installer, f"select id from {view}")) == 1


ENDINGS = {
    "the session was ended": "update sessions set ended_at = now()",
    "the person was ended": "update people set ended_at = now()",
    "not used for 12 hours": "update sessions set last_used_at = now() - interval '12 hours'",
    "30 days old": "update sessions set made_at = now() - interval '30 days'",
    "never there": "delete from sessions",
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_an_ended_session_sees_nothing(chain: Database, ending: str) -> None:
    session, token = session_for(chain, "head_office")
    with chain.connection() as connection:
        connection.execute(ending)  # type: ignore[call-overload]
    for view in (
        *WITH_A_SHOP,
        "action_moves",
        "action_steps",
        "quarantine",
        "alarms",
        "policies",
        "people",
    ):
        assert seen(chain, session, f"select 1 from {view}") == [], view
    assert seen(chain, session, "select newest_code_day()") == [None]
    assert find_session(chain, token) is None


def test_a_session_that_is_just_good_is_good(chain: Database) -> None:
    session, token = session_for(chain, "clerk", shops=["17"])
    with chain.connection() as connection:
        connection.execute(
            "update sessions set made_at = now() - interval '29 days 23 hours',"
            " last_used_at = now() - interval '11 hours 59 minutes'"
        )
    assert shops_in(chain, session, "facts") == {"17"}
    assert find_session(chain, token) == session
    with chain.connection() as connection:
        row = connection.execute("select now() - last_used_at as idle from sessions").fetchone()
    assert row is not None
    assert row["idle"] < timedelta(minutes=1)


def test_rights_that_change_count_for_an_open_session(chain: Database) -> None:
    session, _ = session_for(chain, "region", regions=["east"])
    with chain.connection() as connection:
        connection.execute("update person_regions set region = 'west'")
    assert shops_in(chain, session, "codes") == {"19"}
    with chain.connection() as connection:
        connection.execute("update people set role = 'installer'")
    assert shops_in(chain, session, "codes") == set()


def test_a_shop_in_no_region_is_nobodys_but_head_offices(chain: Database) -> None:
    with chain.connection() as connection:
        connection.execute("update shops set region = '' where shop = '17'")
    session, _ = session_for(chain, "region", regions=["east"])
    assert shops_in(chain, session, "facts") == {"18"}


def test_a_connection_forgets_whose_it_was(chain: Database) -> None:
    session, _ = session_for(chain, "head_office")
    assert shops_in(chain, session, "shops")
    for _ in range(20):  # more than the pool has
        with chain.of_token(b"\0" * 32) as connection:
            assert connection.execute("select shop from shops").fetchall() == []
            assert session_of(connection, b"") is None


def test_the_role_has_no_grant_to_any_table_but_those_with_row_security(chain: Database) -> None:
    with chain.connection() as connection:
        rows = connection.execute(
            "select relname, relrowsecurity from pg_class"
            " where relnamespace = 'storepulse'::regnamespace and relkind in ('r', 'p', 'v', 'm')"
            " and has_any_column_privilege(%s, oid, 'select, insert, update, references')",
            [API_ROLE],
        ).fetchall()
        assert {row["relname"] for row in rows} == ROW_SECURED
        assert all(row["relrowsecurity"] for row in rows)
        partition = connection.execute(
            "select format('%I.%I', nspname, relname) as name from pg_inherits"
            " join pg_class on pg_class.oid = inhrelid"
            " join pg_namespace on pg_namespace.oid = relnamespace"
            " where inhparent = 'storepulse.facts'::regclass"
        ).fetchone()
        row = connection.execute(
            "select rolsuper or rolbypassrls or rolcreaterole or rolcanlogin as strong,"
            " has_schema_privilege(%(role)s, 'storepulse', 'usage, create') as inside,"
            " has_schema_privilege(%(role)s, 'storepulse_api', 'create') as builds"
            " from pg_roles where rolname = %(role)s",
            {"role": API_ROLE},
        ).fetchone()
    assert row == {"strong": False, "inside": False, "builds": False}
    assert partition is not None
    session, _ = session_for(chain, "head_office")
    for table in (partition["name"], "storepulse.facts", "storepulse.codes", "storepulse.sessions"):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            chain.of_session(session) as mine,
        ):
            mine.execute(f"select * from {table}")  # type: ignore[call-overload]


def test_every_view_of_the_role_is_held_against_the_session(chain: Database) -> None:
    """A view that a later migration adds must not forget it."""
    with chain.of_token(b"nobody") as connection:
        views = connection.execute(
            "select relname from pg_class where relnamespace = 'storepulse_api'::regnamespace"
            " and relkind in ('v', 'm')"
        ).fetchall()
        assert len(views) > 15
        for row in views:
            found = connection.execute(f"select 1 from {row['relname']} limit 1").fetchall()  # type: ignore[call-overload]
            assert found == [], row["relname"]


def test_nobody_without_the_right_changes_people(chain: Database) -> None:
    other, _ = session_for(chain, "clerk", shops=["17"], name="other")
    mine, _ = session_for(chain, "region", regions=["east"], name="mine")
    for text in (
        "update people set role = 'head_office' returning id",
        "update sessions set ended_at = now() where person <> %(me)s returning id",
        "delete from person_regions returning region",
    ):
        with chain.of_session(mine) as connection:
            asked = {"me": mine.person.id}
            assert connection.execute(text, asked).fetchall() == [], text  # type: ignore[call-overload]
    for text in (
        "insert into person_regions values (%(me)s, 'west')",
        "insert into person_shops values (%(me)s, '19')",
        "insert into people (name, name_key, role) values ('x', 'x', 'head_office')",
        "insert into welcome_links (token_sha256, person, ends_at)"
        " values ('\\x00', %(me)s, now() + interval '1 day')",
        "update people set password = 'known'",
        "select password from people",
        "select token_sha256 from sessions",
        "insert into sessions (token_sha256, person) values ('\\x00', %(me)s)",
        "update sessions set last_used_at = now() + interval '1 year'",
    ):
        with (
            pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedColumn)),
            chain.of_session(mine) as connection,
        ):
            connection.execute(text, {"me": mine.person.id})  # type: ignore[call-overload]
    assert shops_in(chain, mine, "facts") == {"17", "18"}
    assert shops_in(chain, other, "facts") == {"17"}


def test_head_office_makes_no_link_for_a_first_person(chain: Database) -> None:
    session, _ = session_for(chain, "head_office")
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege),
        chain.of_session(session) as connection,
    ):
        connection.execute(
            "insert into welcome_links (token_sha256, person, ends_at)"
            " values ('\\x00', null, now() + interval '1 day')"
        )


def test_the_database_has_the_same_table_of_rights(database: Database) -> None:
    rights = sorted({right for role in ROLES for right in RIGHTS[role]})
    with database.connection() as connection:
        told = {
            role: {
                right: row["reach"]
                for right in rights
                for row in connection.execute("select reach(%s, %s)", [role, right])
                if row["reach"] is not None
            }
            for role in ROLES
        }
    assert told == {role: dict(RIGHTS[role]) for role in ROLES}


def test_a_login_of_its_own_has_nothing_to_fall_back_on(
    chain: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chain.connection() as connection:
        connection.execute("drop role if exists people_only")
        connection.execute("create role people_only login password 'x' in role storepulse_api")
    session, _ = session_for(chain, "region", regions=["east"])
    login = make_conninfo(url_of(chain), user="people_only", password="x")
    monkeypatch.setenv(SESSIONS_ENVIRONMENT_NAME, login)
    with open_database(chain.place) as opened:
        assert shops_in(opened, session, "facts") == {"17", "18"}
        for text in ("reset role", "set role storepulse_api"):
            with opened.of_session(session) as connection:
                connection.execute(text)  # type: ignore[call-overload]
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute("select * from storepulse.facts")
    with chain.connection() as connection:
        connection.execute("drop role people_only")

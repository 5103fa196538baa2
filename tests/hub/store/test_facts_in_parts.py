"""Facts lie in months, or in TimescaleDB's chunks: there is no way past the views to either.

On the embedded PostgreSQL, or on another server by STOREPULSE_TEST_DATABASE.
"""

from datetime import timedelta

import psycopg
import pytest

from hub.bench.stores import bench_stores
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.people.roles import Session
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.errors import BadInput
from tests.hub.keeping.places import empty_place
from tests.hub.servers import kind_of_facts, parts_of_facts
from tests.hub.shop_facts import DAY, goods, midnight
from tests.hub.staff import session_for

NOW = midnight(DAY) + timedelta(hours=12)
MARK = "of-the-east"


@pytest.fixture
def chain(database: Database) -> Database:
    """Shop 17 in the east with facts of two years, all with the mark; shop 19 in the west."""
    with database.connection() as connection:
        for shop, region, mark in (("17", "east", MARK), ("19", "west", "of-the-west")):
            save_shop(connection, Shop(shop=shop, name=mark, region=region))
            facts = [
                goods(DAY - timedelta(days=back), 0.6, shop=shop, id=f"{mark}-{back}", method=mark)
                for back in (0, 21, 100, 400)
            ]
            insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=NOW)
    Scheduler(database).step(NOW)
    with database.connection() as connection:
        connection.execute("analyze facts")  # so that statistics hold values, too
    return database


@pytest.fixture
def west(chain: Database) -> Session:
    session, _ = session_for(chain, "region", regions=["west"])
    return session


def test_facts_lie_where_the_server_says(chain: Database) -> None:
    assert kind_of_facts(chain) == ("partitions" if chain.timescale == "none" else "hypertable")
    assert len(parts_of_facts(chain)) >= 4


def test_no_part_of_facts_is_read_past_the_views(chain: Database, west: Session) -> None:
    for part in parts_of_facts(chain):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            chain.of_session(west) as connection,
        ):
            connection.execute(f"select shop from {part}")  # type: ignore[call-overload]


def test_no_relation_of_any_schema_tells_of_another_region(chain: Database, west: Session) -> None:
    """What the catalogues, statistics, and whatever an extension brought, show to the role."""
    looked = 0
    with chain.of_session(west) as connection:
        relations = connection.execute(
            "select format('%I.%I', nspname, relname) as relation"
            " from pg_class join pg_namespace on pg_namespace.oid = relnamespace"
            " where relkind in ('r', 'p', 'v', 'm', 'f')"
            " and has_schema_privilege(nspname, 'usage') and has_table_privilege(pg_class.oid,"
            " 'select')"
        ).fetchall()
        for row in relations:
            try:
                with connection.transaction():
                    rows = connection.execute(  # type: ignore[call-overload]
                        f"select one::text as told from {row['relation']} as one"
                    ).fetchall()
            except (
                psycopg.errors.InsufficientPrivilege,
                psycopg.errors.ObjectNotInPrerequisiteState,
            ):
                continue
            looked += 1
            assert not any(MARK in one["told"] for one in rows), row["relation"]
            if row["relation"] == "storepulse_api.facts":
                assert any("of-the-west" in one["told"] for one in rows)
    assert looked > 100


def test_the_bench_of_stores_stores_what_it_says_and_into_empty_ones_only(
    database: Database,
) -> None:
    with empty_place(database, "benched_hub") as url:
        (found,) = bench_stores([url], shops=1, days=1, runs=1).stores
        assert found.facts == 2 * 480
        assert found.facts_in == kind_of_facts(database)
        assert set(found.read_ms) == {"quarter", "hour", "day", "week"}
        with pytest.raises(BadInput, match="give an empty database"):
            bench_stores([url], shops=1, days=1, runs=1)

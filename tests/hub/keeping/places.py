"""Other databases of the session's server, and rows to fill a hub with."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from psycopg import sql

from hub.codes.computing import ensure_default_policy
from hub.ingest.facts_store import SaidFact, insert_facts
from hub.people.roles import Scope
from hub.people.store import invite
from hub.scheduler import Scheduler
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from tests.hub.servers import new_database, url_of
from tests.hub.shop_facts import DAY, goods, midnight

NOON = midnight(DAY) + timedelta(hours=12)


@contextmanager
def empty_place(database: Database, name: str) -> Iterator[str]:
    """The URL of a new database without a table, gone at the end."""
    with new_database(url_of(database), name) as url:
        yield url


def fill(database: Database) -> None:
    """Shops, facts of two months, taps, codes, people."""
    with database.connection() as connection:
        ensure_default_policy(connection)
        for shop, region in (("17", "east"), ("18", "west")):
            save_shop(connection, Shop(shop=shop, region=region, timezone="Asia/Shanghai"))
        facts = [
            goods(DAY - timedelta(days=n), 0.6, doubt=0.02, shop=shop, id=f"g-{shop}-{n}")
            for shop in ("17", "18") for n in range(0, 40, 5)
        ]  # fmt: skip
        insert_facts(connection, [SaidFact(fact) for fact in facts], received_at=NOON)
        for n in range(3):
            connection.execute(
                "insert into receptions (shop, id, at) values ('17', %s, %s)", [f"r{n}", NOON]
            )
        connection.execute(
            "insert into deals (shop, id, ticket, made_at, amount)"
            " values ('17', 'd', 't', %s, 5.5)",
            [NOON],
        )
        invite(connection, "Li Wei", Scope(role="region", regions=("east",)))
        invite(connection, "Ann", Scope(role="head_office"))
    Scheduler(database).step(NOON)


def contents(database: Database) -> dict[str, Any]:
    """A checksum of every table's rows."""
    found = {}
    with database.connection() as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'storepulse'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition order by 1"
        ).fetchall()
        for row in tables:
            query = sql.SQL(
                "select count(*) as n, md5(string_agg(t::text, '|' order by t::text)) as sum"
                " from {} t"
            ).format(sql.Identifier(row["relname"]))
            found[row["relname"]] = connection.execute(query).fetchone()
    return found

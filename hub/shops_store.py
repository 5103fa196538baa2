"""Shops and nodes in the database: read and write. Reads no file."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from hub.store.database import Connection
from hub.store.queries import question
from storepulse.topics import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """One shop. Unassigned: a fact or a node named it, but no list of shops has yet."""

    shop: str
    name: str = ""
    region: str = ""
    format: str = ""
    latitude: float | None = None
    longitude: float | None = None
    timezone: str = "UTC"
    assigned: bool = True
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node as the hub last heard of it. `online` None: it has not said so yet."""

    address: Address
    first_seen: datetime
    last_seen: datetime
    online: bool | None
    last_state: dict[str, Any] | None


def add_missing_shops(connection: Connection, named: Iterable[str]) -> list[str]:
    """Make the shops that are not known yet, unassigned and in UTC; returns those made now."""
    shops = sorted(set(named))
    if not shops:
        return []
    rows = connection.execute(question("missing_shops"), {"shops": shops})
    return sorted(row["shop"] for row in rows)


def save_shop(connection: Connection, shop: Shop) -> bool:
    """Write a shop as its list has it; True when it is new."""
    row = connection.execute(
        question("save_shop"),
        {
            "shop": shop.shop, "name": shop.name, "region": shop.region, "format": shop.format,
            "latitude": shop.latitude, "longitude": shop.longitude, "timezone": shop.timezone,
            "simulated": shop.simulated,
        },
    ).fetchone()  # fmt: skip
    assert row is not None
    return bool(row["is_new"])


def shops(connection: Connection, among: Sequence[str] | None = None) -> list[Shop]:
    """The shops by name; `among` None for all of them."""
    rows = connection.execute(question("shops"), {"shops": _listed(among)})
    return [Shop(**row) for row in rows]


def nodes(connection: Connection, of_shops: Sequence[str] | None = None) -> list[Node]:
    """The nodes, by shop and then oldest first."""
    rows = connection.execute(question("nodes"), {"shops": _listed(of_shops)})
    return [
        Node(
            address=Address(row["chain"], row["shop"], row["node"]),
            first_seen=row["first_seen"],
            last_seen=row["last_seen"],
            online=row["online"],
            last_state=row["last_state"],
        )
        for row in rows
    ]


def see_node(connection: Connection, address: Address, *, at: datetime) -> None:
    """Note that a node spoke; makes it, and its shop, where they are new."""
    see_nodes(connection, [address], at=at)


def see_nodes(connection: Connection, addresses: Iterable[Address], *, at: datetime) -> None:
    """Note that these nodes spoke; makes them, and their shops, where they are new."""
    seen = {one.path: one for one in addresses}
    add_missing_shops(connection, {one.shop for one in seen.values()})
    connection.execute(
        question("see_nodes"),
        {
            "node_paths": list(seen), "chains": [one.chain for one in seen.values()],
            "shops": [one.shop for one in seen.values()],
            "nodes": [one.node for one in seen.values()], "at": at,
        },
    )  # fmt: skip


def node_said_state(
    connection: Connection, address: Address, *, online: bool, config: int, state: dict[str, Any]
) -> None:
    """Keep what a node last said of itself; `config`: the configuration that it keeps."""
    connection.execute(
        question("node_said_state"),
        {"node_path": address.path, "online": online, "config": config, "state": Jsonb(state)},
    )


def _listed(names: Sequence[str] | None) -> list[str] | None:
    return None if names is None else list(names)

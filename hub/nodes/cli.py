"""`storepulse hub node`: invite a node by a code, list the nodes, shut one out. Decides nothing."""

import json
import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from hub.errors import NodeRefused
from hub.nodes.authority_files import authority_folder, open_authority
from hub.nodes.enrolling import CODE_LIFETIME, invite, revoke
from hub.nodes.store import EnrolledNode, enrolled_nodes
from hub.settings import read_settings
from hub.shops_store import shops
from hub.store.database import open_database
from storepulse.errors import BadInput
from storepulse.topics import Address

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)

talk: Final = Console(stderr=True, soft_wrap=True, highlight=False)

DatabaseOption = Annotated[
    str | None, typer.Option("--database", help="As for `storepulse hub run`.")
]
ChainOption = Annotated[
    str | None, typer.Option(help="Name of the chain in the topics; as for `storepulse hub run`.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("invite")
def node_invite(
    shop: Annotated[str, typer.Option(help="The shop that the node stands in.")],
    node: Annotated[str, typer.Option(help="The node's name, once in its shop.")],
    chain: ChainOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a code by which one node is enrolled: once, within 15 minutes, for this shop.

    Also brings back a node whose certificate has ended, or that was revoked.

    Example: storepulse hub node invite --shop shop-17 --node node-1
    """
    address = Address(read_settings(os.environ, chain=chain).chain, shop, node)
    kept = open_authority(authority_folder(database))
    now = datetime.now(UTC)
    with open_database(database) as opened:
        with opened.connection() as connection:
            known = shops(connection, [shop])
        code = invite(opened, kept.authority, address, now=now)
    if not known:
        talk.print(f"shop {shop} is on no list yet: look whether its name is right", markup=False)
    if as_json:
        ends_at = (now + CODE_LIFETIME).isoformat()
        typer.echo(json.dumps({"code": code, "node": address.path, "ends_at": ends_at}))
        return
    typer.echo(code)
    talk.print(
        f"On the node, within {CODE_LIFETIME.seconds // 60} minutes: storepulse edge enrol CODE "
        "--hub https://HUB:8443 --data FOLDER",
        markup=False,
    )


@app.command("list")
def node_list(
    shop: Annotated[str | None, typer.Option(help="Of one shop only.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every node that was invited, enrolled or heard.

    Example: storepulse hub node list --json
    """
    now = datetime.now(UTC)
    with open_database(database) as opened, opened.connection() as connection:
        found = enrolled_nodes(connection, now=now, of_shops=None if shop is None else [shop])
    if as_json:
        typer.echo(json.dumps([_json(one, now) for one in found]))
        return
    table = Table("chain", "shop", "node", "standing", "until", "seen", box=None)
    for one in found:
        until = one.invited_until if one.standing(now) == "invited" else one.ends_at
        table.add_row(
            one.address.chain, one.address.shop, one.address.node, one.standing(now),
            "" if until is None else f"{until:%Y-%m-%d %H:%M}",
            "never" if one.last_seen is None else f"{one.last_seen:%Y-%m-%d %H:%M}",
        )  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 160).print(table)


@app.command("revoke")
def node_revoke(
    node: Annotated[str, typer.Argument(help="SHOP/NODE, or NODE where only one shop has it.")],
    chain: ChainOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shut a node out at once: it is cut off, and refused until it is enrolled by a new code.

    Example: storepulse hub node revoke shop-17/node-1
    """
    name = read_settings(os.environ, chain=chain).chain
    kept = open_authority(authority_folder(database))
    now = datetime.now(UTC)
    with open_database(database) as opened:
        with opened.connection() as connection:
            found = enrolled_nodes(connection, now=now)
        address = _which(node, name, found)
        revoke(opened, kept, address, now=now)
    if as_json:
        typer.echo(json.dumps({"revoked": address.path}))
    else:
        typer.echo(f"{address.path} is revoked")


def _which(said: str, chain: str, known: list[EnrolledNode]) -> Address:
    if said.startswith("/storepulse/"):
        parts = said.split("/")[2:]
        if len(parts) != 3:
            raise BadInput(f"{said} is no node's path: /storepulse/CHAIN/SHOP/NODE")
        return Address(*parts)
    if "/" in said:
        shop, node = said.split("/", 1)
        return Address(chain, shop, node)
    found = [one.address for one in known if (one.address.chain, one.address.node) == (chain, said)]
    if not found:
        raise NodeRefused(f"no node of chain {chain} is called {said}: see `hub node list`")
    if len(found) > 1:
        where = ", ".join(f"{one.shop}/{one.node}" for one in found)
        raise BadInput(f"several shops have a node {said}: say which: {where}")
    return found[0]


def _json(one: EnrolledNode, now: datetime) -> dict[str, object]:
    def text(moment: datetime | None) -> str | None:
        return None if moment is None else moment.isoformat()

    return {
        "chain": one.address.chain, "shop": one.address.shop, "node": one.address.node,
        "standing": one.standing(now), "issued_at": text(one.issued_at),
        "ends_at": text(one.ends_at), "revoked_at": text(one.revoked_at),
        "invited_until": text(one.invited_until), "last_seen": text(one.last_seen),
        "online": one.online,
    }  # fmt: skip

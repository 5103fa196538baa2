"""`storepulse hub node`: invite, list, revoke, over a database of its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge.identity import new_key, request_for
from hub.cli import app
from hub.errors import NoAuthority, NodeRefused
from hub.nodes.authority_files import authority_folder, keep_authority, read_revoked
from hub.nodes.enrolling import enrol
from hub.store.database import Database
from storepulse.enrolment import EnrolRequest, read_code
from storepulse.errors import BadInput

WHERE = ("--shop", "shop-17", "--chain", "acme")


@pytest.fixture
def place(database: Database) -> Iterator[str]:
    folder = authority_folder(database.place)
    yield database.place
    for file in folder.glob("*"):
        file.unlink()
    if folder.exists():
        folder.rmdir()


def node(place: str, *words: str) -> Any:
    result = CliRunner().invoke(app, ["node", *words, "--database", place, "--json"])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return json.loads(result.stdout)


def come(database: Database, code: str, folder: Path) -> None:
    kept = keep_authority(folder, now=datetime.now(UTC))
    asked = EnrolRequest(secret=read_code(code).secret.hex(), csr=request_for(new_key()))
    enrol(database, kept.authority, asked, now=datetime.now(UTC), broker="mqtts://h")


def test_without_an_authority_nobody_is_invited(place: str) -> None:
    with pytest.raises(NoAuthority, match="--tls"):
        node(place, "invite", *WHERE, "--node", "node-1")


def test_a_node_is_invited_listed_and_revoked(database: Database, place: str) -> None:
    folder = authority_folder(place)
    kept = keep_authority(folder, now=datetime.now(UTC))
    told = node(place, "invite", *WHERE, "--node", "node-1")
    assert read_code(told["code"]).fingerprint == kept.authority.fingerprint
    assert told["node"] == "/storepulse/acme/shop-17/node-1"
    assert [one["standing"] for one in node(place, "list")] == ["invited"]
    come(database, told["code"], folder)
    (listed,) = node(place, "list", "--shop", "shop-17")
    assert (listed["standing"], listed["node"]) == ("enrolled", "node-1")
    assert node(place, "list", "--shop", "shop-18") == []
    with pytest.raises(NodeRefused, match="hub node list"):
        node(place, "revoke", "node-2", "--chain", "acme")
    assert node(place, "revoke", "node-1", "--chain", "acme") == {"revoked": told["node"]}
    assert list(read_revoked(folder).values()) == ["acme/shop-17/node-1"]
    assert [one["standing"] for one in node(place, "list")] == ["revoked"]


def test_of_two_nodes_of_one_name_the_shop_must_be_said(database: Database, place: str) -> None:
    folder = authority_folder(place)
    keep_authority(folder, now=datetime.now(UTC))
    for shop in ("shop-17", "shop-18"):
        told = node(place, "invite", "--shop", shop, "--node", "node-1", "--chain", "acme")
        come(database, told["code"], folder)
    with pytest.raises(BadInput, match="shop-17/node-1, shop-18/node-1"):
        node(place, "revoke", "node-1", "--chain", "acme")
    node(place, "revoke", "shop-18/node-1", "--chain", "acme")
    node(place, "revoke", "/storepulse/acme/shop-17/node-1")
    assert {one["standing"] for one in node(place, "list")} == {"revoked"}
    with pytest.raises(BadInput, match="no node's path"):
        node(place, "revoke", "/storepulse/acme")

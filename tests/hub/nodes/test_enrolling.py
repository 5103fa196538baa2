"""A code is good once, for 15 minutes, for one node; a revoked node gets nothing any more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from edge.identity import new_key, request_for
from hub.errors import BadRequestToSign, CodeRefused, NodeRefused
from hub.nodes.authority import issue_node, node_named
from hub.nodes.authority_files import KeptAuthority, keep_authority, read_revoked
from hub.nodes.enrolling import enrol, invite, renew, revoke
from hub.nodes.store import enrolled_nodes, is_revoked
from hub.store.database import Database
from storepulse.enrolment import Enrolled, EnrolRequest, RenewRequest, read_code
from storepulse.topics import Address

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NODE = Address("acme", "shop-17", "node-1")
BROKER = "mqtts://127.0.0.1:8883"


@pytest.fixture
def kept(tmp_path: Path) -> KeptAuthority:
    return keep_authority(tmp_path / "authority", now=NOW)


def come(
    database: Database,
    kept: KeptAuthority,
    code: str,
    *,
    at: datetime = NOW,
    was: str | None = None,
) -> Enrolled:
    asked = EnrolRequest(
        secret=read_code(code).secret.hex(), csr=request_for(new_key()), node_path=was
    )
    return enrol(database, kept.authority, asked, now=at, broker=BROKER)


def certificate_of(told: Enrolled) -> x509.Certificate:
    return x509.load_pem_x509_certificate(told.certificate.encode())


def standing(database: Database, now: datetime = NOW) -> dict[str, str]:
    with database.connection() as connection:
        return {one.address.node: one.standing(now) for one in enrolled_nodes(connection, now=now)}


def test_a_code_brings_in_the_node_that_it_was_made_for(
    database: Database, kept: KeptAuthority
) -> None:
    code = invite(database, kept.authority, NODE, now=NOW)
    assert standing(database) == {"node-1": "invited"}
    told = come(database, kept, code)
    assert (told.address, told.broker) == (NODE, BROKER)
    assert node_named(certificate_of(told)) == NODE
    assert told.authority.encode() == kept.authority.certificate_pem
    assert standing(database) == {"node-1": "enrolled"}
    assert standing(database, NOW + timedelta(days=31)) == {"node-1": "ended"}


def test_the_database_holds_no_code(database: Database, kept: KeptAuthority) -> None:
    code = invite(database, kept.authority, NODE, now=NOW)
    with database.connection() as connection:
        (row,) = connection.execute("select * from node_invitations").fetchall()
    secret = read_code(code).secret
    assert all(secret.hex() not in str(value) and secret != value for value in row.values())


def test_a_used_code_is_refused(database: Database, kept: KeptAuthority) -> None:
    code = invite(database, kept.authority, NODE, now=NOW)
    come(database, kept, code)
    with pytest.raises(CodeRefused, match="used before"):
        come(database, kept, code)


@pytest.mark.parametrize(
    ("seconds", "good"),
    [
        pytest.param(899, True, id="a second before its end"),
        pytest.param(900, False, id="at its end"),
    ],
)
def test_a_code_ends_after_15_minutes(
    database: Database, kept: KeptAuthority, seconds: int, good: bool
) -> None:
    code = invite(database, kept.authority, NODE, now=NOW)
    at = NOW + timedelta(seconds=seconds)
    if good:
        come(database, kept, code, at=at)
    else:
        with pytest.raises(CodeRefused, match="ended"):
            come(database, kept, code, at=at)
        assert standing(database, at) == {"node-1": "not enrolled"}


def test_a_code_that_nobody_gave_out_is_refused(database: Database, kept: KeptAuthority) -> None:
    for secret in ("00" * 8, "", "xyz"):
        asked = EnrolRequest(secret=secret, csr=request_for(new_key()))
        with pytest.raises(CodeRefused):
            enrol(database, kept.authority, asked, now=NOW, broker=BROKER)


def test_a_code_for_another_node_or_with_a_bad_request_stays_good(
    database: Database, kept: KeptAuthority
) -> None:
    code = invite(database, kept.authority, NODE, now=NOW)
    with pytest.raises(CodeRefused, match="its own --data"):
        come(database, kept, code, was="/storepulse/acme/shop-18/node-1")
    bad = EnrolRequest(secret=read_code(code).secret.hex(), csr="none")
    with pytest.raises(BadRequestToSign):
        enrol(database, kept.authority, bad, now=NOW, broker=BROKER)
    assert come(database, kept, code, was=NODE.path).address == NODE


def renewed(
    database: Database, kept: KeptAuthority, presented: x509.Certificate, at: datetime = NOW
) -> Enrolled:
    asked = RenewRequest(csr=request_for(new_key()))
    return renew(database, kept.authority, presented, asked, now=at, broker=BROKER)


def test_a_certificate_is_renewed_and_both_are_good(
    database: Database, kept: KeptAuthority
) -> None:
    first = certificate_of(come(database, kept, invite(database, kept.authority, NODE, now=NOW)))
    later = NOW + timedelta(days=15)
    second = certificate_of(renewed(database, kept, first, later))
    assert node_named(second) == NODE
    assert second.not_valid_after_utc == later + timedelta(days=30)
    # Had the answer been lost, the node would come again with the first.
    renewed(database, kept, first, later)
    assert standing(database, NOW + timedelta(days=40)) == {"node-1": "enrolled"}


def test_what_is_not_renewed(database: Database, kept: KeptAuthority) -> None:
    first = certificate_of(come(database, kept, invite(database, kept.authority, NODE, now=NOW)))
    with pytest.raises(NodeRefused, match="has ended"):
        renewed(database, kept, first, NOW + timedelta(days=30))
    # As the one is, by which a revoked node's seat is taken at the broker.
    unknown = issue_node(kept.authority, new_key().public_key(), NODE, now=NOW)
    with pytest.raises(NodeRefused, match="no node's of this hub"):
        renewed(database, kept, unknown)
    revoke(database, kept, NODE, now=NOW)
    with pytest.raises(NodeRefused, match="revoked"):
        renewed(database, kept, first)


def test_a_revoked_node_is_told_to_brokers_and_loses_its_open_code(
    database: Database, kept: KeptAuthority
) -> None:
    first = certificate_of(come(database, kept, invite(database, kept.authority, NODE, now=NOW)))
    code = invite(database, kept.authority, NODE, now=NOW)
    revoke(database, kept, NODE, now=NOW)
    assert read_revoked(kept.folder) == {first.serial_number: "acme/shop-17/node-1"}
    assert standing(database) == {"node-1": "revoked"}
    with pytest.raises(CodeRefused):
        come(database, kept, code)
    with pytest.raises(NodeRefused, match="already"):
        revoke(database, kept, NODE, now=NOW)
    with pytest.raises(NodeRefused, match=r"not enrolled here; known are: .*node-1"):
        revoke(database, kept, Address("acme", "shop-17", "node-2"), now=NOW)


def test_a_new_code_brings_a_revoked_node_back_with_another_key_only(
    database: Database, kept: KeptAuthority
) -> None:
    first = certificate_of(come(database, kept, invite(database, kept.authority, NODE, now=NOW)))
    revoke(database, kept, NODE, now=NOW)
    come(database, kept, invite(database, kept.authority, NODE, now=NOW))
    with database.connection() as connection:
        assert not is_revoked(connection, NODE)
    assert first.serial_number in read_revoked(kept.folder)
    with pytest.raises(NodeRefused, match="revoked"):
        renewed(database, kept, first)

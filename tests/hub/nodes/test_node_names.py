"""A node gets names of its own network, below the chain's domains, and never the hub's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from edge.identity import new_key, request_for
from hub.nodes.authority import NODE_SERVER_LIFETIME
from hub.nodes.authority_files import KeptAuthority, keep_authority
from hub.nodes.enrolling import enrol, invite, renew
from hub.nodes.names import NodeNames, read_domains, read_names
from hub.store.database import Database
from storepulse.enrolment import Enrolled, EnrolRequest, RenewRequest, read_code
from storepulse.server_names import BadServerName
from storepulse.topics import Address

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NODE = Address("acme", "shop-17", "node-1")
HERE = ["127.0.0.1", "localhost"]
RULE = NodeNames(own=("127.0.0.1", "localhost", "hub.lan"), domains=("nodes.example.org",))


@pytest.fixture
def kept(tmp_path: Path) -> KeptAuthority:
    return keep_authority(tmp_path / "authority", now=NOW)


def come(
    database: Database, kept: KeptAuthority, code: str, *names: str, allowed: NodeNames = RULE
) -> Enrolled:
    asked = EnrolRequest(
        secret=read_code(code).secret.hex(), csr=request_for(new_key()), names=names
    )
    return enrol(
        database, kept.authority, asked, now=NOW, broker="mqtts://127.0.0.1:8883", allowed=allowed
    )


def server_of(told: Enrolled) -> tuple[list[str], x509.Certificate]:
    shown = x509.load_pem_x509_certificate(told.server.encode())
    names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = [str(one) for one in names.get_values_for_type(x509.IPAddress)]
    return [*addresses, *names.get_values_for_type(x509.DNSName)], shown


def test_the_certificate_for_phones_has_the_names_that_were_asked_for(
    database: Database, kept: KeptAuthority
) -> None:
    told = come(
        database, kept, invite(database, kept.authority, NODE, now=NOW), "shop-17.lan",
        "192.168.1.20", "s17.nodes.example.org",
    )  # fmt: skip
    names, shown = server_of(told)
    assert sorted(names) == sorted([*HERE, "192.168.1.20", "shop-17.lan", "s17.nodes.example.org"])
    usage = shown.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    assert shown.not_valid_after_utc == NOW + NODE_SERVER_LIFETIME
    node = x509.load_pem_x509_certificate(told.certificate.encode())
    assert shown.public_key() == node.public_key()
    assert shown.subject != node.subject


@pytest.mark.parametrize("name", ["hub.lan", "HUB.lan", "example.org", "8.8.8.8", "*.lan"])
def test_no_node_stands_for_the_hub_or_for_elsewhere_and_the_code_stays_good(
    database: Database, kept: KeptAuthority, name: str
) -> None:
    code = invite(database, kept.authority, NODE, now=NOW)
    with pytest.raises(BadServerName):
        come(database, kept, code, name)
    assert sorted(server_of(come(database, kept, code))[0]) == sorted(HERE)


def test_a_renewal_repeats_the_names_and_adds_none(database: Database, kept: KeptAuthority) -> None:
    told = come(database, kept, invite(database, kept.authority, NODE, now=NOW), "shop-17.lan")
    present = x509.load_pem_x509_certificate(told.certificate.encode())
    for day in (10, 20):
        again = renew(
            database, kept.authority, present, RenewRequest(csr=request_for(new_key())),
            now=NOW + timedelta(days=day), broker="mqtts://127.0.0.1:8883",
        )  # fmt: skip
        present = x509.load_pem_x509_certificate(again.certificate.encode())
        assert sorted(server_of(again)[0]) == sorted([*HERE, "shop-17.lan"])


def test_a_node_of_before_gets_the_loopbacks_names(database: Database, kept: KeptAuthority) -> None:
    told = come(database, kept, invite(database, kept.authority, NODE, now=NOW), "shop-17.lan")
    with database.connection() as connection:
        connection.execute("update node_certificates set server_names = '{}'")
    present = x509.load_pem_x509_certificate(told.certificate.encode())
    again = renew(
        database, kept.authority, present, RenewRequest(csr=request_for(new_key())), now=NOW,
        broker="mqtts://127.0.0.1:8883",
    )  # fmt: skip
    assert sorted(server_of(again)[0]) == sorted(HERE)


def test_lists_in_settings() -> None:
    assert read_names("") == ("127.0.0.1", "localhost")
    assert read_names("hub.lan, 10.0.0.5") == ("hub.lan", "10.0.0.5")
    assert read_domains("") == ()
    with pytest.raises(BadServerName):
        read_domains("*.example.org")

"""The authority signs what it should, and a certificate says whose it is in one way only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from edge.identity import new_key, request_for
from hub.brokers.topic_rights import may
from hub.errors import BadRequestToSign, NoAuthority
from hub.nodes.authority import (
    Authority,
    issue_hub,
    issue_node,
    issue_server,
    key_to_sign,
    make_authority,
    node_named,
    pem_with_key,
    read_authority,
    revocation_list,
    serials_in,
    subject_of,
)
from hub.nodes.authority_files import (
    keep_authority,
    open_authority,
    read_revoked,
    server_pem,
    write_hub_certificate,
    write_revoked,
)
from storepulse.errors import BadInput, Unavailable
from storepulse.topics import CHANNELS, Address

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
NODE = Address("acme", "shop-17", "node-1")
names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,15}", fullmatch=True)
addresses = st.builds(Address, names, names, names)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority(now=NOW)


def purposes(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


@given(address=addresses)
def test_a_certificate_names_its_node(authority: Authority, address: Address) -> None:
    given = issue_node(authority, new_key().public_key(), address, now=NOW)
    assert node_named(given) == address
    given.verify_directly_issued_by(authority.certificate)
    assert given.not_valid_after_utc == NOW + timedelta(days=30)
    assert purposes(given) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_neither_server_nor_hub_is_a_node(authority: Authority) -> None:
    server = issue_server(authority, new_key().public_key(), ["127.0.0.1", "hub.test"], now=NOW)
    hub = issue_hub(authority, new_key().public_key(), now=NOW)
    assert purposes(server) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert node_named(server) is node_named(hub) is None
    assert subject_of(hub) == "hub"


def test_a_certificate_whose_two_names_differ_names_nobody(authority: Authority) -> None:
    key = new_key()
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "acme/shop-17/node-1")]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.UniformResourceIdentifier("storepulse://acme/shop-18/node-1")]
            ),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    assert node_named(forged) is None


def test_names_that_do_not_fit_into_a_certificate_are_refused(authority: Authority) -> None:
    with pytest.raises(BadInput, match="62 together"):
        issue_node(authority, new_key().public_key(), Address("a" * 40, "b" * 22, "c"), now=NOW)


def test_only_the_key_of_a_request_is_taken(authority: Authority) -> None:
    key = new_key()
    assert key_to_sign(request_for(key)) == key.public_key()


def csr_with(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_a_request_that_cannot_be_signed_is_told() -> None:
    with pytest.raises(BadRequestToSign, match="cannot be read"):
        key_to_sign("no request")
    with pytest.raises(BadRequestToSign, match="P-256"):
        key_to_sign(csr_with(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(BadRequestToSign, match="P-256"):
        key_to_sign(csr_with(ec.generate_private_key(ec.SECP384R1())))


def test_the_revoked_are_on_the_list(authority: Authority) -> None:
    crl = revocation_list(authority, [7, 2**150, 7], now=NOW)
    assert serials_in(crl) == {7, 2**150}
    signed = x509.load_pem_x509_crl(crl)
    assert signed.is_signature_valid(authority.key.public_key())
    assert signed.next_update_utc == authority.certificate.not_valid_after_utc
    assert serials_in(revocation_list(authority, [], now=NOW)) == frozenset()


def test_an_authority_reads_back_and_does_not_show_its_key(authority: Authority) -> None:
    again = read_authority(pem_with_key(authority.certificate, authority.key))
    assert again.fingerprint == authority.fingerprint
    assert again.key.private_numbers() == authority.key.private_numbers()
    assert "key" not in repr(authority)


def test_the_authority_is_made_once_and_its_keys_are_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    with pytest.raises(NoAuthority, match="--tls"):
        open_authority(folder)
    kept = keep_authority(folder, now=NOW)
    write_hub_certificate(kept, now=NOW)
    assert keep_authority(folder, now=NOW).authority.fingerprint == kept.authority.fingerprint
    assert folder.stat().st_mode & 0o777 == 0o700
    for file in folder.iterdir():
        secret = b"PRIVATE KEY" in file.read_bytes()
        assert file.stat().st_mode & 0o777 == (0o600 if secret else 0o644), file.name
    assert kept.ca.read_bytes() == kept.authority.certificate_pem
    assert b"PRIVATE KEY" in server_pem(kept, now=NOW)


def test_who_is_revoked_is_written_when_it_is_news(tmp_path: Path) -> None:
    assert read_revoked(tmp_path) == {}
    assert write_revoked(tmp_path, {2**150: "acme/s/n"})
    assert not write_revoked(tmp_path, {2**150: "acme/s/n"})
    assert read_revoked(tmp_path) == {2**150: "acme/s/n"}
    (tmp_path / "revoked.json").write_text("[")
    # Not {}: that would let everybody back in.
    with pytest.raises(Unavailable):
        read_revoked(tmp_path)


@given(addresses, addresses)
def test_a_node_speaks_and_hears_below_its_own_name_only(one: Address, other: Address) -> None:
    subject = f"{one.chain}/{one.shop}/{one.node}"
    for channel in CHANNELS:
        down = channel.startswith("down/")
        assert may(subject, "say", one.topic(channel)) == (not down)
        assert may(subject, "hear", one.topic(channel)) == down
        assert may("hub", "say", one.topic(channel))
        assert may("hub", "hear", one.topic(channel))
        if one != other:
            assert not may(subject, "say", other.topic(channel))
            assert not may(subject, "hear", other.topic(channel))
    for wide in ("#", "storepulse/#", "storepulse/1/+/+/+/down/acks", "$SYS/#"):
        assert not may(subject, "hear", wide)


@pytest.mark.parametrize("subject", ["", "hub2", "a/b", "a/b/c/d", "+/b/c", "#/b/c", "a//c"])
def test_no_other_subject_may_anything(subject: str) -> None:
    for topic in ("storepulse/1/a/b/c/up/facts", f"storepulse/1/{subject}/up/facts"):
        assert not may(subject, "say", topic)
        assert not may(subject, "hear", topic.replace("up/facts", "down/acks"))

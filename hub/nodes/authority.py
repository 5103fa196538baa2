"""The hub's own authority: signs who is server, node and hub. Pure: touches no file and no clock.

ECDSA on P-256 throughout: every TLS library speaks it, and a key is made in a millisecond on a
node. A node's certificate names it twice, as the broker reads it (the subject's common name,
CHAIN/SHOP/NODE) and as a URI (storepulse://CHAIN/SHOP/NODE); the two must agree. Names have no
slash (`storepulse.topics`), so neither form can be read in two ways, and the hub's own name, which
has none, is no node's.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hub.errors import BadRequestToSign
from storepulse.enrolment import fingerprint_of
from storepulse.errors import BadInput
from storepulse.topics import Address

NODE_LIFETIME: Final = timedelta(days=30)
"""Renewed after half of it: a node may be away for two weeks and still come back by itself."""
NODE_SERVER_LIFETIME: Final = timedelta(days=90)
"""Of what phones see of a node: renewed with the node's own, but good for longer, because phones
must reach a node whose line is down when its own certificate is about to end."""
HUB_LIFETIME: Final = timedelta(days=824)
"""Of the hub's own certificates, which are made anew with each start. iOS takes no certificate of
a server that is good for more than 825 days, the minutes before its making included."""
AUTHORITY_LIFETIME: Final = timedelta(days=3650)
HUB_NAME: Final = "hub"
"""The subject of the hub's own client certificate."""
HUB_SERVER_NAME: Final = "storepulse hub server"
NODE_SERVER_NAME: Final = "storepulse node server"
"""Subjects of servers' certificates: no node's, and never the hub's own as a client."""
_EARLIER: Final = timedelta(minutes=5)
"""A certificate is good from a little before it was made: clocks differ."""
_NAME_LETTERS_MAX: Final = 64
"""ub-common-name of RFC 5280."""
_SCHEME: Final = "storepulse"

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """The key that signs, and its certificate."""

    key: Key = field(repr=False)
    certificate: x509.Certificate

    @property
    def certificate_pem(self) -> bytes:
        """What everybody may have."""
        return pem_of(self.certificate)

    @property
    def fingerprint(self) -> bytes:
        """As codes carry it."""
        return fingerprint_of(self.certificate.public_bytes(serialization.Encoding.DER))


def make_authority(*, now: datetime) -> Authority:
    """A new authority, which may sign no further one."""
    key = new_key()
    name = _named(f"storepulse hub {x509.random_serial_number():x}"[:40])
    signing = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        _draft(name, key.public_key(), now=now, lifetime=AUTHORITY_LIFETIME)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(signing, critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(key, certificate)


def read_authority(pem: bytes) -> Authority:
    """Read what `pem_with_key` wrote. Raises ValueError."""
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, Key):
        raise ValueError("the authority's key is not one of an elliptic curve")
    return Authority(key, x509.load_pem_x509_certificate(pem))


def new_key() -> Key:
    """A new private key."""
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(certificate: x509.Certificate) -> bytes:
    """A certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def pem_with_key(certificate: x509.Certificate, key: Key) -> bytes:
    """Key and certificate in one text, so that one file, replaced at once, holds both."""
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return secret + pem_of(certificate)


def issue_server(
    authority: Authority,
    public: ec.EllipticCurvePublicKey,
    names: Sequence[str],
    *,
    now: datetime,
    subject: str = HUB_SERVER_NAME,
    lifetime: timedelta = HUB_LIFETIME,
) -> x509.Certificate:
    """A certificate for a server that answers by these names and addresses.

    It opens no door: who shows it as a client is refused by TLS itself, and named by nobody's
    subject (`node_named`).

    Raises:
        BadInput: a name that cannot stand in a certificate.
    """
    try:
        alternatives = [_server_name(name) for name in names]
    except ValueError as error:
        raise BadInput(f"not a server's name: {', '.join(names)}: {error}") from error
    draft = _draft(_named(subject), public, now=now, lifetime=lifetime)
    return _leaf(authority, draft, ExtendedKeyUsageOID.SERVER_AUTH, alternatives)


def issue_hub(
    authority: Authority, public: ec.EllipticCurvePublicKey, *, now: datetime
) -> x509.Certificate:
    """The certificate by which the hub is a client of its broker, with a right to all topics."""
    draft = _draft(_named(HUB_NAME), public, now=now, lifetime=HUB_LIFETIME)
    alternatives = [x509.UniformResourceIdentifier(f"{_SCHEME}:{HUB_NAME}")]
    return _leaf(authority, draft, ExtendedKeyUsageOID.CLIENT_AUTH, alternatives)


def issue_node(
    authority: Authority,
    public: ec.EllipticCurvePublicKey,
    address: Address,
    *,
    now: datetime,
    lifetime: timedelta = NODE_LIFETIME,
) -> x509.Certificate:
    """A node's certificate. Raises `BadInput` for names that are too long for one."""
    draft = _draft(_named(check_address(address)), public, now=now, lifetime=lifetime)
    alternatives = [x509.UniformResourceIdentifier(f"{_SCHEME}://{_subject(address)}")]
    return _leaf(authority, draft, ExtendedKeyUsageOID.CLIENT_AUTH, alternatives)


def check_address(address: Address) -> str:
    """The subject of a node's certificate. Raises `BadInput` for one that is too long."""
    subject = _subject(address)
    if len(subject) > _NAME_LETTERS_MAX:
        raise BadInput(
            f"{subject} has {len(subject)} letters: chain, shop and node may have "
            f"{_NAME_LETTERS_MAX - 2} together to stand in a certificate"
        )
    return subject


def key_to_sign(csr_pem: str) -> ec.EllipticCurvePublicKey:
    """The key of a request that proves to hold it; what else the request asks for is not heard.

    Raises:
        BadRequestToSign: it is none, or asks for another kind of key.
    """
    try:
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        key = csr.public_key()
        sound = csr.is_signature_valid
    except Exception as error:  # its parser raises many kinds
        raise BadRequestToSign(f"the request for a certificate cannot be read: {error}") from error
    if not sound:
        raise BadRequestToSign("the request for a certificate is not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadRequestToSign("the request for a certificate needs a key on the curve P-256")
    return key


def node_named(certificate: x509.Certificate) -> Address | None:
    """The node that a certificate of ours names; None for any other, the hub's too.

    Says nothing of who signed it: whoever asks has had that checked by TLS.
    """
    subject = subject_of(certificate)
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        address = Address(*subject.split("/"))
    except (x509.ExtensionNotFound, TypeError, BadInput):
        return None
    said = names.get_values_for_type(x509.UniformResourceIdentifier)
    return address if said == [f"{_SCHEME}://{subject}"] else None


def subject_of(certificate: x509.Certificate) -> str:
    """The common name; empty where there is none, or more than one."""
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else ""


def revocation_list(authority: Authority, serials: Iterable[int], *, now: datetime) -> bytes:
    """The list (PEM) of certificates that are good no more.

    It is good as long as the authority: a list that ends would, on the day it does, shut out every
    node. That it is fresh is the business of whoever hands it to the broker.
    """
    draft = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - _EARLIER)
        .next_update(authority.certificate.not_valid_after_utc)
    )
    for serial in sorted(set(serials)):
        one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now).build()
        draft = draft.add_revoked_certificate(one)
    signed = draft.sign(authority.key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def serials_in(crl_pem: bytes) -> frozenset[int]:
    """The serial numbers on a list. Raises ValueError."""
    return frozenset(one.serial_number for one in x509.load_pem_x509_crl(crl_pem))


def _draft(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    *,
    now: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _leaf(
    authority: Authority,
    draft: x509.CertificateBuilder,
    purpose: x509.ObjectIdentifier,
    alternatives: Sequence[x509.GeneralName],
) -> x509.Certificate:
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return (
        draft.issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        # A node's certificate opens doors and stands for none: no node can pose as the hub.
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority.key, hashes.SHA256())
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _subject(address: Address) -> str:
    return f"{address.chain}/{address.shop}/{address.node}"


def _server_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)

"""Who this node is: key, certificate and authority on its disk. Speaks to nobody.

identity/node.pem       key and certificate, the owner's alone; one file, so that a renewal
                        replaces both in one step. The key was made here and never leaves
identity/server.pem     the same key with the certificate by which phones are served over HTTPS
identity/ca.pem         the certificate of the hub's authority: the only one that is trusted
identity/enrolled.json  which node this is, and where hub and broker are
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.errors import DataDamaged, EnrolmentRefused
from storepulse.enrolment import Enrolled
from storepulse.secret_files import PUBLIC, write_whole
from storepulse.topics import Address, BadName

_FOLDER: Final = "identity"
_SETTINGS_PREFIX: Final = "STOREPULSE_EDGE_"

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled node."""

    address: Address
    hub: str
    """https://HOST:PORT of the hub's door."""
    broker: str
    certificate: x509.Certificate
    folder: Path

    @property
    def pem(self) -> Path:
        """Key and certificate."""
        return self.folder / "node.pem"

    @property
    def ca(self) -> Path:
        """The certificate of the hub's authority."""
        return self.folder / "ca.pem"

    @property
    def server(self) -> Path | None:
        """Key and certificate to serve phones by; None where the hub was too old to give one."""
        file = self.folder / "server.pem"
        return file if file.exists() else None

    def left(self, now: datetime) -> timedelta:
        """How long the certificate is still good; negative when it has ended."""
        return self.certificate.not_valid_after_utc - now

    def renewal_due(self, now: datetime) -> bool:
        """After half of its life: a node may be away for the other half."""
        return now >= self.renewal_at

    @property
    def renewal_at(self) -> datetime:
        """When the half of its life is over."""
        begun = self.certificate.not_valid_before_utc
        return begun + (self.certificate.not_valid_after_utc - begun) / 2


def read_identity(data: Path) -> Identity | None:
    """Read who the node is; None for one that was never enrolled.

    Raises:
        DataDamaged: what is there cannot be read.
    """
    folder = data / _FOLDER
    try:
        pem = (folder / "node.pem").read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _damaged(folder, error) from error
    try:
        told = json.loads((folder / "enrolled.json").read_text())
        address = Address(told["chain"], told["shop"], told["node"])
        certificate = x509.load_pem_x509_certificate(pem)
        return Identity(address, str(told["hub"]), str(told["broker"]), certificate, folder)
    except (OSError, ValueError, KeyError, TypeError, BadName) as error:
        raise _damaged(folder, error) from error


def keep_identity(data: Path, key: Key, told: Enrolled, *, hub: str) -> Identity:
    """Keep what the hub answered; the file with the key comes last, in one step.

    Raises:
        EnrolmentRefused: the certificate is not for the key that was made here.
    """
    certificate = x509.load_pem_x509_certificate(told.certificate.encode())
    if certificate.public_key() != key.public_key():
        raise EnrolmentRefused("the hub's certificate is not for this node's key: nothing was kept")
    folder = data / _FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = told.address
    said = {
        "chain": address.chain, "shop": address.shop, "node": address.node, "hub": hub,
        "broker": told.broker,
    }  # fmt: skip
    write_whole(folder / "ca.pem", told.authority.encode(), mode=PUBLIC)
    write_whole(folder / "enrolled.json", json.dumps(said, indent=1).encode())
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    if told.server:
        _keep_server(folder, key, secret, told)
    public = certificate.public_bytes(serialization.Encoding.PEM)
    write_whole(folder / "node.pem", secret + public)
    return Identity(address, hub, told.broker, certificate, folder)


def _keep_server(folder: Path, key: Key, secret: bytes, told: Enrolled) -> None:
    server = x509.load_pem_x509_certificate(told.server.encode())
    if server.public_key() != key.public_key():
        raise EnrolmentRefused("the hub's certificate for phones is not for this node's key")
    # The authority's own comes last: whoever looks at what is served sees what to trust.
    write_whole(folder / "server.pem", secret + told.server.encode() + told.authority.encode())


def new_key() -> Key:
    """A key of this node's own."""
    return ec.generate_private_key(ec.SECP256R1())


def request_for(key: Key) -> str:
    """Ask for a certificate (PEM); the hub knows the name, so none is asked for."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "storepulse node")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode()


def settings_of(identity: Identity | None) -> dict[str, str]:
    """What enrolment settles of the node's settings, as the environment would say it."""
    if identity is None:
        return {}
    said = {
        "chain": identity.address.chain, "shop": identity.address.shop,
        "node": identity.address.node, "broker": identity.broker, "tls_ca": str(identity.ca),
        "tls_certificate": str(identity.pem), "tls_key": str(identity.pem),
    }  # fmt: skip
    if identity.server is not None:
        said["server_certificate"] = str(identity.server)
    return {_SETTINGS_PREFIX + name.upper(): value for name, value in said.items()}


def _damaged(folder: Path, error: Exception) -> DataDamaged:
    return DataDamaged(
        f"{folder} cannot be read ({error}): remove it and enrol again by a new code; "
        "the outbox beside it stays"
    )

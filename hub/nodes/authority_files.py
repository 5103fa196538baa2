"""The authority's folder on the disk: keys, certificates, who is revoked. Signs nothing itself.

authority.pem  key and certificate of the authority; the owner's alone. Who has it is the hub
ca.pem         the certificate alone: everybody may have it
hub.pem        key and certificate of the hub as a client of its broker
revoked.json   {serial: subject} of certificates that are good no more; brokers look here
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from hub.errors import NoAuthority
from hub.nodes.authority import (
    Authority,
    issue_hub,
    issue_server,
    make_authority,
    new_key,
    pem_with_key,
    read_authority,
)
from hub.store.database import beside
from storepulse.errors import Unavailable
from storepulse.secret_files import PUBLIC, sync_folder, write_whole
from storepulse.server_names import LOOPBACK_NAMES

_KEPT: Final = "authority.pem"
_REVOKED: Final = "revoked.json"


@dataclass(frozen=True, slots=True)
class KeptAuthority:
    """An authority and the folder that it lives in."""

    authority: Authority
    folder: Path

    @property
    def ca(self) -> Path:
        """The certificate that everybody trusts."""
        return self.folder / "ca.pem"

    @property
    def hub(self) -> Path:
        """Key and certificate of the hub as a client."""
        return self.folder / "hub.pem"


def authority_folder(database: str | None) -> Path:
    """Beside the embedded database; ./data/authority where the database is elsewhere."""
    return beside(database, "authority")


def has_authority(folder: Path) -> bool:
    """Whether one was made there."""
    return (folder / _KEPT).exists()


def keep_authority(folder: Path, *, now: datetime) -> KeptAuthority:
    """Open the folder's authority; the first time one is made.

    Raises:
        Unavailable: the folder cannot be written, or what is in it cannot be read.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not has_authority(folder):
            _make(folder, now)
    except OSError as error:
        raise Unavailable(f"no authority can be made in {folder}: {error.strerror}") from error
    return open_authority(folder)


def open_authority(folder: Path) -> KeptAuthority:
    """Open the authority that is there.

    Raises:
        NoAuthority: none was made yet.
        Unavailable: it cannot be read.
    """
    try:
        authority = read_authority((folder / _KEPT).read_bytes())
    except FileNotFoundError as error:
        raise NoAuthority(
            f"{folder} holds no authority yet: start the hub once with `storepulse hub run --tls`"
        ) from error
    except (OSError, ValueError) as error:
        raise Unavailable(f"the authority in {folder} cannot be read: {error}") from error
    kept = KeptAuthority(authority, folder)
    if not kept.ca.exists():
        write_whole(kept.ca, authority.certificate_pem, mode=PUBLIC)
    return kept


def _make(folder: Path, now: datetime) -> None:
    authority = make_authority(now=now)
    held, name = tempfile.mkstemp(dir=folder, prefix=".authority-")
    try:
        with os.fdopen(held, "wb") as written:
            written.write(pem_with_key(authority.certificate, authority.key))
            os.fsync(written.fileno())
        # A link never replaces: of two that make one at once, the first stays.
        (folder / _KEPT).hardlink_to(name)
        sync_folder(folder)
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


def write_hub_certificate(kept: KeptAuthority, *, now: datetime) -> Path:
    """Make key and certificate by which the hub speaks to its broker."""
    key = new_key()
    certificate = issue_hub(kept.authority, key.public_key(), now=now)
    write_whole(kept.hub, pem_with_key(certificate, key))
    return kept.hub


def server_pem(
    kept: KeptAuthority, *, now: datetime, names: Sequence[str] = LOOPBACK_NAMES
) -> bytes:
    """Key and certificate of a new server of the hub's: its pages, its door, or its broker.

    The authority's certificate comes last: whoever looks at what is served sees what to trust.
    """
    key = new_key()
    given = issue_server(kept.authority, key.public_key(), names, now=now)
    return pem_with_key(given, key) + kept.authority.certificate_pem


def keep_server(kept: KeptAuthority, *, names: Sequence[str], now: datetime) -> Path:
    """Key and certificate by which pages and door are served: made anew at each start."""
    file = kept.folder / "server.pem"
    write_whole(file, server_pem(kept, now=now, names=names))
    return file


def renew_server(kept: KeptAuthority, file: Path, *, names: Sequence[str], now: datetime) -> bool:
    """Make it anew when half of its life is over; a running server takes it into use by itself."""
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    begun, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begun + (ends - begun) / 2:
        return False
    write_whole(file, server_pem(kept, now=now, names=names))
    return True


def write_revoked(folder: Path, revoked: Mapping[int, str]) -> bool:
    """Say who is revoked: serial and subject. False: it was said before, nothing was written."""
    if (folder / _REVOKED).exists() and read_revoked(folder) == dict(revoked):
        return False
    said = {f"{serial:x}": subject for serial, subject in sorted(revoked.items())}
    write_whole(folder / _REVOKED, json.dumps(said, indent=1).encode())
    return True


def read_revoked(folder: Path) -> dict[int, str]:
    """Serial and subject of the certificates that are good no more; {} where none ever was.

    Raises:
        Unavailable: the file is there and cannot be read: who is revoked is then not known.
    """
    try:
        said = json.loads((folder / _REVOKED).read_text())
        return {int(serial, 16): str(subject) for serial, subject in said.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise Unavailable(f"{folder / _REVOKED} cannot be read: {error}") from error

"""Invitations and certificates of nodes in the database: read and write. Signs nothing."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hub.store.database import Connection
from hub.store.queries import question
from storepulse.topics import Address

GivenFor = Literal["code", "renewal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledNode:
    """A node as the list shows it."""

    address: Address
    issued_at: datetime | None
    ends_at: datetime | None
    """Of its latest certificate; None: it has none."""
    revoked_at: datetime | None
    invited_until: datetime | None
    """A code is open until then."""
    last_seen: datetime | None
    online: bool | None

    def standing(self, now: datetime) -> str:
        """In one word."""
        if self.issued_at is None or self.ends_at is None:
            return "not enrolled" if self.invited_until is None else "invited"
        if self.revoked_at is not None:
            return "revoked"
        return "enrolled" if self.ends_at > now else "ended"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What became of a code."""

    node_path: str
    ends_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class GivenCertificate:
    """A certificate that was given out."""

    node_path: str
    revoked_at: datetime | None
    server_names: tuple[str, ...]
    """Of the certificate for phones that was given with it; () for one of before there were."""


def insert_invitation(
    connection: Connection, secret: bytes, address: Address, *, now: datetime, ends_at: datetime
) -> None:
    """Remember a code by the checksum of its secret."""
    said = {"secret_sha256": _sha256(secret), "now": now, "ends_at": ends_at}
    connection.execute(question("new_invitation"), said | _names(address))


def take_invitation(connection: Connection, secret: bytes, *, now: datetime) -> Address | None:
    """Use a code up; None when it is not good (any more)."""
    row = connection.execute(
        question("take_invitation"), {"secret_sha256": _sha256(secret), "now": now}
    ).fetchone()
    return None if row is None else Address(row["chain"], row["shop"], row["node"])


def invitation(connection: Connection, secret: bytes) -> Invitation | None:
    """What is known of a code; None: it was never given out."""
    row = connection.execute(question("invitation"), {"secret_sha256": _sha256(secret)}).fetchone()
    return None if row is None else Invitation(**row)


def end_invitations(connection: Connection, address: Address, *, now: datetime) -> None:
    """Let no open code of a node be used any more."""
    connection.execute(question("end_invitations"), {"node_path": address.path, "now": now})


def insert_certificate(
    connection: Connection,
    serial: int,
    address: Address,
    *,
    given_for: GivenFor,
    now: datetime,
    ends_at: datetime,
    server_names: Sequence[str],
) -> None:
    """Remember a certificate that is given out."""
    said = {
        "serial": f"{serial:x}", "given_for": given_for, "now": now, "ends_at": ends_at,
        "server_names": list(server_names),
    }  # fmt: skip
    connection.execute(question("new_certificate"), said | _names(address))


def certificate(connection: Connection, serial: int) -> GivenCertificate | None:
    """What is known of a certificate, held still until the transaction ends; None: not ours."""
    row = connection.execute(question("certificate"), {"serial": f"{serial:x}"}).fetchone()
    if row is None:
        return None
    names = tuple(row["server_names"])
    return GivenCertificate(row["node_path"], row["revoked_at"], names)


def revoke_certificates(connection: Connection, address: Address, *, now: datetime) -> int:
    """Revoke what a node has; returns how many that were."""
    rows = connection.execute(
        question("revoke_certificates"), {"node_path": address.path, "now": now}
    ).fetchall()
    return len(rows)


def revoked_certificates(connection: Connection, *, now: datetime) -> dict[int, str]:
    """Serial and subject of each that would still be good."""
    rows = connection.execute(question("revoked_certificates"), {"now": now})
    return {int(row["serial"], 16): f"{row['chain']}/{row['shop']}/{row['node']}" for row in rows}


def is_revoked(connection: Connection, address: Address) -> bool:
    """Whether a node was enrolled and has been shut out since."""
    return bool(revoked_among(connection, [address]))


def revoked_among(connection: Connection, addresses: Iterable[Address]) -> set[Address]:
    """Those of these nodes that were enrolled and have been shut out since."""
    asked = {address.path: address for address in addresses}
    rows = connection.execute(question("revoked_nodes"), {"node_paths": list(asked)})
    return {asked[row["node_path"]] for row in rows}


def note_gone(connection: Connection, address: Address) -> None:
    """A node that was cut off cannot say so itself."""
    connection.execute(question("node_gone"), {"node_path": address.path})


def enrolled_nodes(
    connection: Connection, *, now: datetime, of_shops: Sequence[str] | None = None
) -> list[EnrolledNode]:
    """Every node that was invited, enrolled or heard, by shop and name."""
    listed = None if of_shops is None else list(of_shops)
    rows = connection.execute(question("enrolled_nodes"), {"now": now, "shops": listed})
    return [
        EnrolledNode(address=Address(row.pop("chain"), row.pop("shop"), row.pop("node")), **row)
        for row in rows
    ]


def _names(address: Address) -> dict[str, str]:
    return {
        "node_path": address.path, "chain": address.chain, "shop": address.shop,
        "node": address.node,
    }  # fmt: skip


def _sha256(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()

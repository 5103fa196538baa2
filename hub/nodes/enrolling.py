"""Invite, enrol, renew and revoke nodes. Speaks to the database; opens no door of its own."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hub.errors import CodeRefused, NodeRefused
from hub.nodes.authority import (
    NODE_LIFETIME,
    NODE_SERVER_LIFETIME,
    NODE_SERVER_NAME,
    Authority,
    check_address,
    issue_node,
    issue_server,
    key_to_sign,
    node_named,
    pem_of,
)
from hub.nodes.authority_files import KeptAuthority, write_revoked
from hub.nodes.names import PRIVATE_NAMES, NodeNames
from hub.nodes.store import (
    GivenCertificate,
    GivenFor,
    certificate,
    end_invitations,
    enrolled_nodes,
    insert_certificate,
    insert_invitation,
    invitation,
    is_revoked,
    note_gone,
    revoke_certificates,
    revoked_certificates,
    take_invitation,
)
from hub.store.database import Connection, Database
from storepulse.enrolment import (
    SECRET_BYTES,
    Code,
    Enrolled,
    EnrolRequest,
    RenewRequest,
    write_code,
)
from storepulse.server_names import LOOPBACK_NAMES
from storepulse.topics import Address

CODE_LIFETIME: Final = timedelta(minutes=15)


def invite(
    database: Database,
    authority: Authority,
    address: Address,
    *,
    now: datetime,
    lifetime: timedelta = CODE_LIFETIME,
) -> str:
    """Make a code by which one node can be enrolled, once.

    Raises:
        BadInput: the names are too long for a certificate.
    """
    check_address(address)
    code = Code(secrets.token_bytes(SECRET_BYTES), authority.fingerprint)
    with database.connection() as connection:
        insert_invitation(connection, code.secret, address, now=now, ends_at=now + lifetime)
    return write_code(code)


def enrol(
    database: Database,
    authority: Authority,
    request: EnrolRequest,
    *,
    now: datetime,
    broker: str,
    lifetime: timedelta = NODE_LIFETIME,
    allowed: NodeNames = PRIVATE_NAMES,
) -> Enrolled:
    """Give a node its certificates for a code; what it had before is good no more.

    Args:
        allowed: under which names it may be served to phones.
    Raises:
        CodeRefused: the code is not good, or another node's. One that is another's is not used up.
        BadRequestToSign, BadServerName: the code is not used up.
    """
    public = key_to_sign(request.csr)
    names = allowed.allowed(request.names)
    secret = _secret(request.secret)
    with database.connection() as connection:
        address = take_invitation(connection, secret, now=now)
        if address is None:
            raise CodeRefused(_why_refused(connection, secret, now))
        if request.node_path not in (None, address.path):
            # Raised within the transaction: the code stays good.
            raise CodeRefused(
                f"the code is for {address.path}, but this folder belongs to {request.node_path}: "
                "give the other node its own --data"
            )
        revoke_certificates(connection, address, now=now)
        given = issue_node(authority, public, address, now=now, lifetime=lifetime)
        _remember(connection, given, address, "code", now, names)
    server = _server(authority, public, names, now=now)
    return _answer(authority, given, address, broker, server)


def renew(
    database: Database,
    authority: Authority,
    presented: x509.Certificate,
    request: RenewRequest,
    *,
    now: datetime,
    broker: str,
    lifetime: timedelta = NODE_LIFETIME,
) -> Enrolled:
    """Give a node its next certificates; the present ones stay good until their own end.

    Args:
        presented: by TLS, which has checked that we signed it and that the node has its key.
    Raises:
        NodeRefused: it is no node's, revoked, or has ended.
        BadRequestToSign: see `hub.nodes.authority`.
    """
    public = key_to_sign(request.csr)
    with database.connection() as connection:
        address, known = known_node(connection, presented, now=now)
        given = issue_node(authority, public, address, now=now, lifetime=lifetime)
        names = known.server_names or LOOPBACK_NAMES
        _remember(connection, given, address, "renewal", now, names)
    server = _server(authority, public, names, now=now)
    return _answer(authority, given, address, broker, server)


def known_node(
    connection: Connection, presented: x509.Certificate, *, now: datetime
) -> tuple[Address, GivenCertificate]:
    """Whose certificate this is, held still until the transaction ends.

    Args:
        presented: by TLS, which has checked that we signed it and that the node has its key.
    Raises:
        NodeRefused: it is no node's, revoked, or has ended.
    """
    address = node_named(presented)
    known = certificate(connection, presented.serial_number)
    if address is None or known is None or known.node_path != address.path:
        raise NodeRefused("this certificate is no node's of this hub: ask for a code")
    if known.revoked_at is not None:
        raise NodeRefused(f"node {address.path} is revoked: ask for a code")
    if presented.not_valid_after_utc <= now:
        raise NodeRefused(f"the certificate of {address.path} has ended: ask for a code")
    return address, known


def revoke(database: Database, kept: KeptAuthority, address: Address, *, now: datetime) -> None:
    """Shut a node out: brokers, door and ingest refuse it from now on.

    Raises:
        NodeRefused: no such node is enrolled.
    """
    with database.connection() as connection:
        end_invitations(connection, address, now=now)
        if not revoke_certificates(connection, address, now=now):
            known = [one.address.path for one in enrolled_nodes(connection, now=now)]
            told = is_revoked(connection, address)
            raise NodeRefused(
                f"node {address.path} is revoked already" if told
                else f"node {address.path} is not enrolled here; known are: "
                f"{', '.join(known) or 'none'}"
            )  # fmt: skip
        note_gone(connection, address)
    sync_revoked(database, kept, now=now)


def sync_revoked(database: Database, kept: KeptAuthority, *, now: datetime) -> bool:
    """Tell the brokers, by the authority's folder, who is revoked; True when that is news."""
    with database.connection() as connection:
        revoked = revoked_certificates(connection, now=now)
    return write_revoked(kept.folder, revoked)


def _secret(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise CodeRefused("the code's secret is not in hex") from error


def _why_refused(connection: Connection, secret: bytes, now: datetime) -> str:
    told = invitation(connection, secret)
    if told is None:
        return "this code was never given out by this hub: compare it, or ask for another"
    if told.used_at is not None:
        return f"this code was used before, at {told.used_at:%H:%M:%S} UTC: ask for another"
    assert told.ends_at <= now
    return f"this code ended at {told.ends_at:%H:%M:%S} UTC: ask for another"


def _remember(
    connection: Connection,
    given: x509.Certificate,
    address: Address,
    given_for: GivenFor,
    now: datetime,
    names: tuple[str, ...],
) -> None:
    insert_certificate(
        connection, given.serial_number, address, given_for=given_for, now=now,
        ends_at=given.not_valid_after_utc, server_names=names,
    )  # fmt: skip


def _server(
    authority: Authority,
    public: ec.EllipticCurvePublicKey,
    names: tuple[str, ...],
    *,
    now: datetime,
) -> x509.Certificate:
    return issue_server(
        authority, public, names, now=now, subject=NODE_SERVER_NAME, lifetime=NODE_SERVER_LIFETIME
    )


def _answer(
    authority: Authority,
    given: x509.Certificate,
    address: Address,
    broker: str,
    server: x509.Certificate,
) -> Enrolled:
    return Enrolled(
        chain=address.chain, shop=address.shop, node=address.node, broker=broker,
        certificate=pem_of(given).decode(), authority=authority.certificate_pem.decode(),
        server=pem_of(server).decode(),
    )  # fmt: skip

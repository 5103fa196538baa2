"""Enrol at the hub's door by a code, and renew there by the present certificate. Opens HTTPS only.

With a code nothing is trusted at first. The hub's door is asked for the certificate of its
authority; only when that has the fingerprint in the code is a second connection made, which
trusts this authority alone, and over it the code's secret goes out.
"""

import http.client
import json
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import ValidationError

from edge.errors import BadSettings, EnrolmentRefused, HubAway
from edge.identity import Identity, keep_identity, new_key, read_identity, request_for
from storepulse.enrolment import (
    ENROL_REQUEST_JSON,
    ENROLLED_JSON,
    RENEW_REQUEST_JSON,
    Enrolled,
    EnrolRequest,
    RenewRequest,
    read_code,
)
from storepulse.server_names import read_server_names
from storepulse.units import KIB
from storepulse.wire import explain

_ANSWER_S_MAX: Final = 20.0
_ANSWER_BYTES_MAX: Final = 64 * KIB
_PORT: Final = 8443
_ENDED: Final = (
    "where the certificate has ended or was revoked, ask for a code and run `storepulse edge enrol`"
)


def enrol(data: Path, code: str, hub: str, *, names: Sequence[str] = ()) -> Identity:
    """Make a key, have it signed for a code, and keep it; the outbox and its epoch stay.

    Args:
        hub: https://HOST:PORT of the hub's door.
        names: under which phones reach this node, beside the loopback.
    Raises:
        BadCode: the code has a slip in it.
        BadServerName: one of the names is none.
        BadSettings: no such address.
        EnrolmentRefused: the hub is not the code's, or refuses the code. Nothing was changed.
        HubAway: it does not answer.
    """
    wanted = read_code(code)
    door = read_hub(hub)
    before = read_identity(data)
    authority = _authority_of(door)
    if not wanted.trusts(_der(authority)):
        raise EnrolmentRefused(
            f"the hub at {hub} is not the one that gave out this code: its fingerprint differs. "
            "Compare address and code; nothing was sent to it"
        )
    key = new_key()
    asked = EnrolRequest(
        secret=wanted.secret.hex(), csr=request_for(key),
        node_path=None if before is None else before.address.path,
        names=read_server_names(names),
    )  # fmt: skip
    told = _post(door, "/enrol", ENROL_REQUEST_JSON.dump_json(asked), trusting(cadata=authority))
    if not wanted.trusts(_der(told.authority)):
        raise EnrolmentRefused("the hub answered with another authority than the code's")
    return keep_identity(data, key, told, hub=hub)


def renew(data: Path, identity: Identity) -> Identity:
    """Get the next certificate, for a new key, by the present one.

    Raises:
        EnrolmentRefused: the hub does not take the present one (any more).
        HubAway: it does not answer; the present one stays.
    """
    key = new_key()
    context = trusting(cafile=identity.ca, certificate=identity.pem)
    body = RENEW_REQUEST_JSON.dump_json(RenewRequest(csr=request_for(key)))
    told = _post(read_hub(identity.hub), "/enrol/renew", body, context)
    if told.address != identity.address or told.authority.encode() != identity.ca.read_bytes():
        raise EnrolmentRefused("the hub answered for another node or by another authority")
    return keep_identity(data, key, told, hub=identity.hub)


def read_hub(url: str) -> SplitResult:
    """Read https://HOST:PORT. Raises `BadSettings`."""
    parts = urlsplit(url)
    try:
        well_formed = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        well_formed = False
    if not well_formed or parts.path not in ("", "/"):
        raise BadSettings(f"hub {url!r} is not of the form https://HOST:PORT")
    return parts


def trusting(
    *, cafile: Path | None = None, cadata: str | None = None, certificate: Path | None = None
) -> ssl.SSLContext:
    """TLS that trusts one authority and nobody else, showing this node's certificate if given."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=cafile, cadata=cadata)
    if certificate is not None:
        context.load_cert_chain(certificate)
    return context


def _authority_of(door: SplitResult) -> str:
    """What the door says its authority is; anybody could have answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    status, body = ask(door, "GET", "/enrol/ca", b"", context)
    if status != http.client.OK:
        raise EnrolmentRefused(f"{door.geturl()} is no hub's door: it answered {status}")
    return body.decode("ascii", errors="replace")


def _post(door: SplitResult, path: str, body: bytes, context: ssl.SSLContext) -> Enrolled:
    status, answer = ask(door, "POST", path, body, context)
    try:
        if status == http.client.OK:
            return ENROLLED_JSON.validate_json(answer)
        said: Any = json.loads(answer)["error"]
        words, retryable = str(said["message"]), bool(said["retryable"])
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        why = explain(error) if isinstance(error, ValidationError) else str(error)
        raise HubAway(f"the hub's answer ({status}) cannot be read: {why}") from error
    if retryable:
        raise HubAway(f"the hub cannot answer now: {words}")
    raise EnrolmentRefused(f"the hub refuses: {words}")


def ask(
    door: SplitResult,
    method: str,
    path: str,
    body: bytes,
    context: ssl.SSLContext,
    *,
    kind: str = "application/json",
    answer_bytes_max: int | None = None,
) -> tuple[int, bytes]:
    """Ask the hub's door once; returns the HTTP status and the beginning of the answer.

    Raises:
        EnrolmentRefused: it is not the hub, or TLS refuses this node's certificate.
        HubAway: it does not answer.
    """
    connection = http.client.HTTPSConnection(
        door.hostname or "", door.port or _PORT, timeout=_ANSWER_S_MAX, context=context
    )
    try:
        connection.request(method, path, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.read(answer_bytes_max or _ANSWER_BYTES_MAX)
    except ssl.SSLCertVerificationError as error:
        raise EnrolmentRefused(
            f"{door.geturl()} is not the hub: its certificate is not trusted "
            f"({error.verify_message})"
        ) from error
    except ssl.SSLError as error:
        raise EnrolmentRefused(
            f"{door.geturl()} refuses this node's certificate ({error.reason}): {_ENDED}"
        ) from error
    except ConnectionError as error:
        # A refusal in TLS 1.3 comes after the handshake, and may be lost with the connection.
        if isinstance(error, ConnectionRefusedError):
            raise _away(door, error) from error
        raise HubAway(f"{door.geturl()} closes the connection without a word: {_ENDED}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _away(door, error) from error
    finally:
        connection.close()


def _away(door: SplitResult, error: Exception) -> HubAway:
    return HubAway(
        f"the hub's door {door.geturl()} does not answer: {error or type(error).__name__}; "
        "look at the address, the network, and whether the hub runs with --tls"
    )


def _der(pem: str) -> bytes:
    try:
        return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)
    except ValueError as error:
        raise EnrolmentRefused(f"the hub shows no authority's certificate: {error}") from error

"""An installer's code and what node and hub say to each other over it. Opens no connection.

A code is 40 letters and digits: a secret of 8 bytes, 15 bytes of the SHA-256 of the certificate of
the hub's own authority, and 2 bytes by which a slip of the pen is seen. The secret is good for one
use within 15 minutes, so 64 bits cannot be guessed; the fingerprint lets the node know the hub
before it says anything to it: 120 bits, for which nobody finds a second authority.
"""

import base64
import binascii
import hashlib
import hmac
import zlib
from dataclasses import dataclass, field
from typing import Final

from pydantic import TypeAdapter

from storepulse.errors import BadInput
from storepulse.topics import Address

SECRET_BYTES: Final = 8
FINGERPRINT_BYTES: Final = 15
_CHECK_BYTES: Final = 2
_LETTERS: Final = 40
_GROUP: Final = 5


class BadCode(BadInput):
    """What was typed is no code: a letter is wrong or missing."""


@dataclass(frozen=True, slots=True)
class Code:
    """What an installer's code carries."""

    secret: bytes = field(repr=False)
    fingerprint: bytes
    """The first 15 bytes of the SHA-256 of the authority's certificate (DER)."""

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES or len(self.fingerprint) != FINGERPRINT_BYTES:
            raise ValueError(
                f"a code has {SECRET_BYTES} bytes of secret and {FINGERPRINT_BYTES} of fingerprint"
            )

    def trusts(self, authority_der: bytes) -> bool:
        """Whether a certificate is that of the authority that made the code."""
        return hmac.compare_digest(self.fingerprint, fingerprint_of(authority_der))


def fingerprint_of(authority_der: bytes) -> bytes:
    """The part of a certificate's SHA-256 that a code carries."""
    return hashlib.sha256(authority_der).digest()[:FINGERPRINT_BYTES]


def write_code(code: Code) -> str:
    """A code as it is shown: eight groups of five."""
    said = code.secret + code.fingerprint
    text = base64.b32encode(said + _check(said)).decode()
    return "-".join(text[place : place + _GROUP] for place in range(0, _LETTERS, _GROUP))


def read_code(text: str) -> Code:
    """Read a code as it was typed: small letters, spaces and other grouping do not matter.

    Raises:
        BadCode: it is none.
    """
    # 0, 1 and 8 do not occur: who types them has misread O, I or B.
    letters = "".join(text.split()).replace("-", "").upper().translate(str.maketrans("018", "OIB"))
    if len(letters) != _LETTERS:
        raise BadCode(f"a code has {_LETTERS} letters and digits, this one has {len(letters)}")
    try:
        said = base64.b32decode(letters)
    except (binascii.Error, ValueError) as error:
        raise BadCode("a code has only the letters A to Z and the digits 2 to 7") from error
    body, check = said[:-_CHECK_BYTES], said[-_CHECK_BYTES:]
    if _check(body) != check:
        raise BadCode("the code has a slip in it: compare it letter by letter and type it again")
    return Code(body[:SECRET_BYTES], body[SECRET_BYTES:])


def _check(said: bytes) -> bytes:
    return zlib.crc32(said).to_bytes(4)[:_CHECK_BYTES]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolRequest:
    """A node asks for its first certificate, or for one after the last has ended."""

    secret: str = field(repr=False)
    """Of the code, in hex."""
    csr: str
    """PEM; the hub takes the public key from it and nothing else."""
    node_path: str | None = None
    """Who the node was enrolled as before: the hub refuses to make another of it."""
    names: tuple[str, ...] = ()
    """Under which phones reach the node, beside the loopback. Asked for with a code only: a
    renewal repeats them, so that a stolen key gets no others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewRequest:
    """A node asks, with its present certificate, for the next one."""

    csr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What the hub answers to both."""

    chain: str
    shop: str
    node: str
    certificate: str
    """PEM."""
    authority: str
    """PEM of the certificate of the hub's authority."""
    broker: str
    """mqtts://HOST:PORT"""
    server: str = ""
    """PEM: the certificate, for the same key, by which the node serves phones over HTTPS."""

    @property
    def address(self) -> Address:
        """Which node this makes it. Raises `BadName`."""
        return Address(self.chain, self.shop, self.node)


ENROL_REQUEST_JSON: Final = TypeAdapter(EnrolRequest)
RENEW_REQUEST_JSON: Final = TypeAdapter(RenewRequest)
ENROLLED_JSON: Final = TypeAdapter(Enrolled)

"""The secrets of sessions and welcome links: made at random, kept as checksums. Stores none."""

import hashlib
import secrets
from typing import Final

_TOKEN_BYTES: Final = 32


def new_token() -> str:
    """A secret that fits into a cookie and an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_sha256(token: str) -> bytes:
    """What the database keeps of a secret. No salt: a random secret cannot be guessed anyway."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


def link_path(token: str) -> str:
    """Where on the hub's page a link leads. What is behind the # a browser keeps to itself: no
    server's log and no other page learns it from the address."""
    return f"/#/welcome/{token}"

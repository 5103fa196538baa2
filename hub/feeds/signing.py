"""Whether a delivery comes from whom we gave the secret, and just now. Pure: no clock, no store.

As Standard Webhooks says (standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body`, in the
header webhook-signature as `v1,BASE64`; several, with spaces between, while a secret changes.
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from hub.feeds.reasons import FeedFailed, RunReason

TOLERANCE: Final = timedelta(minutes=5)
"""As the specification's own libraries have it."""
REMEMBERED: Final = timedelta(minutes=30)
"""How long a delivery's id is kept: well beyond the time in which its signature is good."""
_SECRET_BYTES: Final = 32
_PREFIX: Final = "whsec_"
_ID_CHARACTERS_MAX: Final = 200


def new_secret() -> bytes:
    """A secret for a sender."""
    return secrets.token_bytes(_SECRET_BYTES)


def shown_secret(secret: bytes) -> str:
    """As senders' libraries take it."""
    return _PREFIX + base64.b64encode(secret).decode()


def signature(secret: bytes, *, delivery: str, timestamp: str, body: bytes) -> str:
    """What a sender writes into webhook-signature."""
    said = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, said, hashlib.sha256).digest()).decode()


def check_delivery(
    secret: bytes | None,
    *,
    delivery: str,
    timestamp: str,
    signatures: str,
    body: bytes,
    now: datetime,
) -> None:
    """Check a delivery's signature, then its time.

    Args:
        secret: of the feed; None (there is no such feed) costs the same and fits nothing.
    Raises:
        FeedFailed: bad_signature, or too_old.
    """
    expected = signature(
        secret or bytes(_SECRET_BYTES), delivery=delivery, timestamp=timestamp, body=body
    )
    fits = [hmac.compare_digest(expected.encode(), one.encode()) for one in signatures.split()[:8]]
    if secret is None or not any(fits) or not 0 < len(delivery) <= _ID_CHARACTERS_MAX:
        raise FeedFailed(RunReason.BAD_SIGNATURE, "the signature does not fit")
    try:
        off_s = abs(now.timestamp() - int(timestamp))
    except (ValueError, OverflowError) as error:
        raise FeedFailed(RunReason.TOO_OLD, "webhook-timestamp is no number of seconds") from error
    if off_s > TOLERANCE.total_seconds():
        raise FeedFailed(
            RunReason.TOO_OLD, f"it was sent {off_s:.0f} s away from now; sign it again"
        )

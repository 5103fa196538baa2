"""Web push (RFC 8030, 8291, 8292): keys, subscriptions, sealed messages. Decides not who is told.

A message is sealed for one browser (`http_ece`), signed by our key (`py_vapid`) and handed to the
push service that the browser named. The service learns when and how much, and nothing of what.
Only services that are known by name are asked: a subscription is an address that somebody said.
"""

import base64
import binascii
import http.client
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from py_vapid import Vapid02, VapidException

from storepulse.errors import BadInput
from storepulse.secret_files import write_whole

KEY_FILE: Final = "push-key.pem"
HOSTS: Final = (
    "fcm.googleapis.com", "push.services.mozilla.com", "notify.windows.com", "push.apple.com",
)  # fmt: skip
"""Push services of Chrome and its kin, Firefox, Edge and Safari; with what lies below each."""
NOBODY: Final = "mailto:nobody@localhost"
"""The contact where none is set: most services take it, Safari's does not."""
PAYLOAD_BYTES_MAX: Final = 3000
"""A service need take no more than 4096 bytes sealed (RFC 8030, 7.2); some room is left."""
_POINT_BYTES: Final = 65
_AUTH_BYTES: Final = 16
_ENDPOINT_CHARACTERS_MAX: Final = 1000
_TOKEN_LIFETIME: Final = timedelta(hours=12)
"""Of at most 24 that RFC 8292 allows."""
_ANSWER_S_MAX: Final = 10.0
_TOPIC_CHARACTERS_MAX: Final = 32

Urgency = Literal["very-low", "low", "normal", "high"]
Outcome = Literal["taken", "gone", "later", "refused"]
"""gone: the browser has gone from there for good; later: try again; refused: trying is in vain."""


class BadSubscription(BadInput):
    """What a browser said of its push service cannot be used. Does not repeat it."""


class BadPushKey(BadInput):
    """The key file is none."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where a browser is reached, and for whom a message is sealed: what it tells by toJSON."""

    endpoint: str = field(repr=False)
    p256dh: str
    """Its public key: a point of P-256, uncompressed, base64url."""
    auth: str = field(repr=False)
    """A secret of 16 bytes, base64url."""

    def __post_init__(self) -> None:
        parts = _parts(self.endpoint)
        if parts is None or len(self.endpoint) > _ENDPOINT_CHARACTERS_MAX:
            raise BadSubscription("endpoint is no https:// address of a push service")
        if len(_bytes(self.auth)) != _AUTH_BYTES:
            raise BadSubscription(f"auth must be {_AUTH_BYTES} bytes in base64url")
        point = _bytes(self.p256dh)
        try:
            if len(point) != _POINT_BYTES:
                raise ValueError
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        except ValueError as error:
            raise BadSubscription("p256dh is no public key of P-256 in base64url") from error

    @property
    def host(self) -> str:
        """The push service's host."""
        return (urlsplit(self.endpoint).hostname or "").lower()

    def check_host(self, hosts: Collection[str]) -> None:
        """Raise BadSubscription unless the service is one of these, or below one of them.

        A host may be named with its port, and is then asked by http, too: a service of one's own.
        """
        parts = urlsplit(self.endpoint)
        if parts.netloc.lower() in {one for one in hosts if ":" in one}:
            return
        named = any(self.host == one or self.host.endswith(f".{one}") for one in hosts)
        if not named or parts.scheme != "https" or parts.port not in (None, 443):
            raise BadSubscription(f"messages go to {', '.join(sorted(hosts))} only")


class PushKey:
    """The key by which push services know who sends. One for all browsers."""

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private

    @cached_property
    def public(self) -> str:
        """For `pushManager.subscribe`: the public key, base64url."""
        point = self._private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        return _text(point)

    def check_contact(self, contact: str) -> None:
        """Raise BadInput where push services would not take it as whom they reach."""
        try:
            Vapid02(private_key=self._private).sign({"aud": "https://localhost", "sub": contact})
        except VapidException as error:
            raise BadInput(
                f"{contact!r} is no mailto:NAME@HOST and no https://HOST: push services ask for one"
            ) from error

    def authorization(self, endpoint: str, *, contact: str, now: datetime) -> Mapping[str, str]:
        """The header that a service asks for (RFC 8292)."""
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}", "sub": contact,
            "exp": int((now + _TOKEN_LIFETIME).timestamp()),
        }  # fmt: skip
        signed: Mapping[str, str] = Vapid02(private_key=self._private).sign(claims)
        return signed


@dataclass(frozen=True, slots=True)
class PushMessage:
    """A message as it goes out: sealed for one browser."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


Deliver = Callable[[PushMessage], Outcome]


def keep_push_key(file: Path) -> PushKey:
    """The key of a file, made where there is none.

    Raises:
        BadPushKey: the file holds none.
    """
    if not file.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        file.parent.mkdir(parents=True, exist_ok=True)
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_whole(file, pem)
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise BadPushKey(f"{file} holds no key: {type(error).__name__}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise BadPushKey(f"{file} holds a key of another kind: P-256 is needed")
    return PushKey(key)


def sealed_message(
    to: Subscription, payload: bytes, key: PushKey, *, contact: str, now: datetime,
    ttl_s: int = 86_400, urgency: Urgency = "normal", topic: str = "",
) -> PushMessage:  # fmt: skip
    """Seal a message for one browser.

    Args:
        contact: mailto: or https: address at which a push service reaches whoever runs this.
        ttl_s: so long the service keeps it for a browser that is away.
        topic: a later message of the same topic takes the place of one that still waits there;
            at most 32 letters of base64url.
    Raises:
        ValueError: the payload is larger than PAYLOAD_BYTES_MAX, or that is no topic.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        raise ValueError(f"a payload has at most {PAYLOAD_BYTES_MAX} bytes, got {len(payload)}")
    if len(topic) > _TOPIC_CHARACTERS_MAX:
        raise ValueError(f"a topic has at most {_TOPIC_CHARACTERS_MAX} letters, got {len(topic)}")
    body: bytes = http_ece.encrypt(
        payload, private_key=ec.generate_private_key(ec.SECP256R1()), dh=_bytes(to.p256dh),
        auth_secret=_bytes(to.auth), version="aes128gcm",
    )  # fmt: skip
    headers = {
        "Content-Encoding": "aes128gcm", "Content-Type": "application/octet-stream",
        "TTL": str(ttl_s), "Urgency": urgency,
    } | dict(key.authorization(to.endpoint, contact=contact, now=now))  # fmt: skip
    if topic:
        headers["Topic"] = topic
    return PushMessage(to.endpoint, headers, body)


def deliver(message: PushMessage) -> Outcome:
    """Hand a message to its push service. Follows no redirection, and raises nothing of the net."""
    parts = urlsplit(message.url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=_ANSWER_S_MAX, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=_ANSWER_S_MAX)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path or "/", message.body, dict(message.headers))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return "later"
    finally:
        connection.close()
    return outcome_of(status)


def outcome_of(status: int) -> Outcome:
    """What a service's answer means (RFC 8030, 5 and 7.3)."""
    if 200 <= status < 300:
        return "taken"
    if status in (http.client.NOT_FOUND, http.client.GONE):
        return "gone"
    if status == http.client.TOO_MANY_REQUESTS or status >= 500:
        return "later"
    return "refused"


def _parts(endpoint: str) -> object | None:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    plain = endpoint.isascii() and not any(ord(letter) <= 32 for letter in endpoint)
    return parts if usable and plain and "@" not in parts.netloc else None


def _bytes(said: str) -> bytes:
    try:
        return base64.b64decode(said + "=" * (-len(said) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

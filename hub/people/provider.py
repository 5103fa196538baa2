"""An OpenID Connect provider: what we ask it, and when we believe its answer. Keeps no person.

Authlib checks the claims and makes the requests' texts, joserfc (its own library) the signature;
addresses are fetched by the standard library.
"""

import base64
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from hub.errors import BadProvider, Refused
from storepulse.loopback import is_loopback
from storepulse.units import MIB

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
"""Signed by a key that only the provider has: none of the HS kind, and never "none"."""
_CHALLENGE: Final = cast("Callable[[str], str]", create_s256_code_challenge)
"""Authlib's, which carries no types."""
_LEEWAY_S: Final = 120
"""The provider's clock and ours."""
_TIMEOUT_S: Final = 10.0
_TURN_S: Final = 1.0
"""So long one waits while another asks for the provider's description."""
_AWAY_S: Final = 10.0
"""So long a failure to get it is remembered."""
_SUBJECT_CHARACTERS_MAX: Final = 255
"""As the specification has it (OpenID Connect Core 1.0, section 2)."""


class NotVouchedFor(Refused):
    """The provider did not vouch for anybody, or not in a way that can be believed."""

    status = 401
    code = "not_vouched_for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What the provider and we agreed on."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str = "OpenID Connect"
    """How the sign-in page calls it."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.issuer)
        if not _is_safe(self.issuer) or parts.query or parts.fragment:
            raise BadProvider(
                f"the issuer must be an https:// address without ? and #, got {self.issuer!r}"
            )
        if not self.client_id or not self.client_secret:
            raise BadProvider("an issuer needs a client id and a client secret, too")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """One sign-in under way: secrets that its answer must come back with."""

    state: str
    nonce: str
    verifier: str


@dataclass(slots=True)
class Provider:
    """A provider as it described itself; asked again when a key is not among those known."""

    client: Client
    _said: Mapping[str, Any] | None = None
    _keys: KeySet | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)
    """Whoever has it asks for the description."""
    _away: str = ""
    """Why it could not be had."""
    _away_until_s: float = 0.0
    """By the monotonic clock: no sooner the description is asked for again."""

    def address(self, begun: Begun, *, redirect_uri: str) -> str:
        """Where a browser is sent to sign in.

        Raises:
            NotVouchedFor: the provider cannot be reached, or is not what it should be.
        """
        address: str = prepare_grant_uri(
            self._endpoint("authorization_endpoint"), client_id=self.client.client_id,
            response_type="code", redirect_uri=redirect_uri, scope="openid", state=begun.state,
            nonce=begun.nonce, code_challenge=_CHALLENGE(begun.verifier),
            code_challenge_method="S256",
        )  # fmt: skip
        return address

    def subject(self, code: str, begun: Begun, *, redirect_uri: str) -> str:
        """Whom the provider vouches for, by its own name for that person.

        Raises:
            NotVouchedFor: for nobody, or not in a way that can be believed.
        """
        body = prepare_token_request(
            "authorization_code", redirect_uri=redirect_uri, code=code,
            code_verifier=begun.verifier,
        )  # fmt: skip
        said = _ask(self._endpoint("token_endpoint"), body=body.encode(), secret=self._basic())
        token = said.get("id_token")
        if not isinstance(token, str):
            raise NotVouchedFor("the provider gave no ID token")
        return self._verified(token, begun, access_token=said.get("access_token"))

    def _verified(self, token: str, begun: Begun, *, access_token: object) -> str:
        try:
            decoded = self._decoded(token)
            claims = CodeIDToken(
                decoded.claims, decoded.header,
                {
                    "iss": {"essential": True, "value": self.client.issuer},
                    "aud": {"essential": True, "value": self.client.client_id},
                    "nonce": {"essential": True, "value": begun.nonce},
                },
                {
                    "nonce": begun.nonce, "client_id": self.client.client_id,
                    "access_token": access_token,
                },
            )  # fmt: skip
            claims.validate(leeway=_LEEWAY_S)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotVouchedFor(f"the provider's ID token cannot be believed: {error}") from error
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_CHARACTERS_MAX:
            raise NotVouchedFor("the provider's ID token names nobody")
        if "\0" in subject:
            raise NotVouchedFor("the provider's ID token names nobody")
        return subject

    def _decoded(self, token: str) -> Any:
        if self._keys is not None:
            try:
                return jwt.decode(token, self._keys, algorithms=list(ALGORITHMS))
            except (JoseError, ValueError):
                pass  # keys turn: look once whether there is a new one
        self._keys = KeySet.import_key_set(_ask(self._endpoint("jwks_uri")))  # type: ignore[arg-type]
        return jwt.decode(token, self._keys, algorithms=list(ALGORITHMS))

    def _endpoint(self, name: str) -> str:
        address = self._described().get(name)
        if not isinstance(address, str) or not _is_safe(address):
            raise NotVouchedFor(f"the provider names no safe {name}")
        return address

    def _described(self) -> Mapping[str, Any]:
        """Asked for by one at a time, and after a failure not at once again.

        Strangers can make us ask: while the provider is away, they must not hold all our threads.
        """
        if self._said is not None:
            return self._said
        if not self._turn.acquire(timeout=_TURN_S):
            raise NotVouchedFor("the provider does not answer: try again in a moment")
        try:
            if self._said is None:
                self._said = self._asked_for()
            return self._said
        finally:
            self._turn.release()

    def _asked_for(self) -> Mapping[str, Any]:
        if self._away and time.monotonic() < self._away_until_s:
            raise NotVouchedFor(self._away)
        try:
            said = _ask(self.client.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if said.get("issuer") != self.client.issuer:
                raise NotVouchedFor(f"the provider calls itself {said.get('issuer')!r}")
        except NotVouchedFor as error:
            self._away, self._away_until_s = str(error), time.monotonic() + _AWAY_S
            raise
        return said

    def _basic(self) -> str:
        # RFC 6749, section 2.3.1: both are encoded as a form's words first.
        pair = (
            f"{quote(self.client.client_id, safe='')}:{quote(self.client.client_secret, safe='')}"
        )
        return "Basic " + base64.b64encode(pair.encode()).decode()


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A provider's answer comes from its own address: a secret follows no redirection."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _ask(address: str, *, body: bytes | None = None, secret: str = "") -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Authorization": secret}
    # https, or http on the loopback: `_is_safe` was asked before.
    request = urllib.request.Request(address, data=body, headers=headers)  # noqa: S310
    opener = urllib.request.build_opener(_StayHere())
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            said = json.loads(answer.read(MIB))
    except urllib.error.HTTPError as error:
        with error:
            raise NotVouchedFor(f"the provider answers {error.code}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NotVouchedFor(f"the provider cannot be asked: {error}") from error
    if not isinstance(said, dict):
        raise NotVouchedFor("the provider's answer is no object")
    return said

"""An OpenID Connect provider on the loopback, which can also lie. Knows one client."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

CLIENT_ID, CLIENT_SECRET = "our name: & there", "a secret/of+ours"


@dataclass
class FakeProvider:
    """Vouches for whoever it is told to."""

    issuer: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "1"}))
    lies: dict[str, Any] = field(default_factory=dict)
    """Claims of the ID token that are not as they should be."""
    issuer_said: str = ""
    subject: str = "somebody"
    """Whom its own page vouches for."""
    token_status: int = 200
    signed_by: Any = None
    algorithm: str = "ES256"
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def sign_in(self, address: str, subject: str) -> tuple[str, str]:
        """What its page does with the browser: code and state."""
        said = {name: one[0] for name, one in parse_qs(urlsplit(address).query).items()}
        assert said["client_id"] == CLIENT_ID
        assert said["response_type"] == "code"
        assert said["scope"] == "openid"
        assert said["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = said | {"subject": subject}
        return code, said["state"]

    def answer(self, path: str, form: dict[str, str], authorization: str) -> tuple[int, Any]:
        self.asked.append(path)
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.issuer_said or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
                "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys",
            }  # fmt: skip
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        assert path == "/token"
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        assert [unquote_plus(one) for one in pair.split(":")] == [CLIENT_ID, CLIENT_SECRET]
        said = self.codes.pop(form["code"], None)
        if said is None or self.token_status != 200:
            return self.token_status if said else 400, {"error": "invalid_grant"}
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != said["code_challenge"] or form["redirect_uri"] != said["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": said["subject"], "aud": CLIENT_ID, "exp": now + 300,
            "iat": now, "nonce": said["nonce"], "email": "ann@example.org", "email_verified": True,
        } | self.lies  # fmt: skip
        header = {"alg": self.algorithm, "kid": self.key.kid}
        key = self.signed_by or self.key
        token = jwt.encode(header, claims, key, algorithms=[self.algorithm])
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": token}


def another_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "1"})


def guessed_key() -> OctKey:
    """The client's secret, with which a provider of the HS kind would sign."""
    return OctKey.import_key(CLIENT_SECRET * 4)


@contextmanager
def fake_provider() -> Iterator[FakeProvider]:
    fake = FakeProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize"):
                # A browser came: it is vouched for, and sent back at once.
                code, state = fake.sign_in(self.path, fake.subject)
                back = fake.codes[code]["redirect_uri"]
                self.send_response(302)
                self.send_header("Location", f"{back}?{urlencode({'code': code, 'state': state})}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self._say(*fake.answer(self.path, {}, ""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: one[0] for name, one in parse_qs(body).items()}
            self._say(*fake.answer(self.path, form, self.headers["Authorization"]))

        def _say(self, status: int, said: Any) -> None:
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake.issuer = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()

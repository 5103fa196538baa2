"""A push service on this machine, and a browser that opens what it got: for tests only."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey


def letters(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def content_of(said: str) -> bytes:
    return base64.urlsafe_b64decode(said + "=" * (-len(said) % 4))


class PushService:
    """Takes messages, or answers as a test says; checks whose signature they bear."""

    def __init__(self) -> None:
        self.status = 201
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                service.got.append((self.path, headers, body))
                self.send_response(service.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def claims(self, number: int = -1) -> dict[str, Any]:
        """What a message's signature vouches for, checked by the key that it names (RFC 8292)."""
        _, headers, _ = self.got[number]
        scheme, said = headers["authorization"].split(" ", 1)
        assert scheme == "vapid"
        parts = dict(one.split("=", 1) for one in said.split(","))
        point = content_of(parts["k"])
        key = ECKey.import_key(
            {"kty": "EC", "crv": "P-256", "x": letters(point[1:33]), "y": letters(point[33:])}
        )
        token = jwt.decode(parts["t"], key, algorithms=["ES256"])
        return dict(token.claims) | {"k": parts["k"]}


@contextmanager
def push_service() -> Iterator[PushService]:
    service = PushService()
    thread = threading.Thread(target=service.server.serve_forever, args=(0.01,))
    thread.start()
    yield service
    service.server.shutdown()
    thread.join()
    service.server.server_close()


class Browser:
    """Has subscribed at a push service."""

    def __init__(self, service: PushService, name: str = "one") -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.secret = b"0123456789abcdef"
        point = self.private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        self.path = f"/push/{name}"
        self.service = service
        self.said = {
            "endpoint": f"http://{service.host}{self.path}", "p256dh": letters(point),
            "auth": letters(self.secret),
        }  # fmt: skip

    def opened(self) -> list[dict[str, Any]]:
        """The messages that came for this browser, unsealed by its own key (RFC 8291)."""
        return [
            json.loads(
                http_ece.decrypt(
                    body, private_key=self.private, auth_secret=self.secret, version="aes128gcm"
                )
            )
            for path, _, body in self.service.got
            if path == self.path
        ]

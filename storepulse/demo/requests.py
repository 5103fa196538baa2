"""Speak HTTP to our own children on the loopback, as a browser or an owner would. Knows no route.

A visitor trusts the one authority that it was given and keeps its own cookies, as a browser does.
"""

import http.cookiejar
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

from storepulse.demo.children import StageFailed

_PATIENCE_S: Final = 60.0


class Visitor:
    """Whoever speaks to one server."""

    def __init__(self, url: str, *, ca: Path | None = None, key_file: Path | None = None) -> None:
        """Visit a server.

        Args:
            url: http://127.0.0.1:PORT, or https.
            ca: the authority's certificate; over HTTPS nobody else is trusted.
            key_file: the owner's key, read with each request: it is made at the first start.
        """
        self.url = _checked(url)
        self._key_file = key_file
        handlers: list[urllib.request.BaseHandler] = [
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            # Never by a proxy of the environment: this is our own machine.
            urllib.request.ProxyHandler({}),
        ]
        if ca is not None:
            context = ssl.create_default_context(cafile=str(ca))
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, *, patience_s: float = 5.0) -> Any:
        """The JSON at a path.

        Raises:
            OSError: nothing answers there (yet), or it answers with an error.
        """
        return json.loads(self.fetch(path, patience_s=patience_s))

    def fetch(self, path: str, *, patience_s: float = 5.0) -> bytes:
        """What is at a path. Raises `OSError` as `get`."""
        return self._ask(self._request(path), patience_s)

    def has(self, path: str) -> bool:
        """Whether there is something at a path; what it is, is not read."""
        try:
            self.fetch(path)
        except urllib.error.HTTPError:
            return False
        return True

    def send(self, method: str, path: str, value: Any = None, *, patience_s: float = 20.0) -> Any:
        """Send a JSON value and give back the answer's; None where the answer is empty.

        Raises:
            StageFailed: it was refused; the server's own words.
            OSError: nothing answers.
        """
        body = b"" if value is None else json.dumps(value).encode()
        request = self._request(path, body=body, kind="application/json", method=method)
        try:
            answer = self._ask(request, patience_s)
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")
            raise StageFailed(f"{method} {path} was refused ({error.code}): {words}") from error
        return json.loads(answer) if answer else None

    def send_photo(self, photo: bytes, *, uuid: str, bay: str, filename: str) -> Any:
        """Send a photo as a phone does (multipart form) and give back the answer's JSON.

        Raises:
            StageFailed: the node refused it or did not answer; its own words.
        """
        fields = {"uuid": uuid, "bay": bay}
        body, kind = multipart(fields, filename=filename, content=photo)
        request = self._request("/api/photos", body=body, kind=kind, method="POST")
        try:
            return json.loads(self._ask(request, _PATIENCE_S))
        except urllib.error.HTTPError as error:
            words = error.read().decode(errors="replace")
            raise StageFailed(f"the node refused the photo ({error.code}): {words}") from error
        except OSError as error:
            raise StageFailed(f"the node did not answer the photo: {error}") from error

    def _request(
        self, path: str, *, body: bytes | None = None, kind: str = "", method: str = "GET"
    ) -> urllib.request.Request:
        headers = {}
        if body is not None:
            # As a browser says it with every write of a page of the server's own.
            headers = {"Content-Type": kind, "Origin": self.url}
        if self._key_file is not None:
            headers["Authorization"] = f"Bearer {self._key_file.read_text().strip()}"
        return urllib.request.Request(  # noqa: S310
            self.url + path, data=body, headers=headers, method=method
        )

    def _ask(self, request: urllib.request.Request, patience_s: float) -> bytes:
        with self._opener.open(request, timeout=patience_s) as answer:
            content: bytes = answer.read()
            return content


def multipart(fields: dict[str, str], *, filename: str, content: bytes) -> tuple[bytes, str]:
    """The body of a form with one file, and its content type."""
    boundary = uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    tail = f"\r\n--{boundary}--\r\n"
    body = b"".join([*parts, head.encode(), content, tail.encode()])
    return body, f"multipart/form-data; boundary={boundary}"


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or parts.hostname != "127.0.0.1":
        raise ValueError(f"{url} is not on the loopback")
    return url.rstrip("/")

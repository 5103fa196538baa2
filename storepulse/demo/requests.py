"""Speak HTTP to our own children on the loopback, as a phone would. Knows no route."""

import json
import urllib.error
import urllib.request
from typing import Any, Final
from uuid import uuid4

from storepulse.demo.children import StageFailed

_PATIENCE_S: Final = 60.0
_STRANGER: Final = urllib.request.build_opener()


def get_json(
    url: str, *, patience_s: float = 5.0, opener: urllib.request.OpenerDirector | None = None
) -> Any:
    """The JSON at a URL.

    Args:
        opener: of somebody who has signed in (`sign_in`).
    Raises:
        OSError: nothing answers there (yet), or it answers with an error.
    """
    with (opener or _STRANGER).open(_checked(url), timeout=patience_s) as answer:
        return json.load(answer)


def sign_in(link: str, *, name: str, password: str) -> urllib.request.OpenerDirector:
    """Use a welcome link of the hub as its page does; gives back what holds the session's cookie.

    Args:
        link: ADDRESS/#/welcome/TOKEN, as `storepulse hub run` says it.
        name: of the first person; a link that was made for somebody knows the name.
    Raises:
        StageFailed: the hub refused it; its own words.
    """
    address, _, token = link.partition("/#/welcome/")
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    request = urllib.request.Request(  # noqa: S310
        _checked(f"{address}/api/welcome/{token}"), method="POST",
        data=json.dumps({"name": name, "password": password}).encode(),
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    try:
        with opener.open(request, timeout=_PATIENCE_S) as answer:
            answer.read()
    except urllib.error.HTTPError as error:
        words = error.read().decode(errors="replace")
        raise StageFailed(f"the hub refused the welcome link ({error.code}): {words}") from error
    except OSError as error:
        raise StageFailed(f"the hub did not answer the welcome link: {error}") from error
    return opener


def is_there(url: str) -> bool:
    """Whether something answers at a URL with success; what it is, is not read."""
    try:
        with urllib.request.urlopen(_checked(url), timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False


def post_photo(url: str, photo: bytes, *, uuid: str, bay: str, filename: str) -> Any:
    """Send a photo as a phone does (multipart form) and give back the answer's JSON.

    Raises:
        StageFailed: the node refused it or did not answer; its own words.
    """
    fields = {"uuid": uuid, "bay": bay}
    body, content_type = multipart(fields, filename=filename, content=photo)
    request = urllib.request.Request(  # noqa: S310
        _checked(url), data=body, headers={"Content-Type": content_type}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE_S) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        words = error.read().decode(errors="replace")
        raise StageFailed(f"the node refused the photo ({error.code}): {words}") from error
    except OSError as error:
        raise StageFailed(f"the node did not answer the photo: {error}") from error


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
    if not url.startswith("http://127.0.0.1:"):
        raise ValueError(f"{url} is not on the loopback")
    return url

"""An ASGI application that takes Meraki's posts, for a server to mount. Opens no socket itself."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final

from probes.errors import SourceFailure, SourceRefused
from probes.sources.meraki import Meraki
from probes.sources.port import Hearing

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_BODY_BYTES_MAX: Final = 4 * 1024 * 1024
"""About 100 KB for 100 phones, one post a minute (Cisco)."""
_STATUS: Final = {SourceFailure.WRONG_SECRET: 403, SourceFailure.OTHER_VERSION: 400}


def meraki_webhook(
    meraki: Meraki,
    *,
    validator: str,
    take: Callable[[Sequence[Hearing]], Awaitable[None]],
    now: Callable[[], float],
    refuse: Callable[[str, float], None],
) -> Asgi:
    """Make the application for one path.

    GET answers with the validator, by which Meraki makes sure that the address is ours; POST hands
    the sightings to `take` and answers 200 when that has returned. Nothing of a refused post is
    said or logged but the reason, which `refuse` gets with the moment.

    Args:
        validator: the string that Meraki shows beside the post URL.
        now: seconds UTC.
    """

    async def webhook(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            await _answer(send, 200, validator)
            return
        if scope["method"] != "POST":
            await _answer(send, 405, "GET or POST")
            return
        body = await _body(receive)
        if body is None:
            await _answer(send, 413, "the post is too large")
            return
        try:
            hearings = meraki.decode(body, now())
        except SourceRefused as refused:
            refuse(f"a post was refused: {refused}", now())
            await _answer(send, _STATUS.get(refused.reason, 400), str(refused))
            return
        await take(hearings)
        await _answer(send, 200, "")

    return webhook


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None when it is too large or the sender has gone."""
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts += message.get("body", b"")
        if len(parts) > _BODY_BYTES_MAX:
            return None
        if not message.get("more_body"):
            return bytes(parts)


async def _answer(send: Send, status: int, text: str) -> None:
    body = text.encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

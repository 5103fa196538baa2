"""Refuse a request body above a limit while it streams in. Reads nothing itself."""

from typing import Final

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.errors import TooLarge

HTTP_TOO_LARGE: Final = 413


class BodyTooLarge(HTTPException):
    """Passes through the framework's form reader, which lets only its own errors pass."""


class BodyLimit:
    """ASGI middleware: no request may have more than `bytes_max` of body, declared or not."""

    def __init__(self, app: ASGIApp, bytes_max: int) -> None:
        self._app = app
        self._bytes_max = bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what comes in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        too_large = declared.isdigit() and int(declared) > self._bytes_max
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if too_large or taken > self._bytes_max:
                raise BodyTooLarge(HTTP_TOO_LARGE, str(too_large_words(self._bytes_max)))
            return message

        await self._app(scope, counted, send)


def too_large_words(bytes_max: int) -> TooLarge:
    """The error that the phone gets."""
    return TooLarge(
        f"the request has more than {bytes_max // 2**20} MiB: send a smaller photo, "
        "or raise upload_bytes_max"
    )

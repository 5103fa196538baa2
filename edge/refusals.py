"""How errors go out over HTTP: one shape, and the status of each. Raises none."""

import math
from typing import Any, Final

from fastapi.responses import JSONResponse

from edge.errors import (
    BadSettings,
    CodeUsedOrEnded,
    Contradicts,
    ForeignOrigin,
    NotHere,
    NotJudged,
    NotYours,
    TooLarge,
    TooManyTries,
    Unpaired,
    WrongHost,
    WrongPin,
)
from storepulse.errors import BadInput, StorepulseError, Unavailable

STATUS: Final[tuple[tuple[type[StorepulseError], int], ...]] = (
    (NotHere, 404), (TooLarge, 413), (Contradicts, 409), (NotJudged, 422), (Unpaired, 401),
    (CodeUsedOrEnded, 403), (WrongPin, 403), (ForeignOrigin, 403), (NotYours, 403),
    (WrongHost, 421), (TooManyTries, 429), (BadSettings, 500), (BadInput, 422), (Unavailable, 503),
    (StorepulseError, 500),
)  # fmt: skip
"""HTTP status of each error; the first that fits."""


def error_body(error: StorepulseError) -> dict[str, Any]:
    """The one shape in which every error goes out."""
    name = type(error).__name__
    code = "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")
    return {"error": {"code": code, "message": str(error), "retryable": error.retryable}}


def refusal(error: StorepulseError) -> JSONResponse:
    """The answer to a request that ended in an error of ours."""
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    headers = {}
    if isinstance(error, TooManyTries):
        headers["Retry-After"] = str(math.ceil(error.wait_s))
    return JSONResponse(error_body(error), status, headers=headers)

"""Ask the node that runs on this machine how it is, as its owner. Starts none."""

import http.client
import json
import ssl
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from edge.enrolment import trusting
from edge.errors import NodeSilent
from edge.owner import owner_key

_ANSWER_S_MAX: Final = 10.0
_ANSWER_BYTES_MAX: Final = 2**20


def own_health(data: Path, url: str, *, ca: Path | None = None) -> dict[str, Any]:
    """What `GET /healthz` says to the owner.

    Args:
        url: where the node serves phones.
        ca: whose certificates are trusted; None: those that this machine trusts anyway.
    Raises:
        NodeSilent: it does not answer, or something else answers there.
        BadSettings, DataDamaged: the owner's key cannot be read.
    """
    parts = urlsplit(url)
    headers = {"Authorization": f"Bearer {owner_key(data)}"}
    try:
        connection = _connection(parts.scheme, parts.hostname or "", parts.port, ca)
    except OSError as error:
        raise NodeSilent(f"{ca} cannot be read: {error}") from error
    try:
        connection.request("GET", "/healthz", headers=headers)
        answer = connection.getresponse()
        content = answer.read(_ANSWER_BYTES_MAX)
    except (OSError, http.client.HTTPException) as error:
        raise NodeSilent(f"{url} does not answer: {error or type(error).__name__}") from error
    finally:
        connection.close()
    try:
        told = json.loads(content)
    except ValueError:
        told = None
    if answer.status != http.client.OK or not isinstance(told, dict) or "workers" not in told:
        raise NodeSilent(f"what answers at {url} is not the node of {data} ({answer.status})")
    return told


def _connection(
    scheme: str, host: str, port: int | None, ca: Path | None
) -> http.client.HTTPConnection:
    if scheme != "https":
        return http.client.HTTPConnection(host, port, timeout=_ANSWER_S_MAX)
    context = ssl.create_default_context() if ca is None else trusting(cafile=ca)
    return http.client.HTTPSConnection(host, port, timeout=_ANSWER_S_MAX, context=context)

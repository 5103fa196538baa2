"""Renew the node's certificate long before it ends. Speaks by `edge.enrolment`.

The link goes on with the certificate it connected by, and takes the new one when it next connects.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from edge.clock import Now
from edge.enrolment import renew
from edge.identity import Identity, read_identity
from storepulse.errors import StorepulseError

log = logging.getLogger(__name__)

_LOOK_S: Final = 3600.0
"""A clock may be set at any time: it is looked at again though nothing was due."""
_TRIES_IN_THE_REST: Final = 100
"""So many tries fit into what is left of the certificate's life: a few hours apart at first."""
_WAIT_S_MIN: Final = 1.0

Renew = Callable[[Path, Identity], Identity]


def wait_s(identity: Identity, now: datetime, *, failed: bool) -> float:
    """How long to wait before looking again, in seconds."""
    rest = identity.left(now) / _TRIES_IN_THE_REST if failed else identity.renewal_at - now
    return min(_LOOK_S, max(_WAIT_S_MIN, rest / timedelta(seconds=1)))


class Renewal:
    """Keeps one node's certificate fresh."""

    def __init__(self, data: Path, now: Now, *, renew: Renew = renew) -> None:
        self.trouble = ""
        """Why it is not fresh; empty when it is."""
        self._data = data
        self._now = now
        self._renew = renew

    async def run(self) -> None:
        """Look until cancelled; a node that was never enrolled has nothing to renew."""
        while True:
            await asyncio.sleep(await asyncio.to_thread(self.look))

    def look(self) -> float:
        """Renew if it is time to; returns how long to wait before the next look, in seconds."""
        identity = read_identity(self._data)
        if identity is None:
            return _LOOK_S
        now = self._now().at
        if not identity.renewal_due(now):
            self.trouble = ""
            return wait_s(identity, now, failed=False)
        try:
            fresh = self._renew(self._data, identity)
        except StorepulseError as error:
            if str(error) != self.trouble:
                log.warning("the certificate could not be renewed: %s", error)
            self.trouble = str(error)
            return wait_s(identity, now, failed=True)
        log.info(
            "the certificate was renewed; it is good until %s",
            fresh.certificate.not_valid_after_utc,
        )
        self.trouble = ""
        return wait_s(fresh, now, failed=False)

"""Fetch the planograms that the hub names, each until it is here whole. Judges nothing.

What is to be fetched follows from the node's configuration and its folder: nothing need be noted,
and a node that is killed in between goes on where the folder says.
"""

import asyncio
import http.client
import logging
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from edge.backoff import Backoff
from edge.blobs import words_of
from edge.enrolment import ask, read_hub, trusting
from edge.errors import EnrolmentRefused, HubAway
from edge.identity import Identity, read_identity
from edge.pairing import Phones
from edge.plans import Plans
from planograms.errors import BadPlanogram
from storepulse.errors import StorepulseError
from storepulse.node_config import NodeConfig
from storepulse.plans import PLAN_BYTES_MAX, PlanDue

log = logging.getLogger(__name__)

_AGAIN_S_MAX: Final = 300.0
"""A planogram that is damaged at the hub is asked for again, but not all the time."""

Fetch = Callable[[Identity, PlanDue], bytes]
Tell = Callable[[], Awaitable[None]]
Heed = Callable[[NodeConfig], None]


def fetch_plan(identity: Identity, due: PlanDue) -> bytes:
    """Ask the hub's door for one planogram.

    Raises:
        EnrolmentRefused: the hub does not take this node (any more).
        HubAway: it does not answer, or has no such planogram for this shop now.
    """
    context = trusting(cafile=identity.ca, certificate=identity.pem)
    path = f"/plans/{due.planogram}/{due.version}"
    door = read_hub(identity.hub)
    status, answer = ask(door, "GET", path, b"", context, answer_bytes_max=PLAN_BYTES_MAX)
    if status == http.client.OK:
        return answer
    if status == http.client.FORBIDDEN:
        raise EnrolmentRefused(f"the hub refuses: {words_of(answer)}")
    raise HubAway(f"the hub gives no planogram {due.key} now ({status}): {words_of(answer)}")


class PlanFetch:
    """The planograms of one node, on their way from the hub."""

    def __init__(
        self,
        data: Path,
        plans: Plans,
        phones: Phones,
        tell: Tell,
        *,
        backoff: Backoff,
        poll_s: float,
        fetch: Fetch = fetch_plan,
        heed: Heed = lambda _: None,
    ) -> None:
        """`phones` keeps the configuration; `tell` says to the hub what is here.

        Args:
            heed: hears of each new configuration, too.
        """
        self.trouble = ""
        """Why planograms are missing; empty when none is."""
        self._data = data
        self._plans = plans
        self._phones = phones
        self._tell = tell
        self._backoff = backoff
        self._poll_s = poll_s
        self._fetch = fetch
        self._heed = heed
        self._revision = 0

    async def run(self) -> None:
        """Fetch until cancelled."""
        failures = 0
        while True:
            try:
                await self.look()
                failures = 0
                wait_s = self._poll_s
            except StorepulseError as error:
                failures += 1
                self._note(str(error))
                wait_s = self._backoff.wait_s(failures, random.random())  # noqa: S311
                if isinstance(error, BadPlanogram):
                    wait_s = min(_AGAIN_S_MAX, wait_s * 10)
            await asyncio.sleep(wait_s)

    async def look(self) -> int:
        """Heed a new configuration, and fetch what is missing; returns how many came.

        Raises:
            BadPlanogram, EnrolmentRefused, HubAway, Unavailable: what is missing stays so for now.
        """
        await asyncio.to_thread(self.heed_config)
        missing = self._plans.missing()
        if not missing:
            self.trouble = ""
            return 0
        identity = await asyncio.to_thread(read_identity, self._data)
        if identity is None:
            return 0
        came, first = 0, None
        for due in missing:
            try:
                content = await asyncio.to_thread(self._fetch, identity, due)
                await asyncio.to_thread(self._plans.hold, due, content)
            except StorepulseError as error:
                # One that cannot be had must not keep the others away.
                first = first or error
                continue
            came += 1
            log.info("planogram %s is here", due.key)
        if came:
            await self._tell()
        if first is not None:
            raise first
        return came

    def heed_config(self) -> None:
        """Take over from the configuration which planograms are needed."""
        config = self._phones.config()
        if config is not None and config.revision != self._revision:
            self._plans.take_due(config.plans, config.timezone)
            self._heed(config)
            self._revision = config.revision

    def _note(self, trouble: str) -> None:
        """Say it once, not with every try."""
        if trouble != self.trouble:
            log.warning("planograms are missing: %s", trouble)
        self.trouble = trouble

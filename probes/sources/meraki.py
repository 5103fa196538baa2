"""Cisco Meraki's scanning API, versions 2.0, 2.1 and 3.x: webhook payloads into sightings. Pure.

What Meraki tells is a selection: version 2 leaves random addresses out, version 3 tells them only
while the phone is connected to a network of the same shop (Cisco's documentation, 2024). So these
sightings say nothing of how many visitors there are.
https://developer.cisco.com/meraki/scanning-api/overview
"""

import hmac
from collections.abc import Callable, Iterator
from typing import Any, Final

from probes.errors import SourceFailure, SourceRefused
from probes.sources.port import Evidence, Hearing, Senders, Sighting, SightingCounts
from probes.sources.reading import address_of, dbm_of, json_of, time_of


class Meraki:
    """Decodes the posts of one network.

    Args:
        secret: the shared secret that is set at Meraki; each post must carry it.
    """

    name = "Meraki scanning API"
    evidence = Evidence.ADDRESSES

    def __init__(self, secret: str, senders: Senders) -> None:
        if not secret:
            raise SourceRefused(
                SourceFailure.WRONG_SECRET,
                "a Meraki source needs the shared secret that is set there, and the file of "
                "?secret= is empty: write it into the file",
            )
        self._secret = secret.encode()
        self._senders = senders
        self.counts = SightingCounts()

    def decode(self, payload: bytes, received_s: float) -> list[Hearing]:  # noqa: ARG002
        """Read one post. Bluetooth posts give nothing.

        Raises:
            SourceRefused: the secret is wrong (said before anything else), no JSON, or a version
                that is not read.
        """
        plain = json_of(payload)
        if not isinstance(plain, dict) or not isinstance(plain.get("secret"), str):
            raise SourceRefused(SourceFailure.WRONG_SECRET, "the post carries no secret")
        if not hmac.compare_digest(plain["secret"].encode("utf-8", "surrogatepass"), self._secret):
            raise SourceRefused(SourceFailure.WRONG_SECRET, "the post carries another secret")
        version = str(plain.get("version", ""))
        records = _RECORDS.get(version.split(".")[0])
        if records is None:
            raise SourceRefused(
                SourceFailure.OTHER_VERSION, "versions 2.0, 2.1 and 3.x are read: set one at Meraki"
            )
        if plain.get("type") not in ("DevicesSeen", "WiFi"):
            return []
        data = plain.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("observations"), list):
            raise SourceRefused(SourceFailure.WRONG_SHAPE, "the post holds no observations")
        found: list[Hearing] = []
        for observation in data["observations"]:
            try:
                address = address_of(observation["clientMac"])
                seen = list(records(observation))
            except (KeyError, TypeError, ValueError, AttributeError):
                self.counts.damaged += 1
                continue
            for time_s, signal_dbm in seen:
                sender = self._senders.of(address, time_s)
                if sender is None:
                    self.counts.left_out += 1
                    continue
                self.counts.sightings += 1
                found.append(Sighting(time_s, *sender, signal_dbm, None, None, Evidence.ADDRESSES))
        return found


def _version_2(observation: dict[str, Any]) -> Iterator[tuple[float, int | None]]:
    # Signal is told above a noise floor that is not told (values like 47): no dBm.
    epoch = observation.get("seenEpoch")
    yield (
        time_of(observation["seenTime"] if epoch is None else epoch),
        dbm_of(observation.get("rssi")),
    )


def _version_3(observation: dict[str, Any]) -> Iterator[tuple[float, int | None]]:
    places = observation.get("locations") or []
    for place in places:
        signals = [dbm_of(record.get("rssi")) for record in place.get("rssiRecords") or []]
        yield time_of(place["time"]), max((s for s in signals if s is not None), default=None)
    latest = observation.get("latestRecord")
    if latest and not places:
        yield time_of(latest["time"]), dbm_of(latest.get("nearestApRssi"))
    elif not places:
        raise ValueError("neither a location nor a latest record")


_RECORDS: Final[dict[str, Callable[[dict[str, Any]], Iterator[tuple[float, int | None]]]]] = {
    "2": _version_2,
    "3": _version_3,
}

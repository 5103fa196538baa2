"""Sightings by access points: hostapd's probe events, Fortinet's log, plain CSV and JSON. Pure.

What is lost against a radio of one's own: hostapd tells each probe request with the phone's HT and
VHT capabilities, but no count of frames and not the other elements, so bursts under changing
addresses can be linked by time and kind alone; the others tell addresses only, at moments of their
own choosing. No dwell and no number of visitors is estimated from any of them
(`probes.sighting_facts` says so in every fact).
"""

import csv
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from probes.errors import SourceFailure, SourceRefused
from probes.sources.naming import Teller
from probes.sources.port import Evidence, Hearing, Senders, Sighting, SightingCounts
from probes.sources.reading import address_of, dbm_of, json_of, mhz_of, time_of


class _Told:
    """Makes sightings of fields, and counts what cannot be."""

    name = "access points"
    evidence = Evidence.ADDRESSES

    def __init__(self, senders: Senders) -> None:
        self._senders = senders
        self.counts = SightingCounts()

    def _sighting(
        self, address: object, time: object, signal: object, mhz: object,
        capabilities: bytes | None = None,
    ) -> list[Hearing]:  # fmt: skip
        try:
            raw, time_s = address_of(address), time_of(time)
        except ValueError:
            self.counts.damaged += 1
            return []
        sender = self._senders.of(raw, time_s)
        if sender is None:
            self.counts.left_out += 1
            return []
        self.counts.sightings += 1
        kind = None if capabilities is None else self._senders.hashed(capabilities, time_s)
        return [Sighting(time_s, *sender, dbm_of(signal), mhz_of(mhz), kind, self.evidence)]


class Hostapd(_Told):
    """OpenWrt's `ubus subscribe hostapd.*` probe events as JSON, e.g. brought by MQTT.

    `{"address": .., "target": .., "signal": -60, "freq": 2437, "ht_capabilities": {..}}`, bare or
    as `{"probe": {..}}`. An event carries no time: the moment of its receipt is taken.
    """

    name = "hostapd events"
    evidence = Evidence.EVENTS

    def decode(self, payload: bytes, received_s: float) -> list[Hearing]:
        """Read one event; other events than probes give nothing.

        Raises:
            SourceRefused: no JSON object.
        """
        plain = json_of(payload)
        if not isinstance(plain, dict):
            raise SourceRefused(SourceFailure.WRONG_SHAPE, "an event is a JSON object")
        if "address" not in plain:
            plain = plain.get("probe")
            if not isinstance(plain, dict):
                return []
        told = {key: plain[key] for key in _CAPABILITIES if key in plain}
        try:
            capabilities = json.dumps(told, sort_keys=True).encode() if told else None
        except RecursionError:
            self.counts.damaged += 1
            return []
        return self._sighting(
            plain.get("address"), received_s, plain.get("signal"), plain.get("freq"), capabilities
        )


_CAPABILITIES: Final = ("ht_capabilities", "vht_capabilities", "he_capabilities")


class Fortinet(_Told):
    """FortiOS's event log, message 43550 (wireless station presence): lines of `key=value`.

    Fields as FortiOS's log reference names them (6.2 to 7.2): `stamac`, `signal`, `eventtime`, else
    `date`, `time` and `tz`. No line of a real device was at hand to try it on.
    """

    name = "Fortinet log 43550"

    def decode(self, payload: bytes, received_s: float) -> list[Hearing]:  # noqa: ARG002
        """Read lines; those of other messages give nothing, one without its fields counts."""
        found: list[Hearing] = []
        for line in payload.decode("utf-8", "replace").splitlines():
            fields = {key: quoted or bare for key, quoted, bare in _PAIR.findall(line)}
            if not fields.get("logid", "").endswith("43550"):
                continue
            time = fields.get("eventtime")
            if time is None and {"date", "time", "tz"} <= set(fields):
                time = f"{fields['date']}T{fields['time']}{fields['tz']}"
            found += self._sighting(fields.get("stamac"), time, fields.get("signal"), None)
        return found


_PAIR: Final = re.compile(r'(\w+)=(?:"([^"]*)"|(\S*))')


class PlainRows(_Told):
    """Any access point's sightings as CSV with a header, a JSON array, or JSON lines.

    Columns: address (or mac), time, and if known signal (dBm; or rssi) and freq (MHz).
    """

    name = "sightings of access points"

    def decode(self, payload: bytes, received_s: float) -> list[Hearing]:  # noqa: ARG002
        """Read rows.

        Raises:
            SourceRefused: neither JSON nor CSV with the columns that are needed.
        """
        rows = rows_of(payload, needed=({"address", "mac"}, {"time"}))
        found: list[Hearing] = []
        for row in rows:
            found += self._sighting(
                row.get("address") or row.get("mac"), row.get("time"),
                row.get("signal") or row.get("rssi"), row.get("freq"),
            )  # fmt: skip
        return found


READERS: Final[Mapping[Teller, type[Hostapd | Fortinet | PlainRows]]] = {
    Teller.HOSTAPD: Hostapd,
    Teller.FORTINET: Fortinet,
    Teller.ROWS: PlainRows,
}
"""Who reads what an access point tells."""


def rows_of(payload: bytes, *, needed: tuple[set[str], ...]) -> list[Mapping[str, Any]]:
    """Rows of CSV with a header, of a JSON array of objects, or of JSON lines.

    Args:
        needed: of each set one column must be there.
    Raises:
        SourceRefused: none of these, or a column is missing.
    """
    text = payload.decode("utf-8-sig", "replace").strip()
    rows: list[Any]
    if text.startswith("["):
        rows = json_of(payload.lstrip(b"\xef\xbb\xbf"))
    elif text.startswith("{"):
        rows = [json_of(line.encode()) for line in text.splitlines() if line.strip()]
    else:
        rows = _table(text, needed)
    if not all(isinstance(row, dict) for row in rows):
        raise SourceRefused(SourceFailure.WRONG_SHAPE, "each row is a JSON object")
    return rows


def _table(text: str, needed: tuple[set[str], ...]) -> list[Mapping[str, Any]]:
    names = ", ".join(" or ".join(sorted(some)) for some in needed)
    reader = csv.DictReader(text.splitlines())
    try:
        columns = {name.strip().lower() for name in reader.fieldnames or ()}
        if not all(some & columns for some in needed):
            raise SourceRefused(SourceFailure.WRONG_SHAPE, f"the columns needed are {names}")
        return [
            {key.strip().lower(): (value or "").strip() for key, value in row.items()
             if isinstance(key, str) and not isinstance(value, list)}
            for row in reader
        ]  # fmt: skip
    except csv.Error as error:
        raise SourceRefused(
            SourceFailure.WRONG_SHAPE, f"this is no CSV (nor JSON); the columns needed are {names}"
        ) from error

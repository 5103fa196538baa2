"""Read a list of shops, a CSV file: all of it or nothing. Touches no database itself.

The header is `shop,name,region,format,latitude,longitude,timezone`; `simulated` (yes or no) may
stand behind it. Coordinates may be empty. An empty time zone means UTC.
"""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hub.errors import BadShopsFile
from hub.ingest.fact_rules import storable
from hub.shops_store import Shop, save_shop
from hub.store.database import Database
from storepulse.topics import Address, BadName

COLUMNS: Final = ("shop", "name", "region", "format", "latitude", "longitude", "timezone")
OPTIONAL: Final = ("simulated",)
_TEXT_MAX: Final = 200
_BYTES_MAX: Final = 64 * 1024 * 1024


def read_shops(file: Path) -> list[Shop]:
    """Read the list; empty when it has a header only.

    Raises:
        BadShopsFile: names the line and the field that cannot be used.
    """
    try:
        if file.stat().st_size > _BYTES_MAX:
            raise BadShopsFile(f"{file} is larger than {_BYTES_MAX} bytes: split it")
        # utf-8-sig: spreadsheets put a mark in front.
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return _read(file, lines)
    except OSError as error:
        raise BadShopsFile(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BadShopsFile(f"{file} is not UTF-8 text: save it as CSV UTF-8") from error
    except csv.Error as error:
        raise BadShopsFile(f"{file} is not CSV: {error}") from error


def _read(file: Path, lines: Iterable[str]) -> list[Shop]:
    rows = csv.reader(lines, strict=True)
    header = [name.strip() for name in next(rows, [])]
    if tuple(header[: len(COLUMNS)]) != COLUMNS or set(header[len(COLUMNS) :]) - set(OPTIONAL):
        raise BadShopsFile(
            f"{file}, line 1: the header must be {','.join(COLUMNS)}, got "
            f"{','.join(header)[:_TEXT_MAX] or 'nothing'}"
        )
    found: dict[str, Shop] = {}
    for row in rows:
        line = rows.line_num
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            raise BadShopsFile(
                f"{file}, line {line}: {len(header)} fields are needed, got {len(row)}"
            )
        cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
        try:
            shop = _shop(cells)
        except ValueError as error:
            raise BadShopsFile(f"{file}, line {line}, {error}") from error
        if shop.shop in found:
            raise BadShopsFile(f"{file}, line {line}, shop: {shop.shop!r} is named twice")
        found[shop.shop] = shop
    return list(found.values())


def _shop(cells: Mapping[str, str]) -> Shop:
    for name, text in cells.items():
        if len(text) > _TEXT_MAX or not storable(text):
            raise ValueError(f"{name}: at most {_TEXT_MAX} characters of plain text are possible")
    try:
        Address("chain", cells["shop"], "node")
    except BadName as error:
        raise ValueError(f"shop: {error}") from error
    simulated = cells.get("simulated", "") or "no"
    if simulated not in ("yes", "no"):
        raise ValueError(f"simulated: yes or no is needed, got {simulated!r}")
    latitude = _degrees(cells, "latitude", 90)
    longitude = _degrees(cells, "longitude", 180)
    if (latitude is None) != (longitude is None):
        raise ValueError("latitude: it comes together with longitude or not at all")
    return Shop(
        shop=cells["shop"],
        name=cells["name"],
        region=cells["region"],
        format=cells["format"],
        latitude=latitude,
        longitude=longitude,
        timezone=_timezone(cells["timezone"] or "UTC"),
        simulated=simulated == "yes",
    )


def _degrees(cells: Mapping[str, str], name: str, limit: float) -> float | None:
    if not cells[name]:
        return None
    try:
        degrees = float(cells[name])
    except ValueError:
        degrees = float("nan")
    if not -limit <= degrees <= limit:
        raise ValueError(
            f"{name}: a number from -{limit} to {limit} is needed, got {cells[name]!r}"
        )
    return degrees


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"timezone: {name!r} is none; write it as in Asia/Shanghai or Europe/Berlin"
        ) from error
    return name


def load_shops(database: Database, shops: Iterable[Shop]) -> tuple[int, int]:
    """Write the shops, all or none; returns how many are new and how many were there before.

    Raises:
        BadShopsFile: the database knows a time zone less than this machine does.
    """
    new = known = 0
    with database.connection() as connection:
        rows = connection.execute("select name from pg_timezone_names")
        zones = {row["name"] for row in rows}
        for shop in shops:
            # Every day of the shop is counted by the database's zones: without its zone no query
            # about the shop would work.
            if shop.timezone not in zones:
                raise BadShopsFile(
                    f"shop {shop.shop}, timezone: the database does not know {shop.timezone!r}"
                )
            if save_shop(connection, shop):
                new += 1
            else:
                known += 1
    return new, known

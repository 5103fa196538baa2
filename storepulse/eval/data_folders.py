"""Whether a folder holds the data that a measure needs (disk). Reads none of it but tables."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from storepulse.errors import BadInput


class WrongData(BadInput):
    """The folder given with --data is not what the measure needs."""


def need(folder: Path, *names: str) -> None:
    """Check that a data folder holds these files or folders.

    Raises:
        WrongData: it does not, or there is no such folder.
    """
    if not folder.is_dir():
        raise WrongData(f"--data {folder}: there is no such folder")
    for name in names:
        if not (folder / name).exists():
            raise WrongData(
                f"--data {folder}: it holds no {name}; this measure needs {', '.join(names)}"
            )


def number_in(row: Mapping[str, str], column: str) -> float:
    """A number of a table's row.

    Raises:
        WrongData: it is none.
    """
    try:
        return float(row[column])
    except ValueError as error:
        raise WrongData(f"{row[column]!r} in column {column} is no number") from error


def rows_of(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Read a table (CSV with a header).

    Raises:
        WrongData: it cannot be read, is empty, or lacks one of these columns.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise WrongData(f"{path} cannot be read as a table: {error}") from error
    if not rows:
        raise WrongData(f"{path} has no rows")
    for column in columns:
        if rows[0].get(column) is None:
            raise WrongData(f"{path} has no column {column}")
    return rows

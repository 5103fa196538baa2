"""The questions that the hub asks its database: a file each, called by name. Asks none itself."""

from functools import cache
from importlib.resources import files


@cache
def question(name: str) -> bytes:
    """The text of `hub/store/queries/{name}.sql`; bytes, which psycopg takes as a whole query."""
    return files(__package__).joinpath(f"{name}.sql").read_bytes()

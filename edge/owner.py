"""The key of the node's owner: a file that only its owner reads, and what proves it over HTTP.

Whoever may read the file owns the node's data anyway. Makes no decision on what an owner may do.
"""

import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from edge.errors import BadSettings, DataDamaged
from storepulse.secret_files import write_whole

KEY_NAME: Final = "owner.key"
_KEY_BYTES: Final = 32
_SCHEME: Final = "bearer"


def keep_owner_key(data: Path) -> str:
    """The key of a node's data folder, made where there is none. Only while the folder is held.

    Raises:
        DataDamaged: the file is empty or cannot be read.
    """
    file = data / KEY_NAME
    if not file.exists():
        write_whole(file, f"{secrets.token_urlsafe(_KEY_BYTES)}\n".encode())
    return owner_key(data)


def owner_key(data: Path) -> str:
    """The key as a command on this machine shows it: `Authorization: Bearer KEY`.

    Raises:
        BadSettings: there is none, or this user may not read it.
        DataDamaged: the file is empty or cannot be read.
    """
    file = data / KEY_NAME
    try:
        key = file.read_text(encoding="ascii").strip()
    except FileNotFoundError as error:
        raise BadSettings(
            f"{data} has no {KEY_NAME}: it is made when the node first starts (storepulse edge run)"
        ) from error
    except PermissionError as error:
        raise BadSettings(
            f"{file} may be read by the user {_owner_of(file)} alone: run this as that user"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataDamaged(f"{file} cannot be read ({error}): remove it and start again") from error
    if not key:
        raise DataDamaged(f"{file} is empty: remove it and start the node again")
    return key


def is_owner(authorization: str | None, key: str) -> bool:
    """Whether a request's Authorization header shows the key."""
    scheme, _, shown = (authorization or "").partition(" ")
    shows = scheme.lower() == _SCHEME and hmac.compare_digest(shown.strip().encode(), key.encode())
    return shows and bool(key)


def _owner_of(file: Path) -> str:
    try:
        return file.owner()
    except (OSError, KeyError):
        return f"that runs the node, not {os.getuid()}"

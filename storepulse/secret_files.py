"""Write a file whole or not at all, and on the disk when that returns. Does not look at what it is.

Only its owner may read it, unless `PUBLIC` is asked for.
"""

import os
import tempfile
from pathlib import Path
from typing import Final

SECRET: Final = 0o600
PUBLIC: Final = 0o644
_BESIDE: Final = ".unfinished-"


def write_whole(file: Path, content: bytes, *, mode: int = SECRET) -> None:
    """Replace a file in one step: a reader, or a power cut, finds the old one or the new one.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    beside = write_beside(file, content, mode=mode)
    try:
        beside.replace(file)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)


def write_beside(file: Path, content: bytes, *, mode: int = SECRET) -> Path:
    """Write what is to replace a file, on the disk already, under a name of its own.

    Returns:
        That name: rename it, then `sync_folder`, or unlink it.
    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    # mkstemp's file is its owner's alone from the first moment on. Not the file's own name with an
    # ending: a long one may be too long then.
    held, name = tempfile.mkstemp(dir=file.parent, prefix=_BESIDE)
    try:
        with os.fdopen(held, "wb") as written:
            written.write(content)
            written.flush()
            os.fchmod(written.fileno(), mode)
            os.fsync(written.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def sync_folder(folder: Path) -> None:
    """Have a file's new name on the disk: without it a power cut may bring the old one back."""
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(held)
    finally:
        os.close(held)

"""Write a file that only its owner may read, whole or not at all. Does not look at what it is."""

import os
import tempfile
from pathlib import Path
from typing import Final

SECRET: Final = 0o600
PUBLIC: Final = 0o644


def write_whole(file: Path, content: bytes, *, mode: int = SECRET) -> None:
    """Replace a file in one step: a reader, or a power cut, finds the old one or the new one."""
    # mkstemp's file is its owner's alone from the first moment on.
    held, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(held, "wb") as written:
            written.write(content)
            written.flush()
            os.fchmod(written.fileno(), mode)
            os.fsync(written.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""Evidence pictures that nodes send up: their names, what may be one, and where they lie.

Knows nothing of who may see them. `BlobStore` is the port; a folder stands behind it by default.
"""

import io
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from PIL import Image

from hub.errors import BlobRefused, NoRoom
from storepulse.pictures import PICTURE_NAMES
from storepulse.secret_files import write_whole
from storepulse.topics import Address
from storepulse.units import GIB

FREE_BYTES_MIN: Final = GIB
"""The database lies on the same disk as a rule: pictures must not take its last room."""
_PIXELS_MAX: Final = 80_000_000
_START: Final = b"\xff\xd8\xff"
_END: Final = b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class BlobKey:
    """Which picture: the shop comes from who sent it, photo and name from what was said."""

    shop: str
    photo: UUID
    name: str

    def __post_init__(self) -> None:
        # A shop's name can be a folder's: it has no slash and starts with a letter or digit.
        Address("chain", self.shop, "node")
        if self.name not in PICTURE_NAMES:
            raise BlobRefused(
                f"a picture is called {' or '.join(PICTURE_NAMES)}, not {self.name[:40]!r}"
            )

    @property
    def path(self) -> str:
        """As it is stored and shown: SHOP/PHOTO/NAME."""
        return f"{self.shop}/{self.photo}/{self.name}"


def read_key(shop: str, photo: str, name: str) -> BlobKey:
    """Read what an address says.

    Raises:
        BlobRefused: the photo is no UUID in its usual spelling, or the name none of ours.
        BadName: the shop is none.
    """
    try:
        uuid = UUID(photo)
    except ValueError as error:
        raise BlobRefused(f"photo {photo[:40]!r} is no UUID") from error
    if str(uuid) != photo:
        # One picture, one address: no second spelling of the same.
        raise BlobRefused(f"photo {photo[:40]!r} is not in its usual spelling, {uuid}")
    return BlobKey(shop, uuid, name)


def check_picture(content: bytes) -> None:
    """Let only a JPEG pass; its pixels are not decoded here.

    Raises:
        BlobRefused: it is none, is cut off, or would be too large on a screen.
    """
    if not content.startswith(_START) or not content.endswith(_END):
        raise BlobRefused("the picture is no JPEG, or is cut off")
    try:
        # Lazy: the header alone is read.
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as picture:
            width, height = picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BlobRefused(f"the picture is no JPEG: {error}") from error
    if width * height > _PIXELS_MAX:
        raise BlobRefused(f"a picture of {width} x {height} pixels is too large")


class BlobStore(Protocol):
    """Where pictures lie. One that was written is whole, or is not there."""

    def write(self, key: BlobKey, content: bytes) -> None:
        """Keep a picture, in place of what was there. Raises `NoRoom`."""
        ...

    def read(self, key: BlobKey) -> bytes | None:
        """The picture; None where there is none. Raises `OSError`."""
        ...

    def delete(self, key: BlobKey) -> None:
        """Remove it; one that is not there is none to remove. Raises `OSError`."""
        ...


class FolderBlobs:
    """A folder: SHOP/PHOTO/NAME below it."""

    def __init__(self, folder: Path, *, free_bytes_min: int = FREE_BYTES_MIN) -> None:
        self._folder = folder
        self._free_bytes_min = free_bytes_min

    def write(self, key: BlobKey, content: bytes) -> None:
        """See `BlobStore`."""
        file = self._folder / key.path
        try:
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            free = shutil.disk_usage(file.parent).free
            if free - len(content) < self._free_bytes_min:
                raise NoRoom(
                    f"{free / GIB:.1f} GiB are free where pictures are kept: make room, or keep "
                    "them for fewer days (STOREPULSE_HUB_BLOB_DAYS)"
                )
            write_whole(file, content)
        except OSError as error:
            raise NoRoom(f"{file} cannot be written: {error.strerror}") from error

    def read(self, key: BlobKey) -> bytes | None:
        """See `BlobStore`."""
        try:
            return (self._folder / key.path).read_bytes()
        except FileNotFoundError:
            return None

    def delete(self, key: BlobKey) -> None:
        """See `BlobStore`."""
        file = self._folder / key.path
        file.unlink(missing_ok=True)
        with suppress(OSError):  # the photo's other picture is still there
            file.parent.rmdir()

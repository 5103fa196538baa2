"""Read a photo from a file or bytes: checked, upright, at working size. Judges no content.

A phone's photo has 12 megapixels; the detector sees 1280 px of it and the eye of a clerk no more
than 2000. So a JPEG is decoded at a half, a quarter or an eighth, which costs a third of the time.
Of what a phone writes beside the pixels only two things are looked at: which way is up, and when.
"""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from vision.errors import UnreadablePhoto

Pixels = NDArray[np.uint8]
"""(height, width, 3), red green blue."""

FORMATS: Final = ("JPEG", "PNG", "WEBP", "HEIF")
ALLOWED: Final = "send a JPEG, HEIC, PNG or WebP photo"

BYTES_MAX: Final = 40 * 2**20
"""Twice the largest JPEG that a 50-megapixel phone writes."""

MEGAPIXELS_MAX: Final = 60.0
"""Above the 50 megapixels of common phones; a PNG of this size needs 180 MB while it is decoded,
and the child that judges has 500 MB."""

WORKING_LONG_PX: Final = 2400
"""Long side of what is looked at, at most. The detector sees 1280; crops of facings want more,
and what phones send (4000 to 4624 px) halves to less without a second resize, which would take
longer than the decoding."""

_REDUCED_SHARE_MIN: Final = 0.625
"""A JPEG is decoded reduced only as far as its long side keeps this share of what is wanted: 1500
pixels of 2400."""

_JPEGS: Final = ("JPEG", "MPO")
"""What Pillow calls one; phones put a second picture behind the first and make it an MPO."""
_REDUCED: Final = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
}
"""OpenCV's flag for each reduction; the colours are another flag's."""

# EXIF orientation -> how stored pixels become upright: transposed first, then flipped.
_UPRIGHT: Final[dict[int, tuple[bool, bool, bool]]] = {
    # transposed, mirrored left to right, turned upside down
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}
_ORIENTATION_TAG: Final = 0x0112
_TIMES_TAG: Final = 0x8769
_TAKEN_TAG: Final = 0x9003
_OFFSET_TAG: Final = 0x9011

# What Pillow's decoders raise on damaged data; they have no error of their own.
_DAMAGE: Final = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo as a viewer shows it, at working size."""

    file: str
    width: int
    """Upright, full size."""
    height: int
    rgb: Pixels
    """(h, w, 3) at working size; not to be written to."""
    scale: float
    """Working pixels for each full pixel, at most 1."""
    taken: str | None = None
    """When, by the phone's own clock: "2026:11:20 09:30:00", with "+01:00" after it where the phone
    says so. None: it does not say."""


def read_photo(
    source: Path | bytes, *, name: str | None = None, long_px: int = WORKING_LONG_PX
) -> Photo:
    """Read a JPEG, HEIC, PNG or WebP photo.

    The header is checked before anything is decoded, so that a small file cannot ask for
    gigabytes.

    Args:
        source: a file, or its bytes.
        name: what to call it in errors and in `Photo.file`; by default the path, or "photo".
        long_px: long side at which it is wanted, at most: small print wants more than the eyes.
    Raises:
        UnreadablePhoto: missing, empty, too large, of another format, or damaged.
    """
    name = name or (str(source) if isinstance(source, Path) else "photo")
    data = _read_bytes(source, name) if isinstance(source, Path) else source
    if not data:
        raise UnreadablePhoto(name, f"the file is empty (0 bytes); {ALLOWED}")
    if len(data) > BYTES_MAX:
        raise _too_many_bytes(name, len(data))
    image = _open(data, name)
    if image.format == "PNG":
        _check_sums(data, name)
    orientation, taken = _said_beside(image)
    turned, mirrored, upside_down = _UPRIGHT[orientation]
    stored_width, stored_height = image.size
    rgb = _decode(image, data, name, long_px)
    if turned:
        rgb = rgb.transpose(1, 0, 2)
    rgb = rgb[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
    width, height = (stored_height, stored_width) if turned else (stored_width, stored_height)
    rgb = np.ascontiguousarray(rgb)
    rgb.flags.writeable = False
    return Photo(name, width, height, rgb, scale=rgb.shape[1] / width, taken=taken)


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        # Asked before it is read: a film named .jpg should not fill the memory.
        if path.stat().st_size > BYTES_MAX:
            raise _too_many_bytes(name, path.stat().st_size)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadablePhoto(name, "there is no such file") from error
    except IsADirectoryError as error:
        raise UnreadablePhoto(name, f"is a folder; {ALLOWED}") from error
    except OSError as error:
        raise UnreadablePhoto(name, f"cannot be read ({error.strerror})") from error


def _too_many_bytes(name: str, count: int) -> UnreadablePhoto:
    return UnreadablePhoto(
        name,
        f"the file has {count / 2**20:.0f} MB, at most {BYTES_MAX // 2**20} MB can be read; "
        "send it smaller",
    )


def _open(data: bytes, name: str) -> Image.Image:
    """The photo with its header read and no pixel decoded."""
    _know_heic()
    with warnings.catch_warnings():
        # Pillow's own limits come first for very large ones; ours is lower and gives the words.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError as error:
            raise UnreadablePhoto(name, _what_else(data)) from error
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise UnreadablePhoto(
                name,
                f"the photo has more than {MEGAPIXELS_MAX:.0f} megapixels, the most that can be "
                "read; send it smaller",
            ) from error
        except _DAMAGE as error:
            raise _damaged(name) from error
    megapixels = image.width * image.height / 1e6
    if megapixels > MEGAPIXELS_MAX:
        raise UnreadablePhoto(
            name,
            f"the photo has {megapixels:.0f} megapixels ({image.width} x {image.height}), at most "
            f"{MEGAPIXELS_MAX:.0f} can be read; send it smaller",
        )
    return image


def _check_sums(data: bytes, name: str) -> None:
    """PNG carries check sums, which decoding does not look at; the other formats have none."""
    try:
        Image.open(io.BytesIO(data), formats=("PNG",)).verify()
    except _DAMAGE as error:
        raise _damaged(name) from error


def _what_else(data: bytes) -> str:
    """What the bytes are instead of a photo, as far as their start tells."""
    if data.startswith((b"\xff\xd8", b"\x89PNG", b"RIFF")) or data[4:8] == b"ftyp":
        return f"the photo is damaged at its start; take or send it again ({ALLOWED})"
    return f"the file holds no photo, whatever its name says; {ALLOWED}"


def _damaged(name: str) -> UnreadablePhoto:
    return UnreadablePhoto(
        name, f"the photo is damaged or cut short; take or send it again ({ALLOWED})"
    )


@cache
def _know_heic() -> None:
    """Teach Pillow what iPhones send; its plugin turns such photos upright by itself."""
    pi_heif.register_heif_opener()


def _said_beside(image: Image.Image) -> tuple[int, str | None]:
    """Orientation and time; the place, the phone and all else stay unread."""
    try:
        said = image.getexif()
        orientation = said.get(_ORIENTATION_TAG, 1)
        times = said.get_ifd(_TIMES_TAG)
        taken = " ".join(str(times[tag]) for tag in (_TAKEN_TAG, _OFFSET_TAG) if tag in times)
    except _DAMAGE:  # the pixels may be sound; a viewer shows them as stored
        return 1, None
    return orientation if orientation in _UPRIGHT else 1, taken if _is_time(taken) else None


def _is_time(text: str) -> bool:
    """Whether it is a time and nothing else: a phone may write what it likes there."""
    for form in ("%Y:%m:%d %H:%M:%S", "%Y:%m:%d %H:%M:%S %z"):
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 (only its form is asked)
        except ValueError:
            continue
        return True
    return False


def with_time(jpeg: bytes, taken: str | None) -> bytes:
    """A JPEG that says when it was taken, and nothing else of where it comes from.

    Args:
        jpeg: without EXIF, as OpenCV writes it.
        taken: `Photo.taken`; None leaves the JPEG as it is.
    """
    if taken is None:
        return jpeg
    exif = Image.Exif()
    date, clock, *offset = taken.split(" ")
    times = {_TAKEN_TAG: f"{date} {clock}"} | ({_OFFSET_TAG: offset[0]} if offset else {})
    exif.get_ifd(_TIMES_TAG).update(times)
    body = exif.tobytes()
    # Right behind the JPEG's first marker: its length (with itself), then the EXIF block.
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def _decode(image: Image.Image, data: bytes, name: str, long_px: int) -> Pixels:
    """(h, w, 3) as stored, long side at most `long_px`."""
    if image.format in _JPEGS and image.mode == "RGB":
        rgb = _decode_jpeg(image.size, data, name, long_px)
    else:
        rgb = _decode_with_pillow(image, name)
    longest = max(rgb.shape[:2])
    if longest > long_px:
        shrink = long_px / longest
        size = (max(1, round(rgb.shape[1] * shrink)), max(1, round(rgb.shape[0] * shrink)))
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return rgb


def _decode_jpeg(size: tuple[int, int], data: bytes, name: str, long_px: int) -> Pixels:
    """With OpenCV, straight into the pixels that are looked at: Pillow has the same decoder, and
    copies them twice behind it."""
    shrink = max(1.0, max(size) / (_REDUCED_SHARE_MIN * long_px))
    most = min(side // max(1, int(side / shrink)) for side in size)
    reduced = next((flag for by, flag in _REDUCED.items() if by <= most), 0)
    how = reduced | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        rgb = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    except cv2.error as error:
        raise _damaged(name) from error
    if rgb is None:  # so for a file that is cut short, too
        raise _damaged(name)
    return np.asarray(rgb, np.uint8)


def _decode_with_pillow(image: Image.Image, name: str) -> Pixels:
    """The other formats, and JPEGs that are grey or printers' (CMYK)."""
    try:
        image.load()
        if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off at 255
            grey = (np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
            return np.repeat(grey[:, :, None], 3, axis=2)
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    except (*_DAMAGE, Image.DecompressionBombError) as error:
        raise _damaged(name) from error

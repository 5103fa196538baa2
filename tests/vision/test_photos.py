"""Reading photos: what a viewer shows comes out, and what is no photo is told apart in words."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from vision.errors import UnreadablePhoto
from vision.photos import BYTES_MAX, MEGAPIXELS_MAX, WORKING_LONG_PX, read_photo, with_time


def picture(width: int = 90, height: int = 60) -> Image.Image:
    """Four corners of four colours, so that every turn shows."""
    half = np.zeros((height, width, 3), np.uint8)
    half[: height // 2, : width // 2] = (230, 20, 20)
    half[: height // 2, width // 2 :] = (20, 230, 20)
    half[height // 2 :, : width // 2] = (20, 20, 230)
    half[height // 2 :, width // 2 :] = (230, 230, 20)
    return Image.fromarray(half)


def encoded(image: Image.Image, form: str, **how: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **how)
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that says its size and holds nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = (
        struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    empty = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    return b"\x89PNG\r\n\x1a\n" + body + empty


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_three_formats_are_read(form: str) -> None:
    photo = read_photo(encoded(picture(), form), name="shelf")
    assert (photo.file, photo.width, photo.height, photo.scale) == ("shelf", 90, 60, 1.0)
    assert np.abs(photo.rgb[10, 10].astype(int) - (230, 20, 20)).max() < 30
    assert np.abs(photo.rgb[50, 80].astype(int) - (230, 230, 20)).max() < 30


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_upright_as_a_viewer_shows_it(form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(picture(), form, exif=exif)
    shown = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))
    photo = read_photo(data)
    assert photo.rgb.shape == shown.shape == (photo.height, photo.width, 3)
    assert np.abs(photo.rgb.astype(int) - shown).max() <= 1


@pytest.mark.parametrize("orientation", [0, 9, 60000])
def test_an_orientation_that_is_none_is_left_alone(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert read_photo(encoded(picture(), "JPEG", exif=exif)).width == 90


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1"])
def test_other_colour_modes_become_red_green_blue(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    photo = read_photo(encoded(picture().convert(mode), form))
    assert photo.rgb.shape == (60, 90, 3)
    assert photo.rgb.dtype == np.uint8


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    grey = Image.fromarray(np.full((20, 30), 300 * 128, np.uint16))
    assert set(read_photo(encoded(grey, "PNG")).rgb.ravel().tolist()) == {150}


@pytest.mark.parametrize(
    ("size", "working_long"),
    [
        pytest.param((4032, 3024), 2016, id="12 megapixels are decoded at a half"),
        pytest.param((3000, 1000), 1500, id="3000 px halve"),
        pytest.param((2800, 100), 2400, id="too few to halve are resized"),
        pytest.param((6400, 50), 1600, id="6400 px quarter"),
        pytest.param((2000, 2000), 2000, id="small ones stay"),
    ],
)
def test_large_photos_come_at_working_size(size: tuple[int, int], working_long: int) -> None:
    photo = read_photo(encoded(Image.new("RGB", size, (9, 99, 200)), "JPEG"))
    assert (photo.width, photo.height) == size
    assert max(photo.rgb.shape[:2]) == working_long <= WORKING_LONG_PX
    assert photo.scale == pytest.approx(working_long / max(size))


def test_pixels_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        read_photo(encoded(picture(), "PNG")).rgb[0, 0] = 0


JPEG_PLAIN = encoded(picture(), "JPEG")
HEIC = Path(__file__).with_name("four_corners.heic").read_bytes()
"""`picture()` as an iPhone keeps it: on its side, with time, place, maker (by pillow-heif)."""


def test_a_heic_is_read_upright() -> None:
    photo = read_photo(HEIC)
    assert (photo.width, photo.height) == (90, 60)
    assert np.abs(photo.rgb.astype(int) - np.asarray(picture())).mean() < 3


def stamped(form: str, said: str, offset: str | None = None) -> bytes:
    """A photo with a place, a maker and a time beside it."""
    exif = Image.Exif()
    exif[0x010F] = "A phone"
    exif.get_ifd(0x8825).update({1: "N", 2: (59.0, 20.0, 0.0), 3: "E", 4: (18.0, 3.0, 0.0)})
    exif.get_ifd(0x8769).update({0x9003: said} | ({0x9011: offset} if offset else {}))
    return encoded(picture(), form, exif=exif)


@pytest.mark.parametrize(
    ("data", "taken"),
    [
        pytest.param(HEIC, "2026:11:20 09:30:00 +01:00", id="HEIC"),
        pytest.param(stamped("JPEG", "2026:11:20 09:30:00"), "2026:11:20 09:30:00", id="JPEG"),
        pytest.param(
            stamped("PNG", "2026:11:20 09:30:00", "-05:00"), "2026:11:20 09:30:00 -05:00", id="PNG"
        ),
        pytest.param(stamped("JPEG", "Anna Svensson"), None, id="something else in its place"),
        pytest.param(JPEG_PLAIN, None, id="nothing said"),
    ],
)
def test_of_what_stands_beside_the_pixels_only_the_time_is_kept(
    data: bytes, taken: str | None
) -> None:
    photo = read_photo(data)
    assert photo.taken == taken
    written = with_time(JPEG_PLAIN, photo.taken)
    with Image.open(io.BytesIO(written)) as kept:
        exif = kept.getexif()
        said = {**dict(exif), **exif.get_ifd(0x8769), **exif.get_ifd(0x8825)}
        assert np.asarray(kept).shape == (60, 90, 3)
    said.pop(0x8769, None)
    words = (taken or "").split()
    wanted = [" ".join(words[:2]), *words[2:]] if words else []
    assert sorted(said.values()) == sorted(wanted)
    assert b"phone" not in written


JPEG = encoded(picture(300, 200), "JPEG")
PNG = encoded(Image.effect_noise((120, 90), 60), "PNG")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "empty", id="0 bytes"),
        pytest.param(b"one, two, three\n", "holds no photo", id="text"),
        pytest.param(b"\x00\x00\x00\x18ftypheic" + bytes(40), "damaged", id="start of a HEIC"),
        pytest.param(HEIC[: len(HEIC) // 2], "damaged", id="half a HEIC"),
        pytest.param(JPEG[: len(JPEG) // 2], "damaged", id="half a JPEG"),
        pytest.param(JPEG[:20], "damaged", id="the start of a JPEG"),
        pytest.param(PNG[: len(PNG) // 2], "damaged", id="half a PNG"),
        pytest.param(PNG[:60] + bytes(200) + PNG[260:], "damaged", id="a hole in a PNG"),
        pytest.param(png_header(90, 60), "damaged", id="a PNG without pixels"),
        pytest.param(png_header(10000, 10000), "megapixels", id="100 megapixels in 70 bytes"),
        pytest.param(png_header(8000, 8000), "64 megapixels", id="64 megapixels"),
        pytest.param(png_header(60000, 60000), "megapixels", id="3600 megapixels"),
        pytest.param(JPEG + bytes(BYTES_MAX), "MB", id="too many bytes"),
    ],
)
@pytest.mark.parametrize("as_file", [True, False])
def test_what_cannot_be_read_is_said_in_one_line(
    data: bytes, said: str, as_file: bool, tmp_path: Path
) -> None:
    path = tmp_path / "shelf.jpg"
    path.write_bytes(data)
    with pytest.raises(UnreadablePhoto, match=said) as caught:
        read_photo(path if as_file else data, name="shelf.jpg")
    line = str(caught.value)
    assert line.startswith("shelf.jpg: ")
    assert "\n" not in line
    assert any(word in line for word in ("send", "take"))  # what to do


def test_a_real_bomb_of_100_megapixels_is_refused_before_it_is_decoded() -> None:
    data = encoded(Image.new("1", (10000, 10000)), "PNG")
    assert len(data) < 100_000
    with pytest.raises(UnreadablePhoto, match=f"{MEGAPIXELS_MAX:.0f}"):
        read_photo(data)


@pytest.mark.parametrize(
    ("form", "how"), [("JPEG", {}), ("WEBP", {"lossless": True, "method": 0})], ids=["JPEG", "WEBP"]
)
def test_other_bombs_are_refused_too(form: str, how: dict[str, int]) -> None:
    data = encoded(Image.new("L", (8000, 8000)), form, **how)
    with pytest.raises(UnreadablePhoto, match="64 megapixels"):
        read_photo(data)


def test_a_missing_file_and_a_folder_are_no_photos(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePhoto, match="no such file"):
        read_photo(tmp_path / "none.jpg")
    with pytest.raises(UnreadablePhoto, match="folder"):
        read_photo(tmp_path)


@settings(max_examples=60, deadline=None)
@given(
    data=st.sampled_from([JPEG, PNG, encoded(picture(), "WEBP")]),
    damage=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=8)), max_size=5),
    cut=st.integers(0, 200),
)
def test_damaged_bytes_are_a_photo_or_refused(
    data: bytes, damage: list[tuple[int, bytes]], cut: int
) -> None:
    mutable = bytearray(data)
    for at, instead in damage:
        at %= len(mutable)
        mutable[at : at + len(instead)] = instead
    try:
        photo = read_photo(bytes(mutable[: len(mutable) - cut]))
    except UnreadablePhoto:
        return
    assert photo.rgb.ndim == 3

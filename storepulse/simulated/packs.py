"""Draw the front of a simulated pack: box, bottle, can or bag. Knows no shelf."""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Rgb = npt.NDArray[np.uint8]
"""(height, width, 3), red first."""
Rgba = npt.NDArray[np.uint8]
"""(height, width, 4), red first, alpha last."""
Colour = tuple[int, int, int]
PackKind = Literal["box", "bottle", "can", "bag"]
PACK_KINDS: Final[tuple[PackKind, ...]] = ("box", "bottle", "can", "bag")

_DRAWN_LARGER: Final = 3
"""Fronts are drawn at three times their size and shrunk: that is what softens their edges."""
_SYLLABLES: Final = (
    "so", "mi", "kar", "vo", "lu", "ten", "ba", "ri", "no", "fel", "za", "mo", "pi", "dra", "qu",
    "el", "ta", "shi",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pack:
    """The design of one simulated product; its look follows from `seed` alone."""

    id: str
    brand: str
    kind: PackKind
    width_px: int
    height_px: int
    body: Colour
    block: Colour
    accent: Colour
    seed: int

    def __post_init__(self) -> None:
        if self.width_px < 12 or self.height_px < 12:
            raise ValueError(f"a pack is at least 12 px wide and high, {self.id} is not")


_SHAPES: Final[dict[PackKind, tuple[tuple[float, float], tuple[float, float]]]] = {
    # (width as a share of the row's height), (height as a share of the row's height)
    "box": ((0.42, 0.72), (0.62, 0.86)),
    "bottle": ((0.30, 0.42), (0.78, 0.90)),
    "can": ((0.38, 0.50), (0.56, 0.74)),
    "bag": ((0.55, 0.80), (0.66, 0.84)),
}


def design_pack(
    number: int, *, row_height_px: float, kind: PackKind, hue: float, rng: np.random.Generator
) -> Pack:
    """Make up a product that fits a row.

    Args:
        number: becomes its id, "sim-p07".
        row_height_px: clear height between two boards.
        hue: 0 to 1 around the colour circle; neighbours should differ.
    """
    wide, high = _SHAPES[kind]
    dark_on_light = rng.random() < 0.35
    body = _colour(hue, rng.uniform(0.05, 0.25), rng.uniform(0.85, 0.97)) if dark_on_light else (
        _colour(hue, rng.uniform(0.55, 0.92), rng.uniform(0.45, 0.92))
    )  # fmt: skip
    other = (hue + rng.choice([0.0, 0.12, 0.42, 0.5, 0.58])) % 1
    block = _colour(other, rng.uniform(0.6, 0.95), rng.uniform(0.35, 0.8)) if dark_on_light else (
        _colour(other, rng.uniform(0.0, 0.35), rng.uniform(0.88, 1.0))
    )  # fmt: skip
    accent = _colour((hue + rng.uniform(0.3, 0.7)) % 1, 0.8, rng.uniform(0.6, 0.95))
    return Pack(
        id=f"sim-p{number:02d}",
        brand="".join(rng.choice(_SYLLABLES, size=int(rng.integers(2, 4)))).capitalize(),
        kind=kind,
        width_px=max(12, round(row_height_px * rng.uniform(*wide))),
        height_px=max(12, round(row_height_px * rng.uniform(*high))),
        body=body,
        block=block,
        accent=accent,
        seed=int(rng.integers(2**31)),
    )


def draw_front(pack: Pack) -> Rgba:
    """The front of a pack, (height_px, width_px, 4); transparent where the pack is not."""
    rng = np.random.default_rng(pack.seed)
    width, height = pack.width_px * _DRAWN_LARGER, pack.height_px * _DRAWN_LARGER
    if pack.kind == "bottle":
        face = _bottle_face(pack, width, height, rng)
    elif pack.kind == "can":
        face = _can_face(pack, width, height, rng)
    else:
        face = _label(pack, width, height, pack.body, rng)
    shape = _SILHOUETTES[pack.kind](width, height, rng)
    shaded = _shade(face, pack.kind, rng)
    # Blended against itself outside the shape, so that shrinking brings no dark rim in.
    rgba = np.dstack([shaded, shape])
    return cv2.resize(rgba, (pack.width_px, pack.height_px), interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )


def _colour(hue: float, saturation: float, value: float) -> Colour:
    hsv = np.array([[[hue % 1 * 180, saturation * 255, value * 255]]]).astype(np.uint8)
    red, green, blue = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return int(red), int(green), int(blue)


def _ink_on(colour: Colour) -> Colour:
    light = 0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]
    return (25, 25, 30) if light > 130 else (248, 248, 245)


def _label(pack: Pack, width: int, height: int, ground: Colour, rng: np.random.Generator) -> Rgb:
    """A printed front: ground, brand block, picture, stripes, lines of small print."""
    page = Image.new("RGB", (width, height), ground)
    pen = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(1, 4))):
        y = int(rng.uniform(0.05, 0.95) * height)
        thick = int(rng.uniform(0.01, 0.05) * height) + 1
        pen.rectangle((0, y, width, y + thick), fill=pack.accent)
    _draw_picture(pen, pack, width, height, rng)
    _draw_brand(pen, pack, width, height, rng)
    ink = _ink_on(ground)
    for line in range(int(rng.integers(2, 5))):
        size = max(6, int(height * rng.uniform(0.03, 0.055)))
        words = " ".join("".join(rng.choice(_SYLLABLES, size=2)) for _ in range(3))
        at = (width * rng.uniform(0.06, 0.2), height * (0.80 + 0.045 * line))
        pen.text(at, words, fill=ink, font=ImageFont.load_default(size))
    grams = f"{int(rng.choice([50, 100, 125, 250, 400, 500, 750]))} g"
    pen.text((width * 0.62, height * 0.92), grams, fill=ink,
             font=ImageFont.load_default(max(7, int(height * 0.06))))  # fmt: skip
    return np.asarray(page).copy()


def _draw_brand(
    pen: ImageDraw.ImageDraw, pack: Pack, width: int, height: int, rng: np.random.Generator
) -> None:
    top, tall = rng.uniform(0.06, 0.22) * height, rng.uniform(0.16, 0.28) * height
    frame = (0.0, top, float(width), top + tall)
    if rng.random() < 0.4:
        inset = rng.uniform(0.04, 0.1) * width
        pen.ellipse((inset, top, width - inset, top + tall), fill=pack.block)
    elif rng.random() < 0.4:
        slant = tall * rng.uniform(-0.6, 0.6)
        pen.polygon(
            [(0, top), (width, top + slant), (width, top + slant + tall), (0, top + tall)],
            fill=pack.block,
        )
    else:
        pen.rectangle(frame, fill=pack.block)
    size = max(8.0, tall * 0.62)
    font = ImageFont.load_default(size)
    while (long := pen.textlength(pack.brand, font=font)) > width * 0.86 and size > 8:
        size *= 0.86
        font = ImageFont.load_default(size)
    pen.text(((width - long) / 2, top + tall * 0.12), pack.brand, fill=_ink_on(pack.block),
             font=font, stroke_width=1, stroke_fill=_ink_on(pack.block))  # fmt: skip


def _draw_picture(
    pen: ImageDraw.ImageDraw, pack: Pack, width: int, height: int, rng: np.random.Generator
) -> None:
    """Something that looks like a picture of food: overlapping round patches of near colours."""
    centre_x, centre_y = width * rng.uniform(0.35, 0.65), height * rng.uniform(0.56, 0.68)
    reach = min(width * 0.36, height * 0.2)
    tone = np.array([pack.accent, pack.block][int(rng.integers(2))], float)
    pen.ellipse((centre_x - reach, centre_y - reach, centre_x + reach, centre_y + reach),
                fill=_near(tone, 0, rng))  # fmt: skip
    for _ in range(14):
        radius = reach * rng.uniform(0.12, 0.4)
        x, y = centre_x + rng.normal(0, reach * 0.4), centre_y + rng.normal(0, reach * 0.35)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_near(tone, 60, rng))


def _near(tone: npt.NDArray[np.float64], spread: float, rng: np.random.Generator) -> Colour:
    red, green, blue = np.clip(tone + rng.uniform(-spread, spread, 3), 0, 255).astype(int)
    return int(red), int(green), int(blue)


def _bottle_face(pack: Pack, width: int, height: int, rng: np.random.Generator) -> Rgb:
    """Liquid, a label around the belly, a cap."""
    liquid = tuple(int(part * rng.uniform(0.5, 0.9)) for part in pack.body)
    face = np.empty((height, width, 3), np.uint8)
    face[:] = liquid
    top, bottom = int(height * 0.36), int(height * 0.92)
    face[top:bottom] = _label(pack, width, bottom - top, pack.body, rng)
    face[: int(height * 0.10)] = pack.accent
    face[int(height * 0.10) : int(height * 0.115)] = (30, 30, 30)
    return face


def _can_face(pack: Pack, width: int, height: int, rng: np.random.Generator) -> Rgb:
    """A label between two metal rims."""
    face = np.empty((height, width, 3), np.uint8)
    face[:] = (186, 188, 192)
    rim = int(height * 0.05)
    face[rim : height - rim] = _label(pack, width, height - 2 * rim, pack.body, rng)
    face[rim : rim + 4] = (110, 112, 116)
    return face


def _whole(width: int, height: int, rng: np.random.Generator) -> Rgb:  # noqa: ARG001
    return np.full((height, width), 255, np.uint8)


def _bottle_shape(width: int, height: int, rng: np.random.Generator) -> Rgb:
    neck, shoulder = rng.uniform(0.30, 0.5), rng.uniform(0.30, 0.38)
    y = np.linspace(0, 1, height)
    rise = np.clip((y - 0.12) / (shoulder - 0.12), 0, 1)
    half = (neck + (1 - neck) * (3 * rise**2 - 2 * rise**3)) / 2
    half = np.where(y < 0.10, neck / 2 * 1.12, half)
    x = np.abs(np.linspace(-0.5, 0.5, width))
    return np.where(x[None, :] <= half[:, None], 255, 0).astype(np.uint8)


def _can_shape(width: int, height: int, rng: np.random.Generator) -> Rgb:  # noqa: ARG001
    shape = np.zeros((height, width), np.uint8)
    bend = max(2, int(height * 0.035))
    cv2.rectangle(shape, (0, bend), (width, height - bend), 255, -1)
    for y in (bend, height - bend):
        cv2.ellipse(shape, (width // 2, y), (width // 2, bend), 0, 0, 360, 255, -1)
    return shape


def _bag_shape(width: int, height: int, rng: np.random.Generator) -> Rgb:
    """A cushion: sides that bulge, a crimped edge at the head."""
    y = np.linspace(0, 1, height)
    half = 0.5 - rng.uniform(0.01, 0.03) + 0.02 * np.sin(np.pi * y)
    half = half - 0.006 * (np.sin(y * 90) > 0) * (y < 0.08)
    x = np.abs(np.linspace(-0.5, 0.5, width))
    return np.where(x[None, :] <= half[:, None], 255, 0).astype(np.uint8)


_SILHOUETTES: Final = {
    "box": _whole, "bottle": _bottle_shape, "can": _can_shape, "bag": _bag_shape,
}  # fmt: skip


def _shade(face: Rgb, kind: PackKind, rng: np.random.Generator) -> Rgb:
    """Light on the pack: round ones darken to the sides and shine; flat ones have edges."""
    height, width = face.shape[:2]
    x = np.linspace(-1, 1, width)
    light = np.ones((height, width))
    if kind in ("bottle", "can"):
        light *= (0.52 + 0.55 * np.sqrt(np.clip(1 - 0.92 * x**2, 0, 1)))[None, :]
        shine = rng.uniform(-0.5, -0.2)
        light += (0.32 * np.exp(-(((x - shine) / 0.09) ** 2)))[None, :]
    elif kind == "bag":
        light *= (0.82 + 0.24 * np.cos(x * 1.3))[None, :]
        for _ in range(5):
            slope, offset = rng.uniform(-0.6, 0.6), rng.uniform(-1, 1)
            rows = np.linspace(-1, 1, height)[:, None]
            crease = (x[None, :] + slope * rows - offset) / 0.05
            light += rng.uniform(-0.14, 0.16) * np.exp(-(crease**2))
    else:
        light *= (1.0 - 0.05 * x)[None, :]
        edge = max(2, width // 45)
        light[:, :edge] *= 1.18
        light[:, -edge:] *= 0.62
        light[: max(2, height // 60)] *= 1.15
    light *= np.linspace(1.04, 0.90, height)[:, None]
    return np.clip(face * light[..., None], 0, 255).astype(np.uint8)

"""Draw a simulated shelf photo and say the truth of what stands on it. Reads no real photo."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from storepulse.simulated.packs import PACK_KINDS, Pack, Rgb, Rgba, design_pack, draw_front
from storepulse.simulated.stamp import stamp_simulated

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the drawn photo."""

WIDTH_PX: Final = 1600
HEIGHT_PX: Final = 1200
_BOARD_PX: Final = 36
_FLOOR_PX: Final = 46
_SIDE_PX: Final = 34
_MAIN_PUSH_FACINGS: Final = 6
"""So many that three missing ones leave half: less than the 70 % below which goods are red."""


@dataclass(frozen=True, slots=True)
class DrawnFacing:
    """One pack in the front of a row."""

    box_xyxy_px: Box
    row: int
    """0 is the lowest shelf."""
    product: str


@dataclass(frozen=True, slots=True)
class DrawnShelf:
    """A drawn photo and its truth."""

    rgb: Rgb
    facings: tuple[DrawnFacing, ...]
    """Row by row from the lowest, each from left to right."""
    row_lines_px: tuple[Box, ...]
    """The line on which the front packs of each row stand, from the lowest."""
    packs: tuple[Pack, ...]
    main_push: str
    """The product that the chain wants seen: 6 facings of its own in one row."""

    def facings_of(self, product: str) -> tuple[DrawnFacing, ...]:
        """The facings of one product, left to right; empty for a product that is not here."""
        return tuple(facing for facing in self.facings if facing.product == product)


@dataclass(frozen=True, slots=True)
class _Row:
    index: int
    top: int
    floor: int
    """y of the line on which its packs stand."""


def draw_shelf(seed: int, *, boards: int | None = None) -> DrawnShelf:
    """Draw a well-kept bay of 4 to 6 boards with 8 to 20 products, 1600 x 1200 px.

    The same seed gives the same picture. The word "simulated" stands in its lower left corner.

    Raises:
        ValueError: boards outside 4 to 6.
    """
    rng = np.random.default_rng([seed, 0x5E1F])
    count = int(rng.integers(4, 7)) if boards is None else boards
    if not 4 <= count <= 6:
        raise ValueError(f"a bay has 4 to 6 boards, got {count}")
    rows = _rows(count)
    canvas = _draw_bay(rows, rng)
    stock = _plan_stock(rows, rng)
    facings: list[DrawnFacing] = []
    for row, runs in zip(rows, stock, strict=True):
        facings += _fill_row(canvas, row, runs, rng)
        _draw_board(canvas, row, rng)
    main_push = stock[count // 2][1][0].id
    photo = stamp_simulated(_as_a_camera_sees(canvas, rng))
    return DrawnShelf(
        rgb=photo,
        facings=tuple(facings),
        row_lines_px=tuple(
            (float(_SIDE_PX), float(row.floor), float(WIDTH_PX - _SIDE_PX), float(row.floor))
            for row in rows
        ),
        packs=tuple(pack for runs in stock for pack, _ in runs),
        main_push=main_push,
    )


def _rows(count: int) -> list[_Row]:
    """From the lowest board up."""
    usable = HEIGHT_PX - _FLOOR_PX - 18
    pitch = usable / count
    rows = []
    for index in range(count):
        floor = round(HEIGHT_PX - _FLOOR_PX - index * pitch) - _BOARD_PX
        rows.append(_Row(index, round(floor - pitch) + _BOARD_PX, floor))
    return rows


def _plan_stock(rows: list[_Row], rng: np.random.Generator) -> list[list[tuple[Pack, int]]]:
    """Which products stand in each row, left to right, and how many facings of each."""
    hues = np.random.default_rng(int(rng.integers(2**31))).permutation(20) / 20
    stock: list[list[tuple[Pack, int]]] = []
    number = 0
    room = WIDTH_PX - 2 * _SIDE_PX - 12
    for row in rows:
        kind = PACK_KINDS[int(rng.integers(len(PACK_KINDS)))]
        holds_main_push = row.index == len(rows) // 2
        products = int(rng.integers(2, 4)) if len(rows) > 4 else int(rng.integers(3, 5))
        products = 3 if holds_main_push else products
        runs: list[tuple[Pack, int]] = []
        left = float(room)
        for place in range(products):
            if rng.random() < 0.35:
                kind = PACK_KINDS[int(rng.integers(len(PACK_KINDS)))]
            main_push = holds_main_push and place == 1
            if main_push:  # narrow ones: six of them leave room for a neighbour on either side
                kind = "can" if rng.random() < 0.5 else "bottle"
            pack = design_pack(
                number, row_height_px=row.floor - row.top, kind=kind,
                hue=float(hues[number % 20]), rng=rng,
            )  # fmt: skip
            share = left / (products - place)
            fits = max(2, round(share / (pack.width_px + 3)))
            facings = _MAIN_PUSH_FACINGS if main_push else min(9, fits)
            facings = min(facings, int(left // (pack.width_px + 4)))
            if facings < 1:
                break
            number += 1
            runs.append((pack, facings))
            left -= facings * (pack.width_px + 4)
        stock.append(_fill_up(runs, left))
    return stock


def _fill_up(runs: list[tuple[Pack, int]], left: float) -> list[tuple[Pack, int]]:
    """Give the room that is left to the last product: a well-kept row shows no gap."""
    pack, facings = runs[-1]
    return [*runs[:-1], (pack, facings + int(left // (pack.width_px + 4)))]


def _draw_bay(rows: list[_Row], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Back wall, uprights, floor; compartments darken towards the board above them."""
    grey = rng.uniform(120, 185)
    tint = np.array([1.0, rng.uniform(0.97, 1.0), rng.uniform(0.93, 1.02)])
    canvas = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.float32)
    canvas[:] = grey * tint
    for x in range(_SIDE_PX + 12, WIDTH_PX - _SIDE_PX, 42):  # the holes of a perforated back
        for y in range(8, HEIGHT_PX - _FLOOR_PX, 42):
            cv2.circle(canvas, (x, y), 3, tuple(float(grey * 0.6) for _ in range(3)), -1)
    for row in rows:
        tall = row.floor - row.top
        fall = np.linspace(0.22, 0.72, tall, dtype=np.float32)
        canvas[row.top : row.floor] *= fall[:, None, None]
    floor = HEIGHT_PX - _FLOOR_PX
    canvas[floor:] = rng.uniform(95, 150) * tint
    canvas[floor:] += rng.normal(0, 5, (_FLOOR_PX, WIDTH_PX, 1))
    for left in (0, WIDTH_PX - _SIDE_PX):
        profile = 150 + 60 * np.sin(np.linspace(0, np.pi, _SIDE_PX))
        canvas[:floor, left : left + _SIDE_PX] = profile[None, :, None]
        for y in range(10, floor, 24):
            cv2.rectangle(canvas, (left + 14, y), (left + 19, y + 11), (60.0, 60.0, 62.0), -1)
    return canvas


def _draw_board(canvas: npt.NDArray[np.float32], row: _Row, rng: np.random.Generator) -> None:
    """The front of a board: a lip, and a rail with price tags; a shadow falls below it."""
    left, right, y = _SIDE_PX - 6, WIDTH_PX - _SIDE_PX + 6, row.floor
    canvas[y : y + 5, left:right] = 214
    canvas[y + 5 : y + _BOARD_PX - 4, left:right] = np.linspace(
        236, 205, _BOARD_PX - 9, dtype=np.float32
    )[:, None, None]
    canvas[y + _BOARD_PX - 4 : y + _BOARD_PX, left:right] = 92
    x = left + int(rng.integers(20, 90))
    while x < right - 90:
        _draw_tag(canvas, x, y + 6, rng)
        x += int(rng.integers(130, 330))


def _draw_tag(canvas: npt.NDArray[np.float32], x: int, y: int, rng: np.random.Generator) -> None:
    wide, tall = 62, _BOARD_PX - 12
    ground = (250, 226, 60) if rng.random() < 0.2 else (252, 252, 250)
    tag = Image.new("RGB", (wide * 2, tall * 2), ground)
    pen = ImageDraw.Draw(tag)
    price = f"{rng.integers(0, 19)}.{rng.choice(['29', '49', '79', '95', '99'])}"
    pen.text((wide * 0.72, 6), price, fill=(20, 20, 20), font=ImageFont.load_default(tall * 1.2),
             stroke_width=1, stroke_fill=(20, 20, 20))  # fmt: skip
    for line in range(3):
        pen.rectangle((4, 8 + line * 9, 4 + int(rng.integers(18, 40)), 11 + line * 9),
                      fill=(70, 70, 70))  # fmt: skip
    canvas[y : y + tall, x : x + wide] = np.asarray(tag.resize((wide, tall)), np.float32)


def _fill_row(
    canvas: npt.NDArray[np.float32],
    row: _Row,
    runs: list[tuple[Pack, int]],
    rng: np.random.Generator,
) -> list[DrawnFacing]:
    """Stand the packs of a row in place: one behind, then the front one, then its shadow."""
    room = WIDTH_PX - 2 * _SIDE_PX - 12
    joints = sum(count for _, count in runs)
    used = sum(pack.width_px * count for pack, count in runs)
    joint = min(9.0, (room - used) / joints)
    x = _SIDE_PX + 6.0 + (room - used - joint * joints) / 2
    facings = []
    behind_up = 5 + 4 * (row.index == 0)
    for pack, count in runs:
        front = draw_front(pack)
        for _ in range(count):
            left = x + rng.uniform(-0.35, 0.35) * joint
            stands = row.floor - rng.uniform(0, 2.5)
            small = _smaller(front, 0.95)
            _paste(canvas, small, left + pack.width_px * 0.025 + rng.uniform(-3, 3),
                   stands - behind_up - small.shape[0], light=0.42)  # fmt: skip
            _cast_shadow(canvas, left, stands, pack)
            top = stands - pack.height_px
            _paste(canvas, front, left, top, light=rng.uniform(0.93, 1.05))
            facings.append(
                DrawnFacing((left, top, left + pack.width_px, stands), row.index, pack.id)
            )
            x += pack.width_px + joint
    return facings


def _smaller(front: Rgba, scale: float) -> Rgba:
    size = (round(front.shape[1] * scale), round(front.shape[0] * scale))
    shrunk: Rgba = cv2.resize(front, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return shrunk


def _cast_shadow(canvas: npt.NDArray[np.float32], left: float, stands: float, pack: Pack) -> None:
    """Dark on what is behind and beside a pack: the joints between packs are deep."""
    x1, x2 = max(0, int(left) - 5), min(WIDTH_PX, int(left + pack.width_px) + 6)
    y1, y2 = max(0, int(stands - pack.height_px) - 7), int(stands) + 1
    canvas[y1:y2, x1:x2] *= 0.62


def _paste(
    canvas: npt.NDArray[np.float32], front: Rgba, left: float, top: float, *, light: float
) -> None:
    """Blend a pack in at a place between pixels."""
    x, y = int(np.floor(left)), int(np.floor(top))
    move = np.array([[1, 0, left - x], [0, 1, top - y]], np.float32)
    high, wide = front.shape[0] + 1, front.shape[1] + 1
    moved = cv2.warpAffine(front, move, (wide, high), flags=cv2.INTER_LINEAR).astype(np.float32)
    colour = cv2.warpAffine(
        front[..., :3], move, (wide, high), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    cut = max(0, -y)  # the head of a pack may lie above the photo's edge
    place = canvas[y + cut : y + high, x : x + wide]
    alpha = moved[cut : cut + place.shape[0], : place.shape[1], 3:] / 255
    place *= 1 - alpha
    place += alpha * colour[cut : cut + place.shape[0], : place.shape[1]] * light


def _as_a_camera_sees(canvas: npt.NDArray[np.float32], rng: np.random.Generator) -> Rgb:
    """Uneven light, a lens that is not quite sharp, sensor noise."""
    y, x = np.mgrid[-1 : 1 : HEIGHT_PX * 1j, -1 : 1 : WIDTH_PX * 1j].astype(np.float32)
    lean_x, lean_y = rng.uniform(-0.06, 0.06, 2)
    light = (1 + lean_x * x + lean_y * y) * (1 - 0.07 * (x**2 + y**2))
    photo = cv2.GaussianBlur(canvas * light[..., None], (0, 0), 0.6)
    photo += rng.normal(0, 2.2, photo.shape).astype(np.float32)
    seen: Rgb = np.clip(photo, 0, 255).astype(np.uint8)
    return seen

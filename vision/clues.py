"""Cheap figures of a photo from which its verdict is told, some 20 ms of work. Judges nothing.

Light, sharpness over scales and directions, spectrum, the slope of long lines, white places, where
it is busy, and how often it repeats. Nothing here knows what a product is: the network has not run
yet, and a chain's own network changes none of it.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.photos import Pixels
from vision.together import together

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]

LONG_PX: Final = 960
"""Long side on which a photo is judged. Blur that hurts is wider than a pixel here (the network
sees 1280 px and bears 9), and fewer pixels take less time."""
_SCALES: Final = 4
"""960, 480, 240 and 120 px."""
_NEARLY: Final = 0.87
"""Shrunk by less than this, neighbours need not be averaged, which takes ten times as long."""
_SHORT_PX_MIN: Final = 64
_WINDOW_PX: Final = 512
_RINGS: Final = (0.004, 0.01, 0.02, 0.04, 0.08, 0.13, 0.2, 0.3, 0.42, 0.5)
"""Edges of the rings of the spectrum, in periods a pixel."""
_TILES: Final = (16, 16)
_LEAN_DEG_MAX: Final = 50.0
_LINE_SHARE_MIN: Final = 0.04
"""Lines shorter than this share of the long side are print on packs."""
_STRONG: Final = (90.0, 75.0, 50.0, 25.0, 10.0)


@dataclass(frozen=True, slots=True)
class Clues:
    """Named figures of one photo."""

    values: Floats
    """(k,), in the order of `CLUE_NAMES`."""

    def __getitem__(self, name: str) -> float:
        return float(self.values[CLUE_NAMES.index(name)])


def clues_of(rgb: Pixels, *, beside: Executor | None = None) -> Clues:
    """The figures of a picture of any size.

    Args:
        beside: a second thread to work on them; the figures are the same without.
    """
    seen = _shrunk(rgb, LONG_PX)
    if min(seen.shape[:2]) < _SHORT_PX_MIN:  # a sliver has no scales; any answer will do
        size = max(_SHORT_PX_MIN, seen.shape[1]), max(_SHORT_PX_MIN, seen.shape[0])
        seen = np.asarray(cv2.resize(seen, size), np.uint8)
    grey = np.asarray(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY), np.uint8)
    scales = [grey]
    for _ in range(_SCALES - 1):
        scales.append(_shrunk(scales[-1], max(2, max(scales[-1].shape) // 2)))
    small = _shrunk(seen, 160)
    lines, spectrum, sharpness, white, light, repeats, busy = together(
        [
            lambda: _figures(_lines(scales[1])),
            lambda: _figures(_spectrum(grey, seen)),
            lambda: _figures(_sharpness(scales)),
            lambda: _figures(_white(small, scales[1])),
            lambda: _figures(_light(small, scales[3])),
            lambda: _figures(_repeats(scales[1])),
            lambda: _figures(_busy(scales[1])),
        ],
        beside=beside,
    )
    values = [*light, *sharpness, *spectrum, *lines, *white, *busy, *repeats]
    return Clues(np.nan_to_num(np.array(values, np.float64), posinf=1e6, neginf=-1e6))


def _shrunk(picture: NDArray[np.uint8], long_px: int) -> NDArray[np.uint8]:
    while max(picture.shape[:2]) >= 2 * long_px:  # by halves: what a resize does five times as fast
        half = max(2, picture.shape[1] // 2), max(2, picture.shape[0] // 2)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    shrink = long_px / max(picture.shape[:2])
    if shrink >= 1:
        return picture
    size = max(2, round(picture.shape[1] * shrink)), max(2, round(picture.shape[0] * shrink))
    if shrink > _NEARLY:
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


Named = Iterator[tuple[str, float]]


def _figures(told: Named) -> list[float]:
    return [value for _, value in told]


def _light(small: Pixels, grey: Grey) -> Named:
    levels = _quantiles(grey, (1, 5, 25, 50, 75, 90, 99))
    for share, level in zip((1, 5, 25, 50, 75, 90, 99), levels, strict=True):
        yield f"light_{share}", float(level)
    yield "contrast", float(levels[5] - levels[1])
    most, least = small.max(axis=2).astype(int), small.min(axis=2).astype(int)
    vivid = (most - least) / np.maximum(most, 1)
    yield "vivid_mean", float(vivid.mean())
    yield "vivid_90", float(np.percentile(vivid, 90))
    colours = (small >> 5).astype(np.int64) @ np.array([64, 8, 1])
    counts = np.bincount(colours.ravel(), minlength=512) / colours.size
    yield "colours", float(-(counts[counts > 0] * np.log(counts[counts > 0])).sum())
    for colour, name in enumerate(("red", "green", "blue")):
        yield f"{name}_share", float(small[..., colour].mean() / max(small.mean(), 1))


def _quantiles(grey: Grey, shares: Sequence[float]) -> Floats:
    """Percentiles of 8-bit values, by counting them."""
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel()
    below = np.cumsum(counts, dtype=np.float64) / max(grey.size, 1)
    return np.searchsorted(below, np.asarray(shares) / 100).astype(np.float64)


def _tiled(picture: Grey) -> Floats:
    """The means of the tiles, which may end within a pixel."""
    if min(picture.shape) < max(_TILES):
        tiles = cv2.resize(np.asarray(picture, np.float32), _TILES, interpolation=cv2.INTER_AREA)
        return np.asarray(tiles, np.float64)
    # From running sums, read between their pixels: OpenCV's averaging takes four times as long.
    sums = cv2.integral(picture)
    for axis, count in ((0, _TILES[1]), (1, _TILES[0])):
        edges = np.linspace(0, picture.shape[axis], count + 1)
        before = np.minimum(edges.astype(np.int64), picture.shape[axis] - 1)
        part = (edges - before).reshape((-1, 1) if axis == 0 else (1, -1))
        sums = np.diff(
            sums.take(before, axis) * (1 - part) + sums.take(before + 1, axis) * part, axis=axis
        )
    return np.asarray(sums * (_TILES[0] * _TILES[1] / picture.size), np.float64)


def _sharpness(scales: list[Grey]) -> Named:
    dark, light = _quantiles(scales[3], (5, 95))
    usual = max(float(light - dark), 8.0)
    before: float | None = None
    for number, grey in enumerate(scales[:3]):
        if min(grey.shape) < 4:
            grey = np.asarray(cv2.resize(grey, (4, 4)), np.uint8)
        some, next_ = grey[:-1:2], grey[1::2]  # every other row tells as much
        across = cv2.absdiff(some[:, 1:], some[:, :-1])
        down = cv2.absdiff(next_[:, :-1], some[:, :-1])
        rising = cv2.absdiff(next_[:, :-1], some[:, 1:])
        falling = cv2.absdiff(next_[:, 1:], some[:, :-1])
        ways = [_tiled(np.asarray(steps, np.uint8)) for steps in (across, down, rising, falling)]
        tiles = np.sort(((ways[0] + ways[1]) / 2).ravel())[::-1]
        top = tiles[: len(tiles) // 4].mean()
        yield f"steps_top_{number}", float(top / usual)
        yield f"steps_median_{number}", float(np.median(tiles) / usual)
        busiest = ways[0] + ways[1] >= np.quantile(ways[0] + ways[1], 0.6)
        by_way = np.array([way[busiest].mean() for way in ways])
        by_way[2:] /= np.sqrt(2)
        yield f"one_way_{number}", float(by_way.min() / max(by_way.max(), 1e-6))
        yield f"across_down_{number}", float(by_way[0] / max(by_way[1], 1e-6))
        if before is not None:
            yield f"steps_fall_{number}", float(before / max(top, 1e-6))
        before = float(top)
        soft = np.asarray(cv2.blur(grey, (3, 3)), np.uint8)
        curved = np.asarray(cv2.absdiff(grey, soft)[::2], np.uint8)
        yield f"curved_99_{number}", float(_quantiles(curved, (99,))[0] / usual)
        yield f"curved_mean_{number}", float(curved.mean() / usual)


def _windows(grey: Grey) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of windows for the spectrum: two, from corner to corner."""
    side = min(_WINDOW_PX, *grey.shape)
    tall, wide = grey.shape
    yield (wide - side) // 4, (tall - side) // 4, side
    yield (wide - side) * 3 // 4, (tall - side) * 3 // 4, side


def _power(packed: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, n // 2) power of the left half of a spectrum (the right one is its mirror), from how
    OpenCV packs one of n by n: real and imaginary parts side by side, in the first column one under
    the other."""
    squares = packed**2
    power = np.empty((len(packed), len(packed) // 2), np.float32)
    np.add(squares[:, 1:-1:2], squares[:, 2::2], out=power[:, 1:])
    half = len(packed) // 2
    power[0, 0], power[half, 0] = squares[0, 0], squares[-1, 0]
    power[1:half, 0] = squares[1:-1:2, 0] + squares[2::2, 0]
    power[half + 1 :, 0] = power[1:half, 0][::-1]
    return power


def _spectrum(grey: Grey, seen: Pixels) -> Named:
    powers = []
    for left, top, side in _windows(grey):
        part = grey[top : top + side, left : left + side].astype(np.float32)
        if side < _WINDOW_PX:
            part = np.asarray(cv2.resize(part, (_WINDOW_PX, _WINDOW_PX)), np.float32)
        part = (part - part.mean()) * _HANN
        powers.append(cv2.log(_power(np.asarray(cv2.dft(part), np.float32)) + 1))
    mean = (powers[0] + powers[1]) / 2
    sums = np.bincount(_CELL, mean.ravel(), minlength=_CELLS.size)[: _CELLS.size]
    rings = (sums / _CELLS).reshape(-1, 4)
    whole = float(np.mean([ring.mean() for ring in rings]))
    for number, ring in enumerate(rings):
        yield f"ring_{number}", float(ring.mean() - whole)
        yield f"ring_uneven_{number}", float(ring.max() - ring.min())
    # A screen's grid stands out of the spectrum as points; a shelf's does not.
    above = [power - cv2.blur(power, (15, 15)) for power in powers]
    for name, band in _BANDS.items():
        tops = [np.partition(one.ravel()[band], -12)[-12:] for one in above]
        yield f"peaks_{name}", float(np.mean([one.mean() for one in tops]))
        yield f"peaks_{name}_best", float(max(one[0] for one in tops))
    # And it is coloured: red against blue changes more from pixel to pixel than the light does.
    some = seen[::8].astype(np.int16) if seen.shape[1] > 1 else np.zeros((1, 2, 3), np.int16)
    hue_steps = np.abs(np.diff(some[..., 0] - some[..., 2], axis=1)).mean()
    yield "hue_steps", float(hue_steps / max(np.abs(np.diff(some[..., 1], axis=1)).mean(), 0.1))


def _lines(grey: Grey) -> Named:
    """How long lines lean, and how the leaning changes over the photo: that is perspective."""
    long_px = max(grey.shape)
    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_NONE, 0.8).detect(grey)[0]
    ends = np.zeros((0, 4)) if found is None else np.asarray(found, np.float64).reshape(-1, 4)
    run = ends[:, 2:] - ends[:, :2]
    length = np.hypot(run[:, 0], run[:, 1])
    kept = length >= _LINE_SHARE_MIN * long_px
    run, length = run[kept], length[kept]
    middle = (ends[kept, :2] + ends[kept, 2:]) / 2 / long_px - 0.5
    lean = np.rad2deg(np.arctan2(run[:, 1], run[:, 0]))
    lean = (lean + 90) % 180 - 90  # of a level line 0, clockwise positive
    for name, angle, along in (
        ("level", lean, middle[:, 1]),
        ("upright", (lean + 180) % 180 - 90, middle[:, 0]),
    ):
        near = np.abs(angle) <= _LEAN_DEG_MAX
        weights = length[near] / long_px
        yield f"{name}_length", float(weights.sum())
        yield f"{name}_longest", float(weights.max()) if near.any() else 0.0
        base, change, left = _trend(along[near], angle[near], weights)
        yield f"{name}_lean", base
        yield f"{name}_lean_size", abs(base)
        yield f"{name}_taper", abs(change)
        yield f"{name}_spread", left
        order = np.argsort(angle[near])
        if near.any():
            part = np.cumsum(weights[order]) / weights.sum()
            at = [float(angle[near][order][min(np.searchsorted(part, q), near.sum() - 1)])
                  for q in (0.1, 0.5, 0.9)]  # fmt: skip
        else:
            at = [0.0, 0.0, 0.0]
        yield f"{name}_middle", abs(at[1])
        yield f"{name}_range", at[2] - at[0]


def _trend(at: Floats, angle: Floats, weights: Floats) -> tuple[float, float, float]:
    """A line through leanings that strays leave alone: its middle, its slope, what is left over."""
    if len(at) < 4:
        return 0.0, 0.0, 90.0
    trust = weights.copy()
    base = change = 0.0
    left = np.abs(angle)
    for _ in range(8):
        total = trust.sum()
        middle, mean = (trust * at).sum() / total, (trust * angle).sum() / total
        apart = at - middle
        change = float((trust * apart * (angle - mean)).sum() / ((trust * apart**2).sum() + 1e-3))
        base = float(mean - change * middle)
        left = np.abs(angle - base - change * at)
        trust = weights / (1 + (left / 4) ** 2)
    return base, change, float((weights * left).sum() / weights.sum())


def _white(small: Pixels, grey: Grey) -> Named:
    clipped = (small.min(axis=2) >= 248).astype(np.uint8)
    yield "white", float(clipped.mean())
    yield "white_largest", _largest(clipped)
    yield "near_white", float((small.min(axis=2) >= 235).mean())
    step = cv2.absdiff(grey, np.asarray(cv2.blur(grey, (5, 5)), np.uint8))
    size = max(2, small.shape[1] // 4), max(2, small.shape[0] // 4)
    rough = cv2.resize(step, size, interpolation=cv2.INTER_AREA)
    light = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    for floor in (180, 215, 240):
        washed = ((light >= floor) & (rough <= 2)).astype(np.uint8)
        yield f"washed_{floor}", float(washed.mean())
        yield f"washed_largest_{floor}", _largest(washed)
    dull = (rough <= 2).astype(np.uint8)
    yield "plain", float(dull.mean())
    yield "plain_largest", _largest(dull)


def _largest(mask: NDArray[np.uint8]) -> float:
    """The share of the picture that its largest connected place takes."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return float(areas.max() / mask.size) if len(areas) else 0.0


def _busy(grey: Grey) -> Named:
    steps = cv2.absdiff(grey[:-1, 1:], grey[:-1, :-1]) // 2 + cv2.absdiff(
        grey[1:, :-1], grey[:-1, :-1]
    ) // np.uint8(2)
    tiles = _tiled(np.asarray(steps, np.uint8))
    usual = max(float(np.quantile(tiles, 0.75)), 0.3)
    for share in _STRONG:
        yield f"tiles_{share:g}", float(np.percentile(tiles, share) / usual)
    quiet = tiles < 0.35 * usual
    yield "quiet", float(quiet.mean())
    margins = []
    for lines in (quiet.T, quiet.T[::-1], quiet, quiet[::-1]):  # left, right, top, bottom
        empty = lines.mean(axis=1) > 0.6
        margins.append(float(np.argmin(empty)) / len(empty) if not empty.all() else 1.0)
    best = int(np.argmax(margins))
    yield "margin", margins[best]
    yield "margin_opposite", margins[best ^ 1]
    yield "margin_second", float(np.sort(margins)[-2])
    # A seam: the busiest step from one column or row of tiles to the next.
    for axis, name in ((1, "columns"), (0, "rows")):
        means = tiles.mean(axis=1 - axis) / usual
        yield f"seam_{name}", float(np.abs(means[2:] - means[:-2]).max())
        yield f"lowest_{name}", float(means.min())
        halves = means[:8].mean(), means[8:].mean()
        yield f"lopsided_{name}", float(abs(halves[0] - halves[1]))


def _repeats(grey: Grey) -> Named:
    """How far apart boards and packs stand, as a share of the long side, and how clearly."""
    light = grey.astype(np.float32)
    for name, steps in (
        ("down", np.abs(np.diff(light, axis=0))),
        ("across", np.abs(np.diff(light, axis=1)).T),
    ):
        lags, tops, crossings = [], [], []
        for part in np.array_split(steps, 4, axis=1):
            profile = part.mean(axis=1) if part.shape[1] else np.zeros(8)
            profile = profile - cv2.blur(profile[:, None], (1, 81))[:, 0]
            power = np.abs(np.fft.rfft(profile, 2 * len(profile))) ** 2
            alike = np.fft.irfft(power)[: len(profile) // 2]
            alike = alike / max(float(alike[0]), 1e-6)
            first = int(np.argmax(alike < 0)) if (alike < 0).any() else 0
            later = alike[first : first + max(8, len(alike))]
            if first and len(later):
                lags.append((first + int(np.argmax(later))) / max(grey.shape))
                tops.append(float(later.max()))
                crossings.append(first / max(grey.shape))
        yield f"repeat_{name}", float(np.median(lags)) if lags else 0.0
        yield f"repeat_{name}_clear", float(np.median(tops)) if tops else 0.0
        yield f"grain_{name}", float(np.median(crossings)) if crossings else 0.0


_HANN: Final = np.outer(np.hanning(_WINDOW_PX), np.hanning(_WINDOW_PX)).astype(np.float32)
_FREQUENCY: Final = np.fft.fftfreq(_WINDOW_PX)
_ACROSS: Final = _FREQUENCY[None, : _WINDOW_PX // 2]
_RADIUS: Final = np.hypot(_FREQUENCY[:, None], _ACROSS)
_ANGLE: Final = np.arctan2(_FREQUENCY[:, None], _ACROSS) % np.pi
_SECTOR: Final = (np.floor((_ANGLE + np.pi / 8) / (np.pi / 4)).astype(int)) % 4
_RING_OF: Final = np.searchsorted(_RINGS, _RADIUS, side="right") - 1
_BANDS: Final = {
    name: np.flatnonzero((low <= _RADIUS) & (high > _RADIUS))
    for name, low, high in (("middle", 0.06, 0.2), ("fine", 0.2, 0.5))
}
# Beside all rings: a cell of its own at the end.
_CELL: Final = np.where(
    np.isin(_RING_OF, range(len(_RINGS) - 1)), _RING_OF * 4 + _SECTOR, 4 * (len(_RINGS) - 1)
).ravel()
_CELLS: Final = np.bincount(_CELL, minlength=4 * len(_RINGS))[: 4 * (len(_RINGS) - 1)].clip(1)


def _names() -> tuple[str, ...]:
    """Asked of the functions themselves, on a picture of nothing: one list less to keep in step."""
    grey, seen = np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3), np.uint8)
    told = (
        *_light(seen, grey), *_sharpness([grey] * _SCALES), *_spectrum(grey, seen), *_lines(grey),
        *_white(seen, grey), *_busy(grey), *_repeats(grey),
    )  # fmt: skip
    return tuple(name for name, _ in told)


CLUE_NAMES: Final = _names()

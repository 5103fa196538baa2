"""Draw the icons of the installed pages into dashboards/public/assets: the four signs.

`python dashboards/scripts/icons.py`; the files are kept, so a build needs no Python. A new drawing
takes a new number in its name: browsers keep what lies below /assets/ for a year.
"""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

FOLDER: Final = Path(__file__).parents[1] / "public" / "assets"
SIZES_PX: Final = (180, 192, 512)
_SMOOTH: Final = 4
"""Drawn so many times larger, then made small: edges without steps."""
_PAPER, _GREEN, _YELLOW, _ORANGE, _RED = "#ffffff", "#16834f", "#b88700", "#c85a10", "#c0232c"


def icon(size_px: int) -> Image.Image:
    """A square icon; the drawing lies in its inner 64 %, so that a round mask cuts nothing."""
    full = size_px * _SMOOTH
    image = Image.new("RGB", (full, full), _PAPER)
    pen = ImageDraw.Draw(image)
    unit = full / 100
    half = 13 * unit
    for at, (x, y) in enumerate(((35, 35), (65, 35), (35, 65), (65, 65))):
        left, top, right, low = x * unit - half, y * unit - half, x * unit + half, y * unit + half
        if at == 0:
            pen.ellipse((left, top, right, low), fill=_GREEN)
        elif at == 1:
            pen.polygon(((x * unit, top), (right, low), (left, low)), fill=_YELLOW)
        elif at == 2:
            pen.polygon(
                ((x * unit, top), (right, y * unit), (x * unit, low), (left, y * unit)),
                fill=_ORANGE,
            )
        else:
            pen.rectangle((left, top, right, low), fill=_RED)
    return image.resize((size_px, size_px), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for size in SIZES_PX:
        icon(size).save(FOLDER / f"icon-1-{size}.png", optimize=True)

"""Render a planogram's page as SVG or PNG. Pure: values in, bytes out; the layout is elsewhere."""

import io
from functools import lru_cache
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageDraw, ImageFont

from planograms.model import Planogram
from planograms.pictures import unpacked
from planograms.plan_scene import Element, Rect, Scene, Shape, Shown, Text, lay_out

_FAMILY: Final = "Helvetica, Arial, 'Noto Sans', 'Noto Sans CJK SC', sans-serif"
_FONTS: Final = (
    "NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc",
    "DejaVuSans.ttf",
)  # fmt: skip
"""Tried in this order for what Pillow's own font cannot write."""
PNG_SCALE: Final = 2.0
_PNG_SIDE_MAX: Final = 12_000


def as_svg(planogram: Planogram) -> str:
    """A page as SVG; pictures are inside it."""
    scene = lay_out(planogram, text_width)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {scene.width:g} {scene.height:g}" '
        f'width="{scene.width:g}" height="{scene.height:g}" font-family={quoteattr(_FAMILY)}>'
    )
    body = "\n".join(_svg_of(element) for element in scene.elements)
    return f"{head}\n<title>{escape(_plain(scene.title))}</title>\n{body}\n</svg>\n"


def _plain(text: str) -> str:
    """Without signs that XML forbids."""
    return "".join(sign for sign in text if sign >= " " and sign not in "\ufffe\uffff")


def _svg_of(element: Element) -> str:
    if isinstance(element, Rect):
        outline = (
            f' stroke="{element.stroke}" stroke-width="{element.thick:g}"' if element.stroke else ""
        )
        return (
            f'<rect x="{element.x:.1f}" y="{element.y:.1f}" width="{element.width:.1f}" '
            f'height="{element.height:.1f}" fill="{element.fill or "none"}"{outline}/>'
        )
    if isinstance(element, Shape):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in element.points)
        return f'<polygon points="{points}" fill="{element.fill}"/>'
    if isinstance(element, Shown):
        return (
            f'<image x="{element.x:.1f}" y="{element.y:.1f}" width="{element.width:.1f}" '
            f'height="{element.height:.1f}" preserveAspectRatio="none" '
            f'href="data:{element.picture.media_type};base64,{element.picture.base64}"/>'
        )
    weight = ' font-weight="bold"' if element.bold else ""
    # The middle of a line of capitals and digits lies about a third of its size above its foot.
    return (
        f'<text x="{element.x:.1f}" y="{element.y + element.size * 0.35:.1f}" '
        f'font-size="{element.size:g}" fill="{element.fill}" '
        f'text-anchor="{element.anchor}"{weight}>{escape(_plain(element.text))}</text>'
    )


def as_png(planogram: Planogram) -> bytes:
    """A page as PNG, two pixels a unit (2,400 wide).

    Raises:
        BadPlanogram: a picture in the planogram is damaged.
    """
    scene = lay_out(planogram, text_width)
    scale = min(PNG_SCALE, _PNG_SIDE_MAX / scene.height)
    out = io.BytesIO()
    _drawn(scene, scale, planogram.id).save(out, format="PNG")
    return out.getvalue()


def _drawn(scene: Scene, scale: float, name: str) -> Image.Image:
    image = Image.new("RGB", (round(scene.width * scale), round(scene.height * scale)), "#ffffff")
    canvas = ImageDraw.Draw(image)
    for element in scene.elements:
        if isinstance(element, Rect):
            box = (
                element.x * scale, element.y * scale,
                max(element.x, element.x + element.width) * scale,
                max(element.y, element.y + element.height) * scale,
            )  # fmt: skip
            canvas.rectangle(
                box, fill=element.fill or None, outline=element.stroke or None,
                width=max(1, round(element.thick * scale)),
            )  # fmt: skip
        elif isinstance(element, Shape):
            canvas.polygon([(x * scale, y * scale) for x, y in element.points], fill=element.fill)
        elif isinstance(element, Shown):
            size = max(1, round(element.width * scale)), max(1, round(element.height * scale))
            shown = Image.fromarray(unpacked(element.picture, f"planogram {name}: a picture"))
            image.paste(
                shown.resize(size, Image.Resampling.LANCZOS),
                (round(element.x * scale), round(element.y * scale)),
            )
        else:
            _write(canvas, element, scale)
    return image


def _write(canvas: ImageDraw.ImageDraw, element: Text, scale: float) -> None:
    canvas.text(
        (element.x * scale, element.y * scale), _plain(element.text), fill=element.fill,
        font=_font(round(element.size * scale * 4), element.text.isascii()),
        anchor={"start": "lm", "middle": "mm", "end": "rm"}[element.anchor],
        stroke_width=1 if element.bold and element.size * scale > 30 else 0,
        stroke_fill=element.fill,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _font(quarters: int, latin: bool) -> ImageFont.FreeTypeFont:
    """A font; sizes in quarters of a pixel, so that as many as are used are kept."""
    if not latin:
        for name in _FONTS:
            try:
                return ImageFont.truetype(name, quarters / 4)
            except OSError:
                continue
    font = ImageFont.load_default(quarters / 4)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@lru_cache(maxsize=20_000)
def text_width(text: str, size: float) -> float:
    """Width of a text in page units, with a little room for fonts that run wider."""
    return float(_font(round(size * 4), text.isascii()).getlength(_plain(text))) * 1.03

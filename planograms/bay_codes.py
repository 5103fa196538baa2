"""Codes for the shelf edge: what each says, and the sheet on which they are printed.

A QR code with the shop and the bay, so that a photo says by itself what it shows. Reading needs
zxing-cpp, drawing needs segno; both come with the node (docs/adr/0043).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import quote, unquote

from planograms.pictures import Pixels
from storepulse.errors import BadInput

_PREFIX: Final = "sp:"
"""Short: each letter less makes the modules of a small code larger."""
_KEPT_LETTERS: Final = " !#$&'()*+,/;=?@[]"
_SHEET_MM: Final = (210, 297)
"""A4."""
_LABEL_MM: Final = (62, 38)
_MARGIN_MM: Final = 12
_ACROSS: Final = (_SHEET_MM[0] - 2 * _MARGIN_MM) // _LABEL_MM[0]
_DOWN: Final = (_SHEET_MM[1] - 2 * _MARGIN_MM) // _LABEL_MM[1]
A_SHEET: Final = _ACROSS * _DOWN
_CODE_MM: Final = 32
_NAME_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class SeenCode:
    """A bay's code on a photo, and how far from the photo's middle it stands, 0 to 1."""

    bay: str
    aside: float


def code_of(shop: str, bay: str) -> str:
    """What the code of a bay says. Raises `BadInput` where a name cannot be one."""
    for what, name in (("shop", shop), ("bay", bay)):
        if not 0 < len(name.strip()) <= _NAME_MAX:
            raise BadInput(f"a {what} has 1 to {_NAME_MAX} characters, got {name[:40]!r}")
    return f"{_PREFIX}{_spelt(shop)}:{_spelt(bay)}"


def _spelt(name: str) -> str:
    """The name without colons; other scripts as they are, which is shorter."""
    return "".join(
        letter if ord(letter) > 127 else quote(letter, safe=_KEPT_LETTERS) for letter in name
    )


def bay_of(text: str, *, shop: str) -> str | None:
    """The bay of which a code speaks; None for any other code, and for that of another shop."""
    if not text.startswith(_PREFIX):
        return None
    of_shop, colon, bay = text.removeprefix(_PREFIX).partition(":")
    if not colon or unquote(of_shop) != shop or not bay:
        return None
    return unquote(bay)


def read_codes(rgb: Pixels, *, shop: str) -> tuple[SeenCode, ...]:
    """The codes of a shop's bays on a photo, the one nearest to its middle first."""
    import zxingcpp

    found: dict[str, float] = {}
    for code in zxingcpp.read_barcodes(
        rgb, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    ):
        bay = bay_of(code.text, shop=shop)
        if bay is None:
            continue
        corners = code.position
        middle = (corners.top_left.x + corners.bottom_right.x) / 2 / rgb.shape[1]
        aside = abs(2 * middle - 1)
        found[bay] = min(found.get(bay, 1.0), aside)
    return tuple(SeenCode(bay, found[bay]) for bay in sorted(found, key=lambda bay: found[bay]))


def label_sheets(shop: str, bays: Sequence[str], *, name: str = "") -> tuple[str, ...]:
    """SVG sheets (A4) with the code of each bay, to be cut and put on the shelf's edge.

    Args:
        shop: as the node is called by the hub.
        bays: in the order in which they are printed; at least one.
        name: of the shop, for people; by default its id.
    Raises:
        BadInput: there is no bay, or a name cannot be one.
    """
    if not bays:
        raise BadInput("there is no bay to print a code for")
    sheets = [bays[at : at + A_SHEET] for at in range(0, len(bays), A_SHEET)]
    return tuple(_sheet(shop, some, name or shop) for some in sheets)


def label_page(shop: str, bays: Sequence[str], *, name: str = "") -> str:
    """The same as one HTML page, a sheet a printed page."""
    sheets = "\n".join(label_sheets(shop, bays, name=name))
    style = "@page{size:A4;margin:0}body{margin:0}svg{display:block;break-after:page}"
    title = escape(name or shop)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{style}</style></head><body>\n{sheets}\n</body></html>\n"
    )


def _sheet(shop: str, bays: Sequence[str], name: str) -> str:
    labels = "".join(
        _label(shop, bay, name, at % _ACROSS, at // _ACROSS) for at, bay in enumerate(bays)
    )
    wide, high = _SHEET_MM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}mm" height="{high}mm" '
        f'viewBox="0 0 {wide} {high}"><rect width="{wide}" height="{high}" fill="#fff"/>'
        f"{labels}</svg>"
    )


def _label(shop: str, bay: str, name: str, column: int, row: int) -> str:
    import segno

    x, y = _MARGIN_MM + column * _LABEL_MM[0], _MARGIN_MM + row * _LABEL_MM[1]
    matrix = segno.make(code_of(shop, bay), error="m", micro=False).matrix
    cell = _CODE_MM / (len(matrix) + 8)
    # One path for all modules; four modules of white around, as the standard asks.
    path = "".join(
        f"M{4 + at} {4 + line}h1v1h-1z"
        for line, cells in enumerate(matrix)
        for at, dark in enumerate(cells)
        if dark
    )
    words = [
        f'<text x="{x + _CODE_MM + 3}" y="{y + 15}" font-family="sans-serif" font-size="6" '
        f'font-weight="700">{escape(bay)}</text>',
        f'<text x="{x + _CODE_MM + 3}" y="{y + 22}" font-family="sans-serif" font-size="3.2" '
        f'fill="#444">{escape(name)}</text>',
    ]
    return (
        f'<rect x="{x}" y="{y}" width="{_LABEL_MM[0]}" height="{_LABEL_MM[1]}" fill="none" '
        f'stroke="#bbb" stroke-width="0.2"/><path transform="translate({x + 2} {y + 3}) '
        f'scale({cell:.4f})" d="{path}"/>{"".join(words)}'
    )

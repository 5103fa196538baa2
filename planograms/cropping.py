"""Give products pictures cut from the planogram's own reference photo. Pure; looks at no photo."""

from dataclasses import replace
from typing import Final

from planograms.model import Picture, Planogram, Position, Product
from planograms.pictures import CROP_LONG_PX_MAX, Pixels, crop, packed, shrunk, unpacked

PICTURES_CUT: Final = 3
"""As many as a planogram made from a photo gives each product."""


def with_pictures(planogram: Planogram) -> Planogram:
    """The planogram with pictures for each product that has none but has places on the photo.

    Places that were blurred show nobody's product and are passed over. Without a reference photo
    there is nothing to cut from.

    Raises:
        BadPlanogram: the reference photo is damaged.
    """
    reference = planogram.reference
    bare = {product.id for product in planogram.products if not product.pictures}
    if reference is None or not bare:
        return planogram
    rgb = unpacked(reference.picture, f"planogram {planogram.id}: reference")
    products = tuple(
        replace(product, pictures=_cut(planogram, product, rgb)) if product.id in bare else product
        for product in planogram.products
    )
    return replace(planogram, products=products)


def check_pictures(planogram: Planogram) -> None:
    """Check that each picture can be read: a node must not be sent what it cannot judge by.

    Raises:
        BadPlanogram: says which cannot.
    """
    if planogram.reference is not None:
        unpacked(planogram.reference.picture, f"planogram {planogram.id}: reference")
    for product in planogram.products:
        for n, picture in enumerate(product.pictures):
            unpacked(picture, f"planogram {planogram.id}: product {product.id}: picture {n + 1}")


def _cut(planogram: Planogram, product: Product, rgb: Pixels) -> tuple[Picture, ...]:
    assert planogram.reference is not None
    mine = [
        position
        for position in planogram.in_order
        if position.product == product.id and not _blurred(planogram, position)
    ]
    # Spread over its places: neighbours look alike, the ends of a shelf lie in another light.
    step = max(1, len(mine) // PICTURES_CUT)
    scale = planogram.reference.scale
    boxes = [[value * scale for value in each.box_xyxy] for each in mine[::step][:PICTURES_CUT]]
    return tuple(packed(shrunk(crop(rgb, box), CROP_LONG_PX_MAX)) for box in boxes)


def _blurred(planogram: Planogram, position: Position) -> bool:
    assert planogram.reference is not None
    x1, y1, x2, y2 = position.box_xyxy
    return any(
        x1 < right and left < x2 and y1 < foot and top < y2
        for left, top, right, foot in planogram.reference.blurred
    )

"""Give a planogram that was made from a photo millimetres in place of pixels. Pure."""

from dataclasses import replace

from planograms.model import Box, Planogram


def in_mm(planogram: Planogram, *, width_mm: float) -> Planogram:
    """The same planogram in millimetres, its frame `width_mm` wide.

    The photo is taken as seen straight from the front: tilt stays in the places. One in
    millimetres comes back as it is.

    Raises:
        ValueError: the width is not above 0.
    """
    if planogram.unit == "mm":
        return planogram
    if not width_mm > 0:
        raise ValueError(f"the width must be above 0 mm, got {width_mm:g}")
    factor = width_mm / planogram.width

    def scaled(box: Box) -> Box:
        x1, y1, x2, y2 = (round(value * factor, 2) for value in box)
        return x1, y1, x2, y2

    def length(value: float | None) -> float | None:
        return None if value is None else round(value * factor, 2)

    reference = planogram.reference
    height = planogram.height * factor
    return replace(
        planogram,
        unit="mm",
        width=width_mm,
        height=height,
        shelves=tuple(
            replace(shelf, line_xyxy=scaled(shelf.line_xyxy), height=shelf.height * factor)
            for shelf in planogram.shelves
        ),
        products=tuple(
            replace(
                product, width=length(product.width), height=length(product.height),
                width_mm=product.width_mm or length(product.width),
                height_mm=product.height_mm or length(product.height),
            )
            for product in planogram.products
        ),
        positions=tuple(
            replace(
                position, box_xyxy=scaled(position.box_xyxy),
                x_mm=round(position.box_xyxy[0] * factor, 2),
                y_mm=round(height - position.box_xyxy[3] * factor, 2),
            )
            for position in planogram.positions
        ),
        reference=None if reference is None else replace(
            reference, scale=reference.scale / factor,
            blurred=tuple(scaled(box) for box in reference.blurred),
        ),
    )  # fmt: skip

"""Make one position for each facing of a planogram, as judging a photo needs it. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from planograms.model import Planogram, Position


def unfolded(planogram: Planogram) -> Planogram:
    """The same planogram with positions of one facing each.

    A position of 3 by 2 facings becomes six, named "ID#1" to "ID#6" from the left and, in each
    column, from the foot; what is alone keeps its id. The index counts on within the row.

    Raises:
        ValueError: more facings than a planogram may have positions.
    """
    if all(each.facings == each.facings_high == 1 for each in planogram.positions):
        return planogram
    out: list[Position] = []
    row, index = -1, 0
    for position in planogram.in_order:
        if position.row != row:
            row, index = position.row, 0
        parts = facings_of(position)
        out += [replace(part, index=index + k) for k, part in enumerate(parts)]
        index += len(parts)
    return replace(planogram, positions=tuple(out))


def facings_of(position: Position) -> Sequence[Position]:
    """The facings of one position, column by column from the left, each from the foot."""
    wide, high = position.facings, position.facings_high
    if wide == high == 1:
        return [position]
    x1, y1, x2, y2 = position.box_xyxy
    width, height = (x2 - x1) / wide, (y2 - y1) / high
    return [
        replace(
            position,
            id=f"{position.id}#{column * high + layer + 1}",
            facings=1,
            facings_high=1,
            box_xyxy=(
                x1 + column * width,
                y2 - (layer + 1) * height,
                x1 + (column + 1) * width,
                y2 - layer * height,
            ),
            x_mm=None,
            y_mm=None,
        )
        for column in range(wide)
        for layer in range(high)
    ]


def planned_position(facing_id: str) -> str:
    """The position that a facing belongs to: "A" of "A#3"; a position of one is its own."""
    name, mark, number = facing_id.rpartition("#")
    return name if mark and name and number.isdigit() else facing_id

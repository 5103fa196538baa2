"""Restock a photographed shelf, then photograph it again as it is or under a harder condition.

A clerk takes goods out and puts them back: a third of the facings stand a few percent off in place,
size and light. Some are gone, replaced or exchanged. One camera for the whole picture; shelves that
move against each other are in `second_photos`. Judges nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from storepulse.simulated.conditions import Changed, Condition, lit, shrunk, turned
from storepulse.simulated.exposures import Box, erase_facings, expose_again, map_boxes
from storepulse.simulated.packs import Rgb
from storepulse.simulated.second_photos import Changes, cut_out, put_onto

Reals = npt.NDArray[np.float64]

PUT_BACK: Final = 1 / 3
OFF_MOST: Final = 0.04
"""Of its own size: so far aside, and so much larger or smaller, a facing is put back at most."""
LIFTED_MOST: Final = 0.01
"""Of its height; nothing sinks into its board."""
LIGHT_MOST: Final = 0.06


def _half_the_bay() -> Condition:
    def change(rgb: Rgb, rng: np.random.Generator) -> Changed:
        width = rgb.shape[1]
        left = int(rng.uniform(0, 0.5) * width)
        plane = np.array([[1, 0, -left], [0, 1, 0], [0, 0, 1]], np.float64)
        return Changed(np.ascontiguousarray(rgb[:, left : left + width // 2]), plane)

    return Condition("half the bay in view", change)


AS_IT_STANDS: Final = "another exposure"
HARDER: Final[Mapping[str, Condition]] = {
    condition.name: condition
    for condition in (turned(30), lit(1 / 4), _half_the_bay(), shrunk(0.5))
}


@dataclass(frozen=True, slots=True)
class Restocked:
    """The shelf photographed again, and where each facing's place is on that photo."""

    rgb: Rgb
    places_px: Reals
    """(n, 4); may reach beyond the picture."""


def restock(
    rgb: Rgb, facings: Sequence[Box], *, seed: int, changes: Changes | None = None
) -> tuple[Rgb, Reals]:
    """Put goods back a little off, and change some.

    Args:
        rgb: the shelf; it is not changed.
        facings: (n, 4) pixels of `rgb`.
        seed: the same seed puts the same goods back the same way, whatever was changed.
    Returns:
        The shelf, and where each facing stands now, or stood: (n, 4).
    """
    done = changes or Changes()
    boxes = np.array(facings, np.float64).reshape(-1, 4)
    rng = np.random.default_rng([seed, 0xD4])
    n = len(boxes)
    loose = rng.random(n) < PUT_BACK
    aside = rng.uniform(-OFF_MOST, OFF_MOST, n) * loose
    lifted = rng.uniform(0, LIFTED_MOST, n) * loose
    grown = 1 + rng.uniform(-OFF_MOST, OFF_MOST, n) * loose
    light = 1 + rng.uniform(-LIGHT_MOST, LIGHT_MOST, n) * loose
    replaced = dict(done.replaced or {})
    gone = set(done.erased)
    stirred = [i for i in range(n) if loose[i] or i in gone or i in replaced]
    out = erase_facings(rgb, [_as_box(boxes[i]) for i in stirred], seed=seed)
    places = boxes.copy()
    for i in stirred:
        if i in gone:
            continue
        x1, y1, x2, y2 = boxes[i]
        wide, high = (x2 - x1) * grown[i], (y2 - y1) * grown[i]
        middle = (x1 + x2) / 2 + aside[i] * (x2 - x1)
        foot = y2 - lifted[i] * (y2 - y1)
        places[i] = middle - wide / 2, foot - high, middle + wide / 2, foot
        crop = cut_out(rgb, boxes[replaced.get(i, i)])
        put_onto(out, np.clip(crop * light[i], 0, 255).astype(np.uint8), places[i])
    return out, places


def photographed(rgb: Rgb, places: Reals, condition: str, *, seed: int) -> Restocked:
    """Photograph a shelf: another exposure, and for a harder condition that on top of it.

    Args:
        rgb: the shelf.
        places: (n, 4) pixels of `rgb`.
        condition: `AS_IT_STANDS` or one of `HARDER`.
    Raises:
        KeyError: another condition.
    """
    exposed = expose_again(rgb, seed=seed)
    where = map_boxes([_as_box(box) for box in places], exposed.homography)
    seen = exposed.rgb
    if condition != AS_IT_STANDS:
        changed = HARDER[condition].change(seen, np.random.default_rng([seed, 0xD5]))
        seen, where = changed.rgb, map_boxes(where, changed.homography)
    return Restocked(seen, np.array(where, np.float64).reshape(-1, 4))


def _as_box(values: Reals) -> Box:
    x1, y1, x2, y2 = (float(value) for value in values)
    return x1, y1, x2, y2

"""Group facings that look alike into products. Pure: descriptions and boxes, no pixels.

Average-linkage clustering on how unlike facings look, how differently they are shaped, and a small
credit for neighbours: the same product mostly stands side by side.
"""

from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from vision.appearance import Floats, distance
from vision.geometry import Boxes, centres, sizes

Ints = npt.NDArray[np.int64]

SAME_PRODUCT_BELOW: Final = 0.34
"""Mean distance inside a group; between the distance at which facings of one product end (95 % of
them below 0.28, `vision.appearance`) and at which other products begin (5 % below 0.47)."""
_NEIGHBOUR_CREDIT: Final = 0.05
_SIZE_STEP: Final = 0.18
"""Cost of a size that differs by a factor e; a tenth in width or height costs 0.02."""


def group(descriptions: Floats, boxes: Boxes, rows: Ints) -> Ints:
    """Say which facings are one product.

    Args:
        descriptions: (n, d) of `vision.appearance.describe`.
        boxes: (n, 4).
        rows: (n,) shelf of each.
    Returns:
        (n,) group numbers, 0 for the group with the most facings; ties go to the group that
        begins lower and further left. (0,) for none.
    """
    n = len(boxes)
    if n < 2:
        return np.zeros(n, dtype=np.int64)
    apart = distance(descriptions, descriptions).astype(np.float64)
    logs = np.log(np.maximum(sizes(boxes), 1e-6))
    apart += _SIZE_STEP * np.abs(logs[:, None] - logs[None]).sum(axis=2)
    for i, j in _neighbours(boxes, rows):
        apart[i, j] -= _NEIGHBOUR_CREDIT
        apart[j, i] -= _NEIGHBOUR_CREDIT
    apart = np.maximum((apart + apart.T) / 2, 0.0)
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform(apart, checks=False), method="average")
    labels = fcluster(tree, SAME_PRODUCT_BELOW, criterion="distance")
    return _by_number_of_facings(labels, boxes, rows)


def _neighbours(boxes: Boxes, rows: Ints) -> list[tuple[int, int]]:
    pairs = []
    x = centres(boxes)[:, 0]
    for row in np.unique(rows):
        members = np.flatnonzero(rows == row)
        members = members[np.argsort(x[members], kind="stable")]
        pairs += [(int(i), int(j)) for i, j in pairwise(members)]
    return pairs


def _by_number_of_facings(labels: Ints, boxes: Boxes, rows: Ints) -> Ints:
    order = np.lexsort((centres(boxes)[:, 0], rows))
    names, first, counts = np.unique(labels[order], return_index=True, return_counts=True)
    rank = {name: place for place, name in enumerate(names[np.lexsort((first, -counts))])}
    return np.array([rank[label] for label in labels], dtype=np.int64)

"""What node and hub agree on about evidence pictures: their names and how large one may be."""

from typing import Final

from storepulse.units import MIB

ANNOTATED: Final = "annotated.jpg"
"""The photo with its findings drawn, people blurred."""
KEPT: Final = "photo.jpg"
"""The copy that is kept, people blurred."""
PICTURE_NAMES: Final = (ANNOTATED, KEPT)
PICTURE_BYTES_MAX: Final = 32 * MIB
"""A photo of 60 megapixels, the most a node takes, has 12 to 30 MB as our JPEG."""

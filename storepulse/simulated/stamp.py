"""Write the word "simulated" on a picture, so that nobody takes it for a real one."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from storepulse.simulated.packs import Rgb


def stamp_simulated(rgb: Rgb) -> Rgb:
    """A copy with "simulated" in its lower left corner, light on dark, 1/60 of the height."""
    height, width = rgb.shape[:2]
    font = ImageFont.load_default(max(10.0, height / 60))
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    left, top, right, bottom = measure.textbbox((0, 0), "simulated", font=font)
    wide, tall = min(width, int(right - left) + 8), min(height, int(bottom - top) + 8)
    page = Image.new("L", (wide, tall), 0)
    ImageDraw.Draw(page).text((4 - left, 4 - top), "simulated", fill=255, font=font)
    ink = np.asarray(page, np.float32)[..., None] / 255
    stamped = rgb.copy()
    corner = stamped[height - tall :, :wide]
    corner[:] = (corner * 0.45 * (1 - ink) + 255 * ink).astype(np.uint8)
    return stamped

"""Drawn products for tests: fronts on one ground, and the same in another light and angle."""

import cv2
import numpy as np

from storepulse.simulated.packs import Pack, design_pack, draw_front


def pack(number: int) -> Pack:
    rng = np.random.default_rng([number, 77])
    return design_pack(number, row_height_px=260, kind="box", hue=number * 0.23 % 1, rng=rng)


def front(number: int, *, ground: int = 255) -> np.ndarray:
    rgba = draw_front(pack(number))
    part = rgba[..., 3:] / 255
    flat = (rgba[..., :3] * part + ground * (1 - part)).astype(np.uint8)
    return cv2.copyMakeBorder(flat, 12, 12, 12, 12, cv2.BORDER_CONSTANT, value=(ground,) * 3)


def seen_again(picture: np.ndarray, *, turn: float = 6.0, light: float = 0.85) -> np.ndarray:
    height, width = picture.shape[:2]
    motion = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 0.92)
    turned = cv2.warpAffine(picture, motion, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.clip(turned * light, 0, 255).astype(np.uint8)

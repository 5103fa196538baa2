"""Small drawn shelves: rows of bright packs on a dark board. No photo of anyone's shop."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

PACK_PX = (22, 34)


def draw_shelf(
    path: Path, *, seed: int, width_px: int = 240, height_px: int = 180
) -> list[list[int]]:
    """Draw one photo; return its packs as x y w h."""
    generator = np.random.default_rng(seed)
    picture = np.full((height_px, width_px, 3), 30, np.uint8)
    boxes = []
    for y in range(10, height_px - PACK_PX[1], PACK_PX[1] + 14):
        for x in range(6, width_px - PACK_PX[0], PACK_PX[0] + 6):
            colour = tuple(int(value) for value in generator.integers(120, 255, 3))
            corner = (x + PACK_PX[0] - 1, y + PACK_PX[1] - 1)
            cv2.rectangle(picture, (x, y), corner, colour, thickness=-1)
            boxes.append([x, y, *PACK_PX])
    cv2.imwrite(str(path), picture)
    return boxes


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    """Return a folder with labels.json and images: three drawn photos to train on, one to check."""
    folder = tmp_path / "shelves"
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(4):
        name = f"shelf_{number}.png"
        boxes = draw_shelf(folder / "images" / name, seed=number)
        split = "check" if number == 3 else "train"
        images.append(
            {"id": number, "file_name": name, "width": 240, "height": 180, "split": split}
        )
        annotations += [{"image_id": number, "bbox": box, "source": "truth"} for box in boxes]
    document = {"images": images, "annotations": annotations}
    (folder / "labels.json").write_text(json.dumps(document), encoding="utf-8")
    return folder

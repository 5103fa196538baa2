"""A small data folder of drawn shelves in the form of the reference one, and eyes that see it."""

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tests.vision.red_cells import MODEL, cell_box, draw_cells
from vision.look import Looker
from vision.observation import Facing, ModelFacts, Observation, PhotoFacts
from vision.photos import Photo, Pixels, read_photo
from vision.rows import find_rows

ROWS = (3, 7, 11)
COLUMNS = range(3, 17)
PACK_PX = (60, 90)
_LOOKS = ((230, 60, 60), (70, 220, 80), (80, 110, 235), (235, 220, 60))


def cells() -> list[tuple[int, int]]:
    """Three rows of fourteen facings."""
    return [(column, row) for row in ROWS for column in COLUMNS]


def draw_data(folder: Path, *, photos: int = 6) -> Path:
    """Photos of red packs that `red_cells.onnx` finds, with boxes, rows and one large JPEG."""
    (folder / "images").mkdir(parents=True)
    (folder / "full").mkdir()
    images, annotations, rows = [], [], {}
    for number in range(photos):
        name = f"drawn_{number}.png"
        Image.fromarray(draw_cells(cells())).save(folder / "images" / name)
        origin = "near" if number % 2 else "far"
        images.append(
            {"id": number, "file_name": name, "width": 640, "height": 480, "origin": origin}
        )
        for cell in cells():
            x1, y1, x2, y2 = cell_box(*cell)
            box = [x1, y1, x2 - x1, y2 - y1]
            annotations.append({"image_id": number, "bbox": box, "source": "truth"})
        rows[name] = {"rows": [{"line": _line(row)} for row in ROWS]}
    (folder / "checked.json").write_text(
        json.dumps({"images": images, "annotations": annotations}), encoding="utf-8"
    )
    (folder / "rows.json").write_text(json.dumps({"rows": rows}), encoding="utf-8")
    Image.fromarray(draw_cells(cells(), width=4032, height=3024)).save(folder / "full/phone.jpg")
    Image.fromarray(draw_cells(cells())).save(folder / "full/small.jpg")
    return folder


def _line(row: int) -> list[float]:
    left, _, _, foot = cell_box(COLUMNS[0], row)
    _, _, right, _ = cell_box(COLUMNS[-1], row)
    return [left, foot, right, foot]


def looker() -> Looker:
    """The product's own eyes, with the detector of red cells."""
    return Looker(MODEL, threads=1)


def draw_coloured_packs(path: Path, *, seed: int) -> None:
    """Two rows of eight bright packs, four side by side of each product, on a dark shelf."""
    rng = np.random.default_rng(seed)
    picture = np.full((480, 800, 3), 28, np.uint8) + rng.integers(0, 6, (480, 800, 1), np.uint8)
    for row in range(2):
        for place in range(8):
            look = _LOOKS[2 * row + place // 4]
            x, y = 80 + place * (PACK_PX[0] + 18), 100 + row * (PACK_PX[1] + 80)
            cv2.rectangle(picture, (x, y), (x + PACK_PX[0], y + PACK_PX[1]), look, -1)
            for stripe in range(2 * row + place // 4 + 1):
                at = y + 12 + 18 * stripe
                cv2.rectangle(picture, (x + 8, at), (x + 50, at + 8), (250, 250, 250), -1)
    Image.fromarray(picture).save(path)


def draw_coloured_data(folder: Path, *, photos: int = 2) -> Path:
    """The same with boxes, as far as second exposures need them."""
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(photos):
        name = f"packs_{number}.png"
        draw_coloured_packs(folder / "images" / name, seed=number)
        images.append({"id": number, "file_name": name, "width": 800, "height": 480})
        annotations.append({"image_id": number, "bbox": [80, 100, *PACK_PX]})
    (folder / "checked.json").write_text(
        json.dumps({"images": images, "annotations": annotations}), encoding="utf-8"
    )
    return folder


class BrightEyes:
    """Takes every bright blob for a facing: sees the packs of `draw_coloured_packs`, aslant too."""

    def look_at(
        self, source: Path | bytes, *, name: str | None = None
    ) -> tuple[Photo, Observation]:
        photo = read_photo(source, name=name)
        return photo, self.look(photo)

    def look(self, photo: Photo) -> Observation:
        boxes = _blobs(photo.rgb)
        rows = find_rows(boxes, photo.width, photo.height)
        return Observation(
            photo=PhotoFacts(photo.file, photo.width, photo.height, "usable"),
            facings=tuple(
                Facing((x1, y1, x2, y2), 0.9, int(row) if row >= 0 else None)
                for (x1, y1, x2, y2), row in zip(boxes.tolist(), rows.row_of, strict=True)
            ),
            rows=rows.rows,
            timings_ms={"total": 1.0},
            model=ModelFacts("bright blobs", "test", 0),
        )


def _blobs(rgb: Pixels) -> np.ndarray:
    bright = (rgb.max(axis=2) > 130).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(bright)
    found = []
    for x, y, wide, tall, _ in stats[1:count].tolist():
        # The word "simulated" in the corner is bright too, but small.
        if wide > 0.6 * PACK_PX[0] and tall > 0.6 * PACK_PX[1]:
            found.append((x, y, x + wide, y + tall))
    return np.array(found, np.float64).reshape(-1, 4)

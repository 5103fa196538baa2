"""Turn decoded photos into batches on a thread of its own. Reads photos; knows no network."""

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.training.augment import Picture, Variation, cut_crop
from vision.training.errors import PhotoUnreadable
from vision.training.labels import Boxes, LabelledPhoto

STRIDES = (8, 16, 32)  # of the network's three levels, in the order of its outputs
QUEUED_BATCHES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one training step sees.

    Attributes:
        pictures: (B, 3, H, W) uint8, RGB.
        facings: (n, 5) float32: number of the picture in the batch, then centre x, centre y,
            width, height as shares of the crop.
        untaught: (B, N) bool, one for each place the network answers at; True where the truth
            is not known.
        generator_state: of the generator after this batch; continuing from it gives the next.
    """

    pictures: NDArray[np.uint8]
    facings: NDArray[np.float32]
    untaught: NDArray[np.bool_]
    generator_state: dict[str, Any]


def decode_photos(photos: Sequence[LabelledPhoto]) -> list[tuple[LabelledPhoto, Picture]]:
    """Decode all photos into memory: 3 bytes a pixel, about 4 MB for one of 1440 x 960.

    Raises:
        PhotoUnreadable: missing, corrupt, or of another size than its labels say.
    """
    decoded = []
    for photo in photos:
        picture = cv2.imread(str(photo.path), cv2.IMREAD_COLOR)
        if picture is None:
            raise PhotoUnreadable(
                f"{photo.path} is missing or cannot be decoded; remove it from the labels"
            )
        height, width = picture.shape[:2]
        if (width, height) != (photo.width_px, photo.height_px):
            raise PhotoUnreadable(
                f"{photo.path.name} is {width} x {height}, its labels say "
                f"{photo.width_px} x {photo.height_px}; label the photo as it is"
            )
        decoded.append((photo, np.asarray(picture, np.uint8)))
    return decoded


def untaught_places(facings: Boxes, ignore: Boxes, *, crop_px: int) -> NDArray[np.bool_]:
    """Mark the places whose centre lies in a region to ignore and in no facing.

    Returns:
        (N,) bool, level after level, row after row: the order of the network's answers.
    """
    levels = []
    for stride in STRIDES:
        side = crop_px // stride
        level = np.zeros((side, side), bool)
        for boxes, mark in ((ignore, True), (facings, False)):
            # A place's centre is at (index + 0.5) * stride.
            spans = np.ceil(boxes / stride - 0.5).astype(int).clip(0, side)
            for left, top, right, bottom in spans:
                level[top:bottom, left:right] = mark
        levels.append(level.reshape(-1))
    return np.concatenate(levels)


def make_batch(
    decoded: Sequence[tuple[LabelledPhoto, Picture]],
    *,
    batch_size: int,
    variation: Variation,
    generator: np.random.Generator,
) -> Batch:
    """Draw photos and cut one crop of each."""
    side = variation.crop_px
    pictures = np.empty((batch_size, 3, side, side), np.uint8)
    facings: list[NDArray[np.float32]] = []
    untaught = []
    for number in range(batch_size):
        photo, picture = decoded[int(generator.integers(len(decoded)))]
        crop = cut_crop(
            picture, photo.facings, photo.ignore, variation=variation, generator=generator
        )
        pictures[number] = crop.picture[:, :, ::-1].transpose(2, 0, 1)
        rows = np.empty((len(crop.facings), 5), np.float32)
        rows[:, 0] = number
        rows[:, 1:3] = (crop.facings[:, :2] + crop.facings[:, 2:]) / 2 / side
        rows[:, 3:5] = (crop.facings[:, 2:] - crop.facings[:, :2]) / side
        facings.append(rows)
        untaught.append(untaught_places(crop.facings, crop.ignore, crop_px=side))
    return Batch(
        pictures=pictures,
        facings=np.concatenate(facings),
        untaught=np.stack(untaught),
        generator_state=dict(generator.bit_generator.state),
    )


@contextmanager
def feed(
    decoded: Sequence[tuple[LabelledPhoto, Picture]],
    *,
    batch_size: int,
    variation: Variation,
    generator: np.random.Generator,
) -> Iterator[Iterator[Batch]]:
    """Give an endless iterator of batches made ahead on a thread; end the thread on leaving.

    The batches come in the order of the generator, whatever the threads do.
    """
    ready: queue.Queue[Batch | BaseException] = queue.Queue(QUEUED_BATCHES)
    ended = threading.Event()

    def work() -> None:
        while not ended.is_set():
            item: Batch | BaseException
            try:
                item = make_batch(
                    decoded, batch_size=batch_size, variation=variation, generator=generator
                )
            except BaseException as error:  # handed to the consumer, which raises it
                item = error
            while not ended.is_set():
                try:
                    ready.put(item, timeout=0.2)
                    break
                except queue.Full:
                    continue
            if isinstance(item, BaseException):
                return

    def batches() -> Iterator[Batch]:
        while True:
            item = ready.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=work, name="feed", daemon=True)
    thread.start()
    try:
        yield batches()
    finally:
        ended.set()
        thread.join()

"""Find facings on a photo with the exported network. Knows nothing of rows, gaps or products."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vision.agreement import Answers, Boxes, agreed_at_all
from vision.agreement import Limits as Limits
from vision.calibration import Calibration
from vision.errors import BadModel
from vision.observation import ModelFacts
from vision.photos import Pixels
from vision.providers import chosen_provider, session_options

STRIDE_PX: Final = 32
"""Coarsest grid of the network: both sides of its input are multiples of this."""

PAD_GREY: Final = 114
"""What the network saw beside the photo while it was trained."""

INPUT_PX: Final = 1280
"""Long side that the network sees when its file does not say; on dense shelves smaller inputs
lose narrow facings and larger ones gain nothing."""


WEAKER_SHARE: Final = 0.25
"""Where there are several looks, one of them may say a facing so much more weakly than is asked."""
WEAKEST: Final = 0.01
"""Weaker raw answers are never looked at: a shelf has tens of thousands of them."""

LARGE_SHARE: Final = 85 / 1280
"""Of the photo's long side: where the middle facing is larger, in height and width together, the
network takes the brand, the picture and the foot of a pack for facings of their own. Of the photos
that it was taught on two in a hundred show such large ones."""
USUAL_SHARE: Final = 55 / 1280
"""How large they are in the middle of those photos: large ones are looked at again as if from so
far away that they are that large. Both were chosen on half of the photos of `eval layouts`; any
limit from 75 to 90 and any aim from 40 to 60 px gives the same there."""

MODEL_VARIABLE: Final = "STOREPULSE_FACINGS_MODEL"
"""Environment variable: path of the detector that is used where none is named."""


@dataclass(frozen=True, slots=True)
class Look:
    """One way in which the network is shown a picture."""

    long_px: int
    """Long side of what it sees."""
    mirrored: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture as the network is shown it."""

    planes: NDArray[np.float32]
    """(1, 3, H, W) from 0 to 1; good until the next picture is made ready."""
    scale: float
    """Input pixels for each pixel of the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Facings on one picture, best first."""

    boxes_px: Boxes
    scores: NDArray[np.float32]
    """(n,), 0 to 1."""

    def __post_init__(self) -> None:
        if self.boxes_px.shape != (len(self.scores), 4):
            raise ValueError(f"{self.boxes_px.shape} boxes for {len(self.scores)} scores")

    @classmethod
    def nothing(cls) -> "Found":
        """No facing at all."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def default_model() -> Path:
    """The detector that comes with storepulse, or the one that a chain has put in its place."""
    if chosen := os.environ.get(MODEL_VARIABLE):
        return Path(chosen)
    with as_file(files("vision") / "weights" / "facings.onnx") as path:
        return path


class Detector:
    """The network, loaded once and warm; about 60 MB, and 250 MB more while it looks."""

    def __init__(self, model: Path | None = None, *, threads: int = 2) -> None:
        """Load the network.

        Args:
            model: an exported detector (.onnx); by default ours.
            threads: cores to use; beside other work one may be faster than two.
        Raises:
            BadModel: no such file, or no detector of facings.
            NoSuchProvider: `STOREPULSE_PROVIDER` names what this onnxruntime cannot do.
        """
        path = model if model is not None else default_model()
        if not path.is_file():
            raise BadModel(path, "there is no such detector file")
        options, providers = session_options(threads=threads), chosen_provider()
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), options, providers=providers
            )
        except Exception as error:  # onnxruntime's own errors have no common public class
            raise BadModel(path, "is no ONNX model that can be loaded") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or len(outputs) != 1:
            raise BadModel(path, "is an ONNX model, but no detector of facings")
        self._input_name: str = inputs[0].name
        said: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.licence = said.get("licence", "not stated")
        self.facts = ModelFacts(
            name=said.get("name", path.stem),
            version=said.get("version", "unknown"),
            input_px=_input_px(path, said),
        )
        self.looks = _looks(path, said, self.facts.input_px)
        self.calibration = _calibration(path, said)
        self._room = _Room()
        try:  # the first run allocates; a photo should not wait for it
            raw = self._raw(np.zeros((1, 3, STRIDE_PX * 30, self.facts.input_px), np.float32))
        except Exception as error:
            raise BadModel(path, "does not take photos of a free size") from error
        if raw.ndim != 2 or raw.shape[0] != 5:
            raise BadModel(path, f"answers {raw.shape} instead of (5, n): one class, no NMS")

    def find(self, rgb: Pixels, limits: Limits | None = None) -> Found:
        """The facings of one picture in its own pixels, best first; none: (0, 4).

        Args:
            rgb: (h, w, 3).
            limits: other ones than for counting, to measure with.
        """
        return self.find_at_all(rgb, [limits or Limits()])[0]

    def find_at_all(
        self,
        rgb: Pixels,
        limits: list[Limits],
        *,
        looks: Sequence[Look] = (),
        first: Callable[[], Shown] | None = None,
    ) -> list[Found]:
        """As `find`, at several limits from one run of the network.

        Limits are about raw scores; told are probabilities, where the model has a calibration.

        Args:
            looks: other ones than the model's file says; without, facings that are larger than
                the network knows them are looked at again, smaller.
            first: waits for `shown` of this picture, where that is asked already; its own looks
                only.
        """
        floor = min((one.score_min for one in limits), default=1.0) * WEAKER_SHARE
        floor = max(floor, WEAKEST)
        if looks:
            found = agreed_at_all(self._said(rgb, looks, floor), limits)
        else:
            counted, *found = agreed_at_all(
                self._said(rgb, self.looks, floor, first=first), [Limits(), *limits]
            )
            if again := from_further(self.looks, _middle_share(counted, rgb)):
                found = agreed_at_all(self._said(rgb, again, floor), limits)
        return [Found(boxes, self.calibration.probability(scores)) for boxes, scores in found]

    def shown(self, rgb: Pixels) -> Shown:
        """A picture made ready for the first of its own looks."""
        return _shown(rgb, self.looks[0], self._room)

    def ready(self, rgb: Pixels, looks: Sequence[Look] = ()) -> list[NDArray[np.float32]]:
        """A picture as the network is shown it, once for each look; by default its own looks."""
        return [_shown(rgb, look).planes for look in looks or self.looks]

    def _said(
        self,
        rgb: Pixels,
        looks: Sequence[Look],
        score_min: float,
        *,
        first: Callable[[], Shown] | None = None,
    ) -> Answers:
        told = []
        for number, look in enumerate(looks):
            shown = first() if first and number == 0 else _shown(rgb, look, self._room)
            told.append(self._answers(rgb, look, shown, score_min))
        return Answers.of(told)

    def _answers(
        self, rgb: Pixels, look: Look, shown: Shown, score_min: float
    ) -> tuple[Boxes, NDArray[np.float32]]:
        height, width = rgb.shape[:2]
        boxes, scores = read_answers(
            self._raw(shown.planes), shown.scale, width, height, score_min=score_min
        )
        if look.mirrored:
            boxes[:, [0, 2]] = width - boxes[:, [2, 0]]
        return boxes, scores

    def rest(self) -> None:
        """Let go of the memory in which pictures are made ready; the next one asks for it anew."""
        self._room = _Room()

    def run_bare(self, picture: NDArray[np.float32]) -> None:
        """The network alone on a picture that is ready, for timing."""
        self._raw(picture)

    def _raw(self, picture: NDArray[np.float32]) -> NDArray[np.float32]:
        """(5, n) raw answers: centre x, centre y, width, height in input pixels, score."""
        answer = self._session.run(None, {self._input_name: picture})[0]
        first: NDArray[np.float32] = np.asarray(answer, np.float32)[0]
        return first


def _middle_share(found: tuple[Boxes, NDArray[np.float32]], rgb: Pixels) -> float:
    """How large the middle facing is, as a share of the picture's long side; 0 for none."""
    boxes = found[0]
    if not len(boxes):
        return 0.0
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return float(np.sqrt(np.median(areas))) / float(max(rgb.shape[:2]))


def from_further(looks: Sequence[Look], share: float) -> tuple[Look, ...]:
    """The looks that show facings as large as the network knows them; () where they are.

    Args:
        share: how large the middle facing is, of the photo's long side.
    """
    if share <= LARGE_SHARE:
        return ()
    # Below a quarter of its size nothing is left of a photo.
    smaller = max(USUAL_SHARE / share, 0.25)
    return tuple(
        Look(max(STRIDE_PX, round(look.long_px * smaller / STRIDE_PX) * STRIDE_PX), look.mirrored)
        for look in looks
    )


def _input_px(path: Path, said: dict[str, str]) -> int:
    text = said.get("input_size", str(INPUT_PX))
    if not text.isdigit() or not 0 < int(text) <= 4096 or int(text) % STRIDE_PX:
        raise BadModel(path, f"says input_size {text}; a multiple of {STRIDE_PX} is needed")
    return int(text)


def letterbox(rgb: Pixels, long_px: int) -> tuple[NDArray[np.float32], float]:
    """The picture as the network wants it.

    Args:
        rgb: (h, w, 3).
        long_px: the long side becomes this.
    Returns:
        (1, 3, H, W) float32 from 0 to 1, the picture in its upper left and grey to the next
        multiples of 32; and input pixels for each pixel of the picture.
    """
    shown = _shown(rgb, Look(long_px))
    return shown.planes, shown.scale


def _shown(rgb: Pixels, look: Look, room: "_Room | None" = None) -> Shown:
    height, width = rgb.shape[:2]
    scale = look.long_px / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = cv2.resize(rgb, size, interpolation=how)
    if look.mirrored:
        picture = cv2.flip(picture, 1)
    tall, wide = size[1] + -size[1] % STRIDE_PX, size[0] + -size[0] % STRIDE_PX
    planes = (room or _Room()).planes(tall, wide)
    planes[0, :, size[1] :] = planes[0, :, :, size[0] :] = np.float32(PAD_GREY) * _PART
    for plane, colour in zip(planes[0], cv2.split(picture), strict=True):
        # Straight to where it is wanted: each copy of so many numbers takes as long as this.
        np.multiply(colour, _PART, out=plane[: size[1], : size[0]])
    return Shown(planes, scale)


_PART: Final = np.float32(1 / 255)
"""What the network is shown for one step of a pixel's light."""


class _Room:
    """Memory for what the network is shown, kept from look to look: asking for it anew takes as
    long as filling it."""

    def __init__(self) -> None:
        self._held = np.zeros(0, np.float32)

    def planes(self, tall: int, wide: int) -> NDArray[np.float32]:
        """(1, 3, tall, wide), with anything in it; good until it is asked for again."""
        size = 3 * tall * wide
        if size > len(self._held):
            self._held = np.empty(size, np.float32)
        return self._held[:size].reshape(1, 3, tall, wide)


def read_answers(
    raw: NDArray[np.float32], scale: float, width: int, height: int, *, score_min: float
) -> tuple[Boxes, NDArray[np.float32]]:
    """Raw answers as boxes in pixels of the picture, cut at its edge, and their scores.

    Args:
        raw: (5, n) centre x, centre y, width, height in input pixels, score.
        scale: input pixels for each pixel of the picture.
        width, height: of the picture.
        score_min: weaker answers are left out, and boxes of which less than a pixel is inside.
    """
    raw = raw[:, raw[4] >= score_min]
    centre, size, scores = raw[:2].T, raw[2:4].T, raw[4]
    corners = np.concatenate([centre - size / 2, centre + size / 2], axis=1) / np.float32(scale)
    boxes: Boxes = corners.clip(0, [width, height, width, height]).astype(np.float32)
    real = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
    return boxes[real], scores[real]


def _looks(path: Path, said: dict[str, str], input_px: int) -> tuple[Look, ...]:
    """`looks` of a model's properties: long sides, an m behind those shown mirrored."""
    words = said.get("looks", str(input_px)).split()
    looks = []
    for word in words:
        side = word.removesuffix("m")
        if not side.isdigit() or not 0 < int(side) <= 4096 or int(side) % STRIDE_PX:
            raise BadModel(path, f"says looks {word}; a multiple of {STRIDE_PX} is needed")
        looks.append(Look(int(side), mirrored=word.endswith("m")))
    if not looks:
        raise BadModel(path, "names no look")
    return tuple(looks)


def _calibration(path: Path, said: dict[str, str]) -> Calibration:
    try:
        return Calibration.read_from(said)
    except ValueError as error:
        raise BadModel(path, f"carries no usable calibration ({error})") from error

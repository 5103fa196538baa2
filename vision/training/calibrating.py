"""Fit a calibration to answers on labelled photos, and measure one. Pure but for `see`.

What a fit is worth depends on the photos: on those that the network was trained on, and whose
labels it corrected itself, it looks surer than it is.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from vision.calibration import Calibration
from vision.detector import Detector, Limits
from vision.photos import read_photo
from vision.training.detect import Detections
from vision.training.evaluate import Judged, judge
from vision.training.labels import LabelledPhoto

ANSWERS_MIN: Final = 200
"""Fewer answers, right and wrong ones together, fix no three numbers."""
BINS: Final = 10
_EDGE: Final = 1e-6


def fit(scores: NDArray[np.floating], right: NDArray[np.bool_]) -> Calibration:
    """The three numbers that make the answers most likely.

    Args:
        scores: (n,) raw.
        right: (n,) whether each met a facing.
    Raises:
        ValueError: too few answers, or all of them right, or none.
    """
    if len(scores) < ANSWERS_MIN or right.all() or not right.any():
        raise ValueError(
            f"a calibration needs {ANSWERS_MIN} answers, right and wrong ones; got {len(scores)}"
        )
    held = np.clip(np.asarray(scores, np.float64), _EDGE, 1 - _EDGE)
    rises, falls = np.log(held), -np.log1p(-held)
    sign = np.where(right, 1.0, -1.0)

    def surprise(three: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logit = three[0] * rises + three[1] * falls + three[2]
        wrong = 1 / (1 + np.exp(sign * logit))
        slope = -(sign * wrong)
        return float(np.logaddexp(0, -sign * logit).mean()), np.array(
            [(slope * rises).mean(), (slope * falls).mean(), slope.mean()]
        )

    found = minimize(
        surprise, np.array([1.0, 1.0, 0.0]), jac=True, method="L-BFGS-B",
        bounds=[(0, None), (0, None), (None, None)],
    )  # fmt: skip
    rise, fall, shift = (float(value) for value in found.x)
    return Calibration(rise, fall, shift)


def fit_to(judged: Sequence[Judged]) -> Calibration:
    """As `fit`, to the answers on photos; right is what met a facing at an overlap of .5.

    Raises:
        ValueError: as `fit`.
    """
    return fit(
        np.concatenate([photo.scores for photo in judged]),
        np.concatenate([photo.met[0] for photo in judged]),
    )


def see(detector: Detector, photos: Sequence[LabelledPhoto], limits: Limits) -> list[Judged]:
    """What the node's detector answers on labelled photos, judged.

    Raises:
        UnreadablePhoto: one of them cannot be read.
    """
    judged = []
    for photo in photos:
        picture = read_photo(photo.path)
        found = detector.find(picture.rgb, limits)
        full = (found.boxes_px / np.float32(picture.scale)).astype(np.float32)
        judged.append(judge(Detections(full, found.scores), photo.facings, photo.ignore))
    return judged


def calibration_error(judged: Sequence[Judged], *, score_min: float = 0.0) -> float:
    """The expected calibration error of scores that are told as probabilities.

    Answers are put into ten bins of equal width by score; the error is the mean over answers of the
    distance between a bin's mean score and its share of right answers.

    Args:
        judged: by photo; none, or none with an answer: 0.
        score_min: weaker answers are left out: a shelf has thousands, all surely wrong.
    """
    scores = np.concatenate([photo.scores for photo in judged] or [np.zeros(0, np.float32)])
    right = np.concatenate([photo.met[0] for photo in judged] or [np.zeros(0, bool)])
    told = scores >= score_min
    scores, right = scores[told].astype(np.float64), right[told]
    if not len(scores):
        return 0.0
    places = np.minimum((scores * BINS).astype(int), BINS - 1)
    apart = [
        abs(float((scores[places == place] - right[places == place]).sum()))
        for place in range(BINS)
    ]
    return float(sum(apart) / len(scores))

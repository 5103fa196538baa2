"""Weigh evidence: which product of a catalogue a picture shows, if any. Looks at no picture.

A few dozen weights, learnt on pictures of named products (`vision.training.embedding`): a small
network turns the evidence of one pair of pictures into odds, the references of a product are
pooled, and the products compete with each other and with "none of them", so that the outcome is a
probability.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from storepulse.secret_files import PUBLIC, write_whole
from vision.products.errors import BadJudgement
from vision.products.evidence import EVIDENCE

Floats = NDArray[np.float32]

PRODUCTS_USUAL: Final = 15
"""Size of catalogue that the odds of "none of them" are given for."""
_PRODUCTS_FEWEST, _PRODUCTS_MOST = 3, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The weights. Evidence is first brought to mean 0 and spread 1."""

    evidence: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    straight: tuple[float, ...]
    """Weight of each piece of evidence by itself."""
    straight_bias: float
    bent: tuple[tuple[float, ...], ...]
    """(h, k) into h hidden units."""
    bent_bias: tuple[float, ...]
    out: tuple[float, ...]
    """(h,) from them."""
    out_bias: float
    sharpness: float
    """How much the best reference of a product outweighs its others."""
    many: float
    """0 to 1: how much of the advantage of having many references is taken back."""
    none: float
    """Log odds of "none of them" in a catalogue of `PRODUCTS_USUAL`."""
    none_growth: float
    """What each e-fold of the catalogue adds to it."""
    refuse_below: float
    """Probability below which "not in the catalogue" is the answer."""

    def __post_init__(self) -> None:
        count, hidden = len(self.evidence), len(self.out)
        shapes = {
            "mean": len(self.mean) == count,
            "spread": len(self.spread) == count and min(self.spread, default=1.0) > 0,
            "straight": len(self.straight) == count,
            "bent": len(self.bent) == hidden and all(len(row) == count for row in self.bent),
            "bent_bias": len(self.bent_bias) == hidden,
            "refuse_below": 0 <= self.refuse_below <= 1,
        }
        for name, fits in shapes.items():
            if not fits:
                raise ValueError(f"{name} does not fit {count} pieces of evidence")

    def odds(self, evidence: Floats) -> Floats:
        """Log odds of single pairs of pictures: (n, k) -> (n,)."""
        even = (evidence - np.array(self.mean)) / np.array(self.spread)
        bent = np.tanh(even @ np.array(self.bent).T + np.array(self.bent_bias))
        out = even @ np.array(self.straight) + self.straight_bias
        out = out + bent @ np.array(self.out) + self.out_bias
        return np.asarray(out, np.float32)

    def pooled(self, odds: Floats) -> float:
        """Log odds of one product from those of its references (r,), r at least 1."""
        sharp = odds.astype(np.float64) * self.sharpness
        top = float(sharp.max())
        total = top + math.log(float(np.exp(sharp - top).sum()))
        return (total - self.many * math.log(len(odds))) / self.sharpness

    def probabilities(self, odds: Sequence[float], *, catalogue_size: int) -> Floats:
        """Of each product (n,) and, last, of none of them: (n + 1,), summing to 1.

        Args:
            odds: pooled log odds of the products that were looked at closely.
            catalogue_size: all products that it might have been.
        """
        size = min(max(catalogue_size, _PRODUCTS_FEWEST), _PRODUCTS_MOST)
        none = self.none + self.none_growth * math.log(size / PRODUCTS_USUAL)
        logits = np.array([*odds, none], np.float64)
        shares = np.exp(logits - logits.max())
        return np.asarray(shares / shares.sum(), np.float32)


_JSON: Final = TypeAdapter(Judgement)


PACKAGED: Final = "products.json"
PACKAGED_GLANCE: Final = "products_glance.json"
"""Learnt without prints, for `glancing`."""


def read_judgement(path: Path | None = None, *, packaged: str = PACKAGED) -> Judgement:
    """Read learnt weights, by default the packaged ones.

    Raises:
        BadJudgement: the file cannot be read or weighs other evidence.
    """
    source = path or Path(str(files("vision.weights") / packaged))
    try:
        read = _JSON.validate_json(source.read_bytes())
    except (OSError, ValidationError, ValueError) as error:
        raise BadJudgement(source, f"cannot be read as weights ({error})") from error
    if read.evidence != EVIDENCE:
        raise BadJudgement(source, "weighs other evidence than this version collects")
    return read


def write_judgement(judgement: Judgement, path: Path) -> None:
    """Write weights as JSON, whole or not at all."""
    write_whole(path, _JSON.dump_json(judgement, indent=1) + b"\n", mode=PUBLIC)

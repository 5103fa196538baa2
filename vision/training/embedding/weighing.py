"""Learn how to weigh evidence, from episodes of known and unknown products. Measures no picture.

An episode is a small catalogue drawn from named pictures, with a few references of each product,
and pictures of products in it and not in it. The weights are those under which the right answer,
be it "none of them", is likeliest: hence the score is a probability.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from vision.products.evidence import EVIDENCE
from vision.products.judgement import PRODUCTS_USUAL, Judgement

Floats = NDArray[np.float32]

HIDDEN: Final = 12
STEPS: Final = 300
_NO_PAIR: Final = -1e4


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One picture put to a catalogue of n products with up to r references each."""

    evidence: Floats
    """(n, r, k)"""
    known: NDArray[np.bool_]
    """(n, r) False where a product has fewer references."""
    answer: int
    """Which product it is; n for none of them."""


class _Weights(nn.Module):  # type: ignore[misc] # torch is untyped here
    """The same sums as `Judgement`, for learning."""

    def __init__(self, mean: Floats, spread: Floats) -> None:
        super().__init__()
        count = len(mean)
        self.mean, self.spread = torch.from_numpy(mean), torch.from_numpy(spread)
        self.straight = nn.Linear(count, 1)
        self.bent = nn.Linear(count, HIDDEN)
        self.out = nn.Linear(HIDDEN, 1)
        self.sharpness = nn.Parameter(torch.tensor(0.5))
        self.many = nn.Parameter(torch.tensor(0.0))
        self.none = nn.Parameter(torch.tensor([1.0, 0.5]))

    def forward(self, evidence: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        even = (evidence - self.mean) / self.spread
        odds = (self.straight(even) + self.out(torch.tanh(self.bent(even)))).squeeze(-1)
        sharpness = self.sharpness.exp()
        sharp = torch.where(known, odds * sharpness, torch.tensor(_NO_PAIR))
        many = torch.sigmoid(self.many) * known.sum(-1).clamp(min=1).float().log()
        pooled = (torch.logsumexp(sharp, -1) - many) / sharpness
        # Never below 0: more products to be mistaken for make "none of them" no less likely, and
        # the small catalogues of episodes would otherwise be believed about large ones.
        growth = self.none[1].clamp(min=0)
        none = self.none[0] + growth * math.log(evidence.shape[1] / PRODUCTS_USUAL)
        return torch.cat([pooled, none.expand(len(pooled), 1)], dim=1)


def learn_weights(
    draw: Callable[[np.random.Generator], Sequence[Question]], *, seed: int, steps: int = STEPS
) -> Judgement:
    """Learn from as many episodes as steps.

    Args:
        draw: makes the questions of one episode; all of one catalogue.
    Returns:
        Weights that refuse nothing yet (`refuse_below` 0).
    """
    rng = np.random.default_rng([seed, 0x3E1])
    some = [question for _ in range(12) for question in draw(rng)]
    seen = np.concatenate([question.evidence[question.known] for question in some])
    torch.manual_seed(seed)
    weights = _Weights(seen.mean(axis=0), seen.std(axis=0) + 1e-3)
    optimizer = torch.optim.AdamW(weights.parameters(), lr=0.02, weight_decay=0.003)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        questions = draw(rng)
        evidence = torch.from_numpy(np.stack([one.evidence for one in questions]))
        known = torch.from_numpy(np.stack([one.known for one in questions]))
        answers = torch.tensor([one.answer for one in questions])
        loss = functional.cross_entropy(weights(evidence, known), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return _as_judgement(weights)


def _as_judgement(weights: _Weights) -> Judgement:
    def plain(tensor: torch.Tensor) -> tuple[float, ...]:
        return tuple(round(float(value), 5) for value in tensor.detach().ravel())

    def single(tensor: torch.Tensor) -> float:
        return round(float(tensor.detach()), 5)

    return Judgement(
        evidence=EVIDENCE,
        mean=plain(weights.mean),
        spread=plain(weights.spread),
        straight=plain(weights.straight.weight),
        straight_bias=single(weights.straight.bias),
        bent=tuple(plain(row) for row in weights.bent.weight),
        bent_bias=plain(weights.bent.bias),
        out=plain(weights.out.weight),
        out_bias=single(weights.out.bias),
        sharpness=single(weights.sharpness.exp()),
        many=single(torch.sigmoid(weights.many)),
        none=single(weights.none[0]),
        none_growth=max(0.0, single(weights.none[1])),
        refuse_below=0.0,
    )

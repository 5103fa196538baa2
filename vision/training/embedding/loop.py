"""Train the embedding: contrast of two views over a batch; resumable. Reads no pictures."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from vision.training.embedding.identities import Batch, Material
from vision.training.embedding.network import EmbeddingNetwork
from vision.training.errors import CheckpointUnfit

AVERAGE_DECAY: Final = 0.995


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run goes. Length by steps, so that a slow machine trains as well as a fast one."""

    steps: int
    facings: int = 56
    drawn: int = 16
    rate: float = 3e-3
    weight_decay: float = 0.02
    temperature: float = 0.1
    warm_up_steps: int = 40
    checkpoint_s: float = 90.0
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Warm up, then a cosine to 2 %."""
        if step < self.warm_up_steps:
            return self.rate * (step + 1) / self.warm_up_steps
        return self.rate * (0.02 + 0.49 * (1 + math.cos(math.pi * step / self.steps)))


def contrast(
    first: torch.Tensor, second: torch.Tensor, undecided: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Each view must find its partner among all others: InfoNCE in both directions, 2n views.

    Args:
        first, second: (n, d) unit length, row i of both shows one thing.
        undecided: (n, n) pairs that count neither as alike nor as unlike.
    """
    count = len(first)
    views = torch.cat([first, second])
    alike = views @ views.T / temperature
    hidden = undecided.repeat(2, 2)
    hidden |= torch.eye(2 * count, dtype=torch.bool)
    partner = torch.arange(2 * count).roll(count)
    hidden[torch.arange(2 * count), partner] = False
    alike = alike.masked_fill(hidden, -1e4)
    return torch.nn.functional.cross_entropy(alike, partner)


class Trainer:
    """A network in training and all that a checkpoint holds."""

    def __init__(self, network: EmbeddingNetwork, plan: Plan) -> None:
        self.plan = plan
        self.network = network.train().to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(network).eval()
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=plan.rate, weight_decay=plan.weight_decay
        )
        self.step_number = 0

    def step(self, batch: Batch) -> float:
        """Learn from one batch; return the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step_number)
        views = torch.from_numpy(np.concatenate([batch.first, batch.second]))
        with torch.autocast("cpu", torch.bfloat16):
            found = self.network(views.to(memory_format=torch.channels_last))
        first, second = found.float().chunk(2)
        loss = contrast(first, second, torch.from_numpy(batch.undecided), self.plan.temperature)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step_number += 1
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        kept = min(AVERAGE_DECAY, self.step_number / (self.step_number + 10))
        now = self.network.state_dict()
        with torch.no_grad():
            for name, tensor in self.averaged.state_dict().items():
                if tensor.dtype.is_floating_point:
                    tensor.lerp_(now[name], 1 - kept)

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        unfinished = path.with_suffix(".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "step": self.step_number,
            },
            unfinished,
        )
        unfinished.replace(path)

    def restore(self, path: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            CheckpointUnfit: it cannot be read or is of another network.
        """
        try:
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step_number = int(state["step"])
        except Exception as error:  # torch.load raises whatever the broken bytes lead to
            raise CheckpointUnfit(f"{path} cannot be continued ({error})") from error


def train(
    trainer: Trainer, material: Material, checkpoint: Path, *, tell: Callable[[str], None]
) -> EmbeddingNetwork:
    """Train to the end of the plan, from the checkpoint if there is one; return the average."""
    if checkpoint.exists():
        trainer.restore(checkpoint)
    plan, saved, losses = trainer.plan, time.monotonic(), []
    while trainer.step_number < plan.steps:
        rng = np.random.default_rng([plan.seed, trainer.step_number])
        batch = material.batch(rng, facings=plan.facings, drawn=plan.drawn)
        losses.append(trainer.step(batch))
        if len(losses) == 25:
            tell(f"step {trainer.step_number} of {plan.steps}: loss {np.mean(losses):.3f}")
            losses = []
        if time.monotonic() - saved > plan.checkpoint_s:
            trainer.save(checkpoint)
            saved = time.monotonic()
    trainer.save(checkpoint)
    averaged: EmbeddingNetwork = trainer.averaged
    return averaged

"""Train the network: steps, averaged weights, checkpoints to continue from. Reads no labels.

A loop of our own in place of ultralytics' trainer: that one wants its own folder layout, reads
photos from disk in every epoch, and cannot end at a given time of the clock.
"""

import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from vision.training.augment import Picture, Variation
from vision.training.errors import CheckpointUnfit
from vision.training.feeding import Batch, decode_photos, feed
from vision.training.labels import LabelledPhoto
from vision.training.plan import TrainingPlan

CHECKPOINT_NAME = "checkpoint.pt"
CHECKPOINT_FORMAT = 1
# What an untaught place is made to answer: so sure a no that it neither costs nor teaches.
UNTAUGHT_LOGIT = -20.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is reported. Losses are per picture; `box` is overlap, `distance` edges."""

    iteration: int  # from 1
    elapsed_s: float  # over all continued runs together
    done_share: float
    rate: float
    box_loss: float
    class_loss: float
    distance_loss: float
    step_s: float

    @property
    def loss(self) -> float:
        """The three parts together."""
        return self.box_loss + self.class_loss + self.distance_loss


class Trainer:
    """A network in training and all that a checkpoint must hold to continue it."""

    def __init__(self, network: Any, plan: TrainingPlan) -> None:
        from ultralytics.utils.loss import v8DetectionLoss

        self.plan = plan
        self.network = network.train().to(memory_format=torch.channels_last)
        self.averaged = copy.deepcopy(network).eval()
        for parameter in self.averaged.parameters():
            parameter.requires_grad_(False)
        self.criterion: Any = v8DetectionLoss(self.network)
        self.optimizer = torch.optim.AdamW(_parameter_groups(self.network, plan))
        self.generator = np.random.default_rng(plan.seed)
        self.iteration = 0
        self.elapsed_s = 0.0

    def step(self, batch: Batch) -> dict[str, float]:
        """Learn from one batch; return the parts of the loss."""
        done = self.plan.done_share(iteration=self.iteration, elapsed_s=self.elapsed_s)
        share = self.plan.rate_share(iteration=self.iteration, done_share=done)
        for group in self.optimizer.param_groups:
            group["lr"] = group["full_rate"] * share
        pictures = torch.from_numpy(batch.pictures).float().div_(255)
        pictures = pictures.to(memory_format=torch.channels_last)
        # bfloat16 halves the time of a step on CPUs that have it.
        with torch.autocast("cpu", torch.bfloat16):
            answers = self.network(pictures)
        answers = {
            "boxes": answers["boxes"].float(),
            "scores": answers["scores"]
            .float()
            .masked_fill(torch.from_numpy(batch.untaught)[:, None], UNTAUGHT_LOGIT),
            "feats": [level.float() for level in answers["feats"]],
        }
        facings = torch.from_numpy(batch.facings)
        losses, parts = self.criterion(
            answers,
            {
                "batch_idx": facings[:, 0],
                "cls": torch.zeros(len(facings), 1),
                "bboxes": facings[:, 1:],
            },
        )
        self.optimizer.zero_grad(set_to_none=True)
        losses.sum().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.gradient_norm_max)
        self.optimizer.step()
        self._average()
        self.iteration += 1
        return {name: float(value) for name, value in parts.items()}

    def _average(self) -> None:
        kept = self.plan.average_share(self.iteration)
        current = self.network.state_dict()
        with torch.no_grad():
            for name, tensor in self.averaged.state_dict().items():
                if tensor.dtype.is_floating_point:
                    tensor.lerp_(current[name].to(tensor.dtype), 1 - kept)
                else:
                    tensor.copy_(current[name])

    def save(self, path: Path, *, generator_state: dict[str, Any]) -> None:
        """Write a checkpoint, whole or not at all."""
        unfinished = path.with_suffix(".part")
        torch.save(
            {
                "format": CHECKPOINT_FORMAT,
                "plan": asdict(self.plan),
                "network": self.network.state_dict(),
                "averaged": self.averaged.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "generator": generator_state,
                "torch_generator": torch.get_rng_state(),
                "iteration": self.iteration,
                "elapsed_s": self.elapsed_s,
            },
            unfinished,
        )
        unfinished.replace(path)

    def restore(self, path: Path) -> None:
        """Continue from a checkpoint of a run with the same batch size.

        Raises:
            CheckpointUnfit: it cannot be read, or belongs to another network or batch size.
        """
        try:
            state = torch.load(path, weights_only=True)
            if state["format"] != CHECKPOINT_FORMAT:
                raise CheckpointUnfit(f"{path} has format {state['format']}; start a new run")
            if state["plan"]["batch_size"] != self.plan.batch_size:
                raise CheckpointUnfit(
                    f"{path} was trained with batch size {state['plan']['batch_size']}, "
                    f"not {self.plan.batch_size}; give that one"
                )
            self.network.load_state_dict(state["network"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.generator.bit_generator.state = state["generator"]
            torch.set_rng_state(state["torch_generator"])
            self.iteration, self.elapsed_s = int(state["iteration"]), float(state["elapsed_s"])
        except CheckpointUnfit:
            raise
        except Exception as error:  # torch.load raises whatever the broken bytes lead to
            raise CheckpointUnfit(
                f"{path} cannot be continued ({error}); start a new run in another folder"
            ) from error


def train(
    network: Any,
    photos: Sequence[LabelledPhoto],
    *,
    plan: TrainingPlan,
    variation: Variation,
    run_dir: Path,
    report: Callable[[Step], None],
    snapshot: Callable[[Any], None],
    clock: Callable[[], float] = time.monotonic,
) -> Any:
    """Train until the plan is done; continue where `run_dir` holds a checkpoint.

    Args:
        network: of `build_network`; its weights are the start of a new run.
        photos: decoded once and held in memory.
        report: called after each step.
        snapshot: called with the averaged network every plan.snapshot_s.
        clock: seconds; the cosine of a plan in minutes follows it.
    Returns:
        The averaged network, in evaluation mode.
    Raises:
        PhotoUnreadable, CheckpointUnfit.
    """
    torch.set_num_threads(plan.threads)
    cv2.setNumThreads(1)  # the feeder is one thread; more would take the network's cores
    torch.manual_seed(plan.seed)
    trainer = Trainer(network, plan)
    checkpoint = run_dir / CHECKPOINT_NAME
    if checkpoint.exists():
        trainer.restore(checkpoint)
    _run(
        trainer,
        decode_photos(photos),
        variation=variation,
        checkpoint=checkpoint,
        report=report,
        snapshot=snapshot,
        clock=clock,
    )
    return trainer.averaged


def _run(
    trainer: Trainer,
    decoded: Sequence[tuple[LabelledPhoto, Picture]],
    *,
    variation: Variation,
    checkpoint: Path,
    report: Callable[[Step], None],
    snapshot: Callable[[Any], None],
    clock: Callable[[], float],
) -> None:
    plan = trainer.plan
    generator_state = dict(trainer.generator.bit_generator.state)
    earlier_s, began_s = trainer.elapsed_s, clock()
    saved_s = snapped_s = step_began_s = began_s

    def done_share() -> float:
        return plan.done_share(iteration=trainer.iteration, elapsed_s=trainer.elapsed_s)

    with feed(
        decoded,
        batch_size=plan.batch_size,
        variation=variation,
        generator=trainer.generator,
    ) as batches:
        while done_share() < 1:
            batch = next(batches)
            parts = trainer.step(batch)
            generator_state = batch.generator_state
            now_s = clock()
            trainer.elapsed_s = earlier_s + now_s - began_s
            report(
                Step(
                    iteration=trainer.iteration,
                    elapsed_s=trainer.elapsed_s,
                    done_share=done_share(),
                    rate=float(trainer.optimizer.param_groups[0]["lr"]),
                    box_loss=parts["box_loss"],
                    class_loss=parts["cls_loss"],
                    distance_loss=parts["dfl_loss"],
                    step_s=now_s - step_began_s,
                )
            )
            step_began_s = now_s
            if now_s - saved_s >= plan.checkpoint_s:
                trainer.save(checkpoint, generator_state=generator_state)
                saved_s = now_s
            if now_s - snapped_s >= plan.snapshot_s:
                snapshot(trainer.averaged)
                snapped_s = now_s
    trainer.save(checkpoint, generator_state=generator_state)


def _parameter_groups(network: Any, plan: TrainingPlan) -> list[dict[str, Any]]:
    """Split by rate (body, head) and by decay: biases and normalisation do not decay."""
    head = f"model.{len(network.model) - 1}."
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue  # the fixed weights that turn distances into edges
        groups.setdefault((name.startswith(head), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": 0.0,
            "full_rate": plan.head_rate if in_head else plan.rate,
            "weight_decay": plan.weight_decay if decays else 0.0,
        }
        for (in_head, decays), parameters in groups.items()
    ]

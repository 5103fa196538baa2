"""Write a model card from the facts of a run. Pure: says only what it is given."""

from collections.abc import Mapping
from dataclasses import dataclass

from vision.training.evaluate import Figures
from vision.training.model_facts import ModelFacts


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run was made of, as its card tells it."""

    photos: int
    facings_labelled: int
    facings_added: int  # by relabelling
    regions_doubted: int
    start: str
    minutes: float
    iterations: int
    batch_size: int
    rate: float
    made_on: str  # day, and what it ran on
    command: str
    photo_terms: str  # what the terms of the photos allow

    def __post_init__(self) -> None:
        if self.photos < 1:
            raise ValueError("a run needs at least one photo")
        if not self.minutes > 0 or self.iterations < 1:
            raise ValueError("a run needs minutes and iterations above 0")


def model_card(
    facts: ModelFacts,
    run: RunFacts,
    *,
    weights_sha256: str,
    measured_on: str,
    figures: Mapping[str, Figures],
) -> str:
    """Return the card as Markdown.

    Args:
        measured_on: what the figures were measured on; none of it may have been trained on.
        figures: by name of the model, in the order of the table; empty when nothing was measured.
    """
    return "\n".join(
        [
            f"# {facts.name} {facts.version}",
            "",
            "Finds product facings (one class) on photos of retail shelves. Architecture: "
            "ultralytics' `yolov5n` with an anchor-free head, 2.5 million parameters.",
            "",
            f"For evaluation: {run.photo_terms} `storepulse vision train` makes a chain's own "
            "model from its own photos.",
            "",
            "## In and out",
            f"- In: `photo` (batch, 3, height, width), float32 RGB from 0 to 1, sides multiples "
            f"of 32, padded with grey 114; meant for a long side of {facts.input_size} px.",
            "- Out: `facings` (batch, 5, places): centre x, centre y, width, height in pixels of "
            "the input, and a score from 0 to 1. Doubles are not suppressed in the model.",
            f"- SHA-256 of the half-precision weights: `{weights_sha256}`",
            "",
            "## How it was made",
            f"- Photos: {facts.trained_on}; {run.photos} photos with {run.facings_labelled} "
            "labelled facings.",
            f"- Relabelling by the starting weights, looking twice: {run.facings_added} forgotten "
            f"facings added, {run.regions_doubted} doubtful places taught nothing.",
            f"- Start: {run.start}.",
            f"- {run.iterations} iterations of {run.batch_size} crops in {run.minutes:.0f} "
            f"minutes ({run.made_on}), AdamW, rate {run.rate:g} falling as a cosine; the averaged "
            "weights of the last iteration, not chosen by any measurement.",
            f"- Command: `{run.command}`",
            "",
            *_measured(measured_on, figures),
            "## Licence",
            f"{facts.licence}",
            "",
            "ultralytics and its architectures are AGPL-3.0, and its authors hold that weights "
            "trained with it are too. Weights made by `storepulse vision train` carry that as "
            "well, besides the terms of the photos.",
            "",
            "## Limits",
            "- One class: it knows that something stands there, not what.",
            "- The truth it learned from misses facings and draws the line between front and "
            "background freely; so do the figures above.",
            "- Crops showed bays whose long side fills 850 to 1900 px; closer or farther photos "
            "were not taught.",
            "",
        ]
    )


def _measured(measured_on: str, figures: Mapping[str, Figures]) -> list[str]:
    if not figures:
        return ["## Measured", "Nothing was measured.", ""]
    some = next(iter(figures.values()))
    return [
        "## Measured",
        f"On {measured_on}: {some.photos} photos, {some.facings} facings outside the ignored "
        "regions, one pass, doubles suppressed at an overlap of 0.6, at most 800 facings a photo, "
        "average precision at 101 points as COCO does it.",
        "",
        "| model | AP50 | AP75 | AP 50 to 95 | recall at 50 |",
        "| --- | --- | --- | --- | --- |",
        *(
            f"| {name} | {f.ap50:.3f} | {f.ap75:.3f} | {f.ap:.3f} | {f.recall50:.3f} |"
            for name, f in figures.items()
        ),
        "",
    ]

"""`python -m vision.training.embedding`: make the packaged embedding of products again."""

import pickle
from pathlib import Path
from typing import Annotated, Final

import cv2
import torch
import typer
from rich.console import Console

from vision.photos import read_photo
from vision.products.facings import crops_of
from vision.training.embedding.crops import crop_photos
from vision.training.embedding.identities import Material, draw_families
from vision.training.embedding.loop import Plan, Trainer, train
from vision.training.embedding.network import (
    EmbeddingNetwork,
    export_onnx,
    load_weights,
    save_weights,
)
from vision.training.embedding.quantising import quantise
from vision.training.sources import read_sources

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)
TALK: Final = Console(stderr=True, soft_wrap=True, highlight=False)
FAMILIES: Final = 700

Run = Annotated[Path, typer.Option("--run", help="Folder of the run; git-ignored, resumable.")]


@app.command("train")
def train_command(
    sources: Annotated[list[str], typer.Argument(help="labels.json or labels.json=photos-folder.")],
    run: Run,
    steps: Annotated[int, typer.Option(min=1, help="Batches of 72 things, two views each.")] = 600,
    split: Annotated[str, typer.Option(help="Only photos of this split.")] = "train",
    seed: int = 0,
) -> None:
    """Train on facings of shelf photos and on rendered packs; continue where a run was cut off.

    Example: python -m vision.training.embedding train boxes.json more.json=more --run runs/look
    """
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    run.mkdir(parents=True, exist_ok=True)
    kept = run / "crops.pickle"
    if kept.exists():
        # Written by this command into its own folder: nothing foreign is unpickled.
        photos = pickle.loads(kept.read_bytes())  # noqa: S301
    else:
        TALK.print("cutting out facings", markup=False)
        photos = list(crop_photos(read_sources(sources, split=split).photos, seed=seed))
        kept.write_bytes(pickle.dumps(photos, protocol=4))
    material = Material(photos, draw_families(FAMILIES, size=4, seed=seed))
    trainer = Trainer(EmbeddingNetwork(), Plan(steps=steps, seed=seed))
    network = train(
        trainer, material, run / "checkpoint.pt", tell=lambda line: TALK.print(line, markup=False)
    )
    save_weights(network, run / "products.safetensors")
    typer.echo(run / "products.safetensors")


@app.command("export")
def export_command(
    weights: Annotated[Path, typer.Argument(help="What train wrote.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The ONNX file.")],
) -> None:
    """Write the network as ONNX, its tensors in half precision."""
    network = EmbeddingNetwork()
    load_weights(network, weights)
    export_onnx(network, output)
    typer.echo(output)


@app.command("quantise")
def quantise_command(
    exported: Annotated[Path, typer.Argument(help="The ONNX file that export wrote.")],
    sources: Annotated[list[str], typer.Argument(help="labels.json or labels.json=photos-folder.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The ONNX file.")],
    split: Annotated[str, typer.Option(help="Only photos of this split.")] = "train",
    photos: Annotated[int, typer.Option(min=1, help="So many of them, spread evenly.")] = 24,
) -> None:
    """Write an exported network in whole numbers (int8), which takes half the time.

    Example: python -m vision.training.embedding quantise wide.onnx boxes.json -o products.onnx
    """
    found = list(read_sources(sources, split=split).photos)
    some = found[:: max(1, len(found) // photos)][:photos]
    crops = [
        crop for photo in some for crop in crops_of(read_photo(photo.path).rgb, photo.facings)[::8]
    ]
    quantise(exported, crops, output)
    TALK.print(f"measured on {len(crops)} facings of {len(some)} photos", markup=False)
    typer.echo(output)


if __name__ == "__main__":
    app()

"""Understand where labelled photos lie, as said on the command line. Reads labels, no photo."""

from collections.abc import Sequence
from pathlib import Path

from vision.training.errors import LabelsUnreadable
from vision.training.labels import Labels, read_coco, read_yolo


def read_sources(sources: Sequence[str], *, split: str | None) -> Labels:
    """Read and join labelled photos.

    Each source is a COCO file (`labels.json`, its photos in `images` beside it or in its own
    folder), a COCO file with the folder of its photos (`labels.json=photos`), or a YOLO folder
    that holds `images` and `labels`.

    Raises:
        LabelsUnreadable: a source is none of these, breaks its format, or comes twice.
    """
    if not sources:
        raise LabelsUnreadable("give at least one labels.json or YOLO folder")
    first, *others = (_read_source(source, split) for source in sources)
    for other in others:
        first = first.joined(other)
    return first


def _read_source(source: str, split: str | None) -> Labels:
    name, _, photos = source.partition("=")
    path = Path(name)
    if path.is_dir():
        if photos or not (path / "images").is_dir() or not (path / "labels").is_dir():
            raise LabelsUnreadable(f"{source}: a YOLO folder holds `images` and `labels`")
        return read_yolo(path / "images", path / "labels")
    if path.suffix.lower() != ".json":
        raise LabelsUnreadable(
            f"{source} is neither a COCO file (.json) nor a YOLO folder; "
            "give labels.json, labels.json=photos-folder or a folder"
        )
    beside = path.parent / "images"
    photos_dir = Path(photos) if photos else beside if beside.is_dir() else path.parent
    return read_coco(path, photos_dir, split=split)

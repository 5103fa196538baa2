"""Planograms and drawn pictures on disk. The rim: what a planogram may be is said in `model`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
from pydantic import ValidationError

from planograms.errors import BadPicture, BadPlanogram
from planograms.model import PLANOGRAM_JSON, Planogram
from planograms.pictures import Pixels
from storepulse.secret_files import PUBLIC, sync_folder, write_beside, write_whole
from storepulse.wire import explain

FILE_BYTES_MAX: Final = 64 * 1024 * 1024


def read_planogram(path: Path) -> Planogram:
    """Read a planogram.

    Raises:
        BadPlanogram: no such file, not JSON, or a field is missing or wrong; says which.
    """
    return parse_planogram(read_file(path), name=str(path))


def read_file(path: Path) -> bytes:
    """The bytes of a planogram file.

    Raises:
        BadPlanogram: no such file, or larger than `FILE_BYTES_MAX`.
    """
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= FILE_BYTES_MAX else b""
    except OSError as error:
        raise BadPlanogram(f"{path}: cannot be read: {error.strerror}") from error
    if size > FILE_BYTES_MAX:
        raise BadPlanogram(f"{path}: {size} bytes; a planogram has at most {FILE_BYTES_MAX}")
    return content


def parse_planogram(content: bytes, *, name: str) -> Planogram:
    """Read a planogram from its bytes; `name` is what errors call it.

    Raises:
        BadPlanogram: not JSON, or a field is missing or wrong; says which.
    """
    try:
        return PLANOGRAM_JSON.validate_json(content)
    except ValidationError as error:
        raise BadPlanogram(f"{name}: {' '.join(explain(error).split())}") from error


def write_planogram(path: Path, planogram: Planogram) -> None:
    """Write a planogram; whoever reads the path meanwhile sees the old file or the new one.

    Raises:
        BadPlanogram: the folder is not there or cannot be written.
    """
    write_file(path, PLANOGRAM_JSON.dump_json(planogram, indent=1))


def write_planograms_whole(targets: Sequence[tuple[Path, Planogram]]) -> None:
    """Write several planograms, or none: only when all lie on the disk do they get their names.

    Raises:
        BadPlanogram: the folder is not there or cannot be written.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for path, planogram in targets:
            content = PLANOGRAM_JSON.dump_json(planogram, indent=1)
            written.append((write_beside(path, content, mode=PUBLIC), path))
        for temporary_path, path in written:
            temporary_path.replace(path)
        for folder in {path.parent for path, _ in targets}:
            sync_folder(folder)
    except OSError as error:
        raise BadPlanogram(
            f"{targets[0][0].parent}: cannot be written: {error.strerror}"
        ) from error
    finally:
        for temporary_path, _ in written:
            temporary_path.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole: a reader meanwhile, or a power cut, finds the old one or the new one.

    Raises:
        BadPlanogram: the folder is not there or cannot be written.
    """
    try:
        # A plan is read by others of the shop's system.
        write_whole(path, content, mode=PUBLIC)
    except OSError as error:
        raise BadPlanogram(f"{path}: cannot be written: {error.strerror}") from error


PICTURE_SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp")


def write_picture(path: Path, rgb: Pixels) -> None:
    """Write a picture in the format that the name's ending says.

    Raises:
        BadPicture: another ending, or the folder cannot be written.
    """
    if path.suffix.lower() not in PICTURE_SUFFIXES:
        raise BadPicture(f"{path}: a picture's name ends in one of {', '.join(PICTURE_SUFFIXES)}")
    done, content = cv2.imencode(path.suffix.lower(), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    assert done
    try:
        path.write_bytes(content.tobytes())
    except OSError as error:
        raise BadPicture(f"{path}: cannot be written: {error.strerror}") from error

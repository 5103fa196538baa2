"""What is written whole is on the disk, with its name, when the writer returns."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.photos import write_durably
from planograms.files import write_file, write_planogram, write_planograms_whole
from probes.calibration import DEFAULT_CALIBRATION, read_calibration, write_calibration
from probes.door_journal import DoorJournal
from probes.lists import PhoneList, write_list
from storepulse.secret_files import PUBLIC, write_whole
from tests.planograms.drawn import planogram
from vision.products.catalogue import Catalogue
from vision.products.judgement import read_judgement, write_judgement

PLAN = planogram("p2")
WRITERS: dict[str, Callable[[Path], object]] = {
    "any": lambda file: write_whole(file, b"new"),
    "a long name": lambda file: write_whole(file.with_name("n" * 250), b"new"),
    "photo": lambda file: write_durably(file, b"new"),
    "planogram": lambda file: write_planogram(file, PLAN),
    "planograms": lambda file: write_planograms_whole(
        [(file, PLAN), (file.with_name("2.json"), PLAN)]
    ),
    "plan file": lambda file: write_file(file, b"new"),
    "phones": lambda file: write_list(PhoneList(), file),
    "calibration": lambda file: write_calibration(read_calibration(DEFAULT_CALIBRATION), file),
    "passages": lambda file: DoorJournal(file.parent).replace([], None, []),
    "catalogue": lambda file: Catalogue().write(file),
    "weights": lambda file: write_judgement(read_judgement(), file),
}  # fmt: skip


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
def test_content_then_name_then_folder_reach_the_disk_in_this_order(
    write: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, Path.replace

    def sync(handle: int) -> None:
        held = os.fstat(handle)
        kind = "folder" if stat.S_ISDIR(held.st_mode) else "content" if held.st_size else "nothing"
        if kind != "folder" or os.path.samestat(held, tmp_path.stat()):
            done.append(kind)
        fsync(handle)

    def name(self: Path, target: Path) -> Path:
        done.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", name)
    write(tmp_path / "1.json")
    files = len(list(tmp_path.iterdir()))
    assert done == ["content"] * files + ["name"] * files + ["folder"]


def test_a_file_is_its_owners_alone_unless_others_are_to_read_it(tmp_path: Path) -> None:
    for mode, given in ((0o600, {}), (0o644, {"mode": PUBLIC})):
        write_whole(tmp_path / "file", b"content", **given)
        assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_what_finds_no_room_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "file", b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "file", b"new")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file", b"old")]

"""Lessons for the gap network: whose groups stay out, and what a tile teaches."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vision.training.conftest import draw_shelf
from vision.training.augment import Variation
from vision.training.errors import LabelsUnreadable
from vision.training.feeding import decode_photos
from vision.training.gap_lessons import (
    Group,
    Tiling,
    cut_tile,
    groups_of,
    held_out,
    joined_all,
    parted,
    share_of,
    shelf_tiles,
)
from vision.training.labels import LabelledPhoto, Labels, no_boxes
from vision.training.sources import read_sources

groups = st.sets(
    st.builds(Group, st.integers(0, 200).map(str), st.sampled_from(["a", "b", "c"])), max_size=60
)


@given(groups)
def test_a_fifth_of_each_sources_groups_stays_out(given_groups):
    away = held_out(given_groups)
    assert away <= given_groups
    for source in "abc":
        own = [group for group in given_groups if group.source == source]
        out = [group for group in away if group.source == source]
        if len(own) > 1:
            assert len(out) == max(1, round(len(own) / 5))
        else:
            assert not out


@given(groups)
def test_which_groups_stay_out_does_not_hang_on_their_order(given_groups):
    assert held_out(sorted(given_groups, key=str)) == held_out(given_groups)


def photo_of(folder, name):
    return LabelledPhoto(folder / name, 10, 10, no_boxes(), no_boxes())


def test_pictures_of_one_scene_stay_together_and_shares_lie_within_each_other(tmp_path):
    names = {f"{number}.png": Group(str(number // 3), "a") for number in range(90)}
    labels = Labels(tuple(photo_of(tmp_path, name) for name in names))
    taught, held = parted(labels, names)
    assert len(taught.photos) + len(held.photos) == 90
    scenes = [{names[photo.path.name] for photo in part.photos} for part in (taught, held)]
    assert not scenes[0] & scenes[1]
    quarter, half = ({p.path for p in share_of(taught, names, part).photos} for part in (0.25, 0.5))
    assert quarter < half
    assert share_of(taught, names, 1.0).photos == taught.photos
    assert len(joined_all([taught, held, held]).photos) == 90 + len(held.photos)


def test_groups_are_read_from_the_label_file(tmp_path):
    path = tmp_path / "gaps.json"
    path.write_text(json.dumps({"images": [{"file_name": "x/a.png", "group": 7, "source": "s"}]}))
    assert groups_of(path) == {"a.png": Group("7", "s")}
    path.write_text(json.dumps({"images": [{"file_name": "a.png"}]}))
    with pytest.raises(LabelsUnreadable, match="names no groups"):
        groups_of(path)


SMALL = Tiling(tile_px=120, facing_height_px_min=30, facing_height_px_max=34, emptied_share=1.0)


def shelf(tmp_path):
    path = tmp_path / "shelf.png"
    boxes = draw_shelf(path, seed=3)
    corners = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], np.float32)
    photo = LabelledPhoto(path, 240, 180, corners, no_boxes())
    [(_, picture)] = decode_photos([photo])
    return photo, picture


@pytest.mark.parametrize("seed", range(6))
def test_where_packs_were_taken_out_is_a_gap_and_dark(tmp_path, seed):
    photo, picture = shelf(tmp_path)
    generator = np.random.default_rng(seed)
    tile, gaps, _ = cut_tile(picture, photo, tiling=SMALL, generator=generator)
    assert max(tile.shape[:2]) <= 120
    for x1, y1, x2, y2 in gaps.round().astype(int):
        assert 0 <= x1 < x2 <= tile.shape[1]
        assert 0 <= y1 < y2 <= tile.shape[0]
        inside = tile[y1 + 3 : max(y2 - 3, y1 + 4), x1 + 3 : max(x2 - 3, x1 + 4)]
        assert np.median(inside) < 100


def test_some_tiles_have_gaps_and_a_full_shelf_has_none(tmp_path):
    photo, picture = shelf(tmp_path)
    full = Tiling(tile_px=120, emptied_share=0.0)
    counts = {
        tiling: sum(
            len(cut_tile(picture, photo, tiling=tiling, generator=np.random.default_rng(seed))[1])
            for seed in range(8)
        )
        for tiling in (SMALL, full)
    }
    assert counts[SMALL] > 8
    assert counts[full] == 0
    assert np.array_equal(shelf(tmp_path)[1], picture)


def test_tiles_are_written_as_photos_that_can_be_trained_on(shelves, tmp_path):
    labels = read_sources([str(shelves / "labels.json")], split="train")
    tiles = shelf_tiles(
        labels, tmp_path / "tiles", tiling=SMALL, generator=np.random.default_rng(0)
    )
    assert len(tiles.photos) == 2 * len(labels.photos)
    assert len(decode_photos(tiles.photos)) == len(tiles.photos)


def test_an_impossible_tiling_is_refused():
    with pytest.raises(ValueError, match="a tile"):
        Tiling(tile_px=8)
    with pytest.raises(ValueError, match="facing_height"):
        Tiling(facing_height_px_min=50, facing_height_px_max=40)


def test_a_short_run_writes_a_network_that_a_node_can_use(shelves, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    for part in ("ultralytics", "onnx", "safetensors"):
        if find_spec(part) is None:
            pytest.skip(f"training is not installed: {part}")
    from vision.gap_eyes import GapEyes
    from vision.training import gap_run
    from vision.training.model_facts import ModelFacts
    from vision.training.network import build_network, save_weights

    monkeypatch.setattr(
        gap_run, "GAP_VARIATION", Variation(crop_px=64, long_side_px_min=100, long_side_px_max=150)
    )
    labels = read_sources([str(shelves / "labels.json")], split="train")
    start = tmp_path / "start.safetensors"
    save_weights(build_network(), start)
    plan = gap_run.TrainingPlan(iterations=2, batch_size=2, threads=1, warm_up_iterations=1)
    steps = []
    model = gap_run.run_gap_training(
        gap_run.GapRun(
            gaps=labels,
            groups={photo.path.name: Group(photo.path.name, "drawn") for photo in labels.photos},
            shelves=labels,
            start=start,
            folder=tmp_path / "run",
            plan=plan,
            facts=ModelFacts("gaps", "1", "drawn shelves", "AGPL-3.0", input_size=128),
        ),
        report=steps.append,
    )
    assert [step.iteration for step in steps] == [1, 2]
    facts = GapEyes(model, threads=1).facts
    assert facts is not None
    assert facts.name == "gaps"
    assert gap_run.gap_plan(minutes=3, iterations=None, threads=1).minutes == 3

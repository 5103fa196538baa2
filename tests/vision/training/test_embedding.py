"""The embedding's training on drawn shelves: crops, views, loss, resuming, export."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from tests.vision.products.drawn_packs import front, seen_again  # noqa: E402
from vision.products.embedding import Embedder  # noqa: E402
from vision.training.embedding.crops import crop_photo  # noqa: E402
from vision.training.embedding.identities import Material, draw_families  # noqa: E402
from vision.training.embedding.loop import Plan, Trainer, contrast, train  # noqa: E402
from vision.training.embedding.network import (  # noqa: E402
    EmbeddingNetwork,
    export_onnx,
    load_weights,
    save_weights,
)
from vision.training.embedding.quantising import quantise  # noqa: E402
from vision.training.errors import CheckpointUnfit, WeightsUnfit  # noqa: E402


def shelf():
    """A row of ten facings: two of each of five products, side by side."""
    photo = np.full((300, 1900, 3), 60, np.uint8)
    boxes, x = [], 8
    for number in (1, 1, 2, 2, 3, 3, 4, 4, 6, 6):
        pack = seen_again(front(number, ground=60), turn=float(x % 3), light=0.95)
        high, wide = pack.shape[:2]
        photo[20 : 20 + high, x : x + wide] = pack
        boxes.append((x + 12, 32, x + wide - 12, 8 + high))
        x += wide
    return photo, np.array(boxes, float)


@pytest.fixture(scope="module")
def cropped():
    photo, boxes = shelf()
    found = crop_photo(photo, boxes, np.random.default_rng(0))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def material(cropped):
    return Material([cropped], draw_families(3, size=3, seed=0))


def test_neighbours_are_grouped_only_with_sisters(cropped):
    assert len(cropped.crops) == 10
    assert len(np.unique(cropped.group)) < 10
    for group in np.unique(cropped.group):
        members = np.flatnonzero(cropped.group == group)
        assert len(np.unique(members // 2)) == 1
    assert not cropped.unlike[cropped.group[:, None] == cropped.group[None]].any()


def test_a_photo_of_tiny_facings_gives_nothing():
    photo, _ = shelf()
    tiny = np.array([(5, 5, 20, 20)], float)
    assert crop_photo(photo, tiny, np.random.default_rng(0)) is None


def test_a_batch_shows_each_thing_twice_and_marks_what_is_not_decided(material):
    batch = material.batch(np.random.default_rng(1), facings=5, drawn=4)
    assert batch.first.shape == batch.second.shape == (9, 3, 96, 96)
    assert 0 <= batch.first.min() <= batch.first.max() <= 1
    assert not batch.undecided.diagonal().any()
    assert not batch.undecided[5:, 5:].any()


def test_the_loss_is_least_where_partners_are_alike_and_others_are_not():
    views = torch.eye(4)
    none = torch.zeros(4, 4, dtype=torch.bool)
    paired = contrast(views, views, none, 0.1)
    mixed = contrast(views, views.roll(1, 0), none, 0.1)
    assert paired < 0.01 < 5 < mixed


def test_undecided_pairs_cost_nothing():
    views = torch.nn.functional.normalize(torch.ones(2, 3), dim=1)
    both = ~torch.eye(2, dtype=torch.bool)
    assert contrast(views, views, both, 0.1) < 1e-3
    assert contrast(views, views, ~both & both, 0.1) > 0.5


def test_a_run_learns_and_continues_from_its_checkpoint(material, tmp_path):
    torch.manual_seed(0)
    plan = Plan(steps=2, facings=4, drawn=2, warm_up_steps=1, checkpoint_s=0)
    first = Trainer(EmbeddingNetwork(), plan)
    before = first.network.head.weight.detach().clone()
    train(first, material, tmp_path / "c.pt", tell=lambda line: None)
    assert not torch.equal(before, first.network.head.weight)
    again = Trainer(EmbeddingNetwork(), plan)
    network = train(again, material, tmp_path / "c.pt", tell=lambda line: None)
    assert again.step_number == 2
    assert torch.equal(network.head.weight, first.averaged.head.weight)
    (tmp_path / "c.pt").write_bytes(b"cut")
    with pytest.raises(CheckpointUnfit):
        again.restore(tmp_path / "c.pt")


def test_weights_and_onnx_give_the_same_embedding(tmp_path):
    torch.manual_seed(1)
    network = EmbeddingNetwork().eval()
    save_weights(network, tmp_path / "w.safetensors")
    loaded = EmbeddingNetwork()
    load_weights(loaded, tmp_path / "w.safetensors")
    export_onnx(loaded, tmp_path / "w.onnx")
    crop = front(1)[:96, :96]
    with torch.no_grad():
        ours = loaded(torch.from_numpy(crop.transpose(2, 0, 1)[None].astype(np.float32) / 255))
    theirs = Embedder(tmp_path / "w.onnx", threads=1).embed([crop])
    assert theirs[0] == pytest.approx(ours.numpy()[0], abs=2e-3)


def test_weights_of_another_network_are_refused(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"none")
    with pytest.raises(WeightsUnfit):
        load_weights(EmbeddingNetwork(), tmp_path / "w.safetensors")


def test_whole_numbers_give_nearly_the_same_embedding(tmp_path):
    torch.manual_seed(2)
    export_onnx(EmbeddingNetwork().eval(), tmp_path / "wide.onnx")
    crops = [front(number)[:120, :96] for number in range(1, 5)]
    quantise(tmp_path / "wide.onnx", crops, tmp_path / "int8.onnx")
    wide, narrow = (
        Embedder(tmp_path / name, threads=1).embed(crops) for name in ("wide.onnx", "int8.onnx")
    )
    assert (wide * narrow).sum(axis=1) == pytest.approx(1, abs=0.01)
    assert (tmp_path / "int8.onnx").stat().st_size < 0.8 * (tmp_path / "wide.onnx").stat().st_size

"""Weights in and out, the exported model and what it says of itself."""

from importlib.util import find_spec

import numpy as np
import onnxruntime
import pytest

torch = pytest.importorskip("torch")
# Found, not imported: importing it before our own settings would let it write and talk.
if find_spec("ultralytics") is None:
    pytest.skip("training is not installed", allow_module_level=True)
pytest.importorskip("onnx")
save_file = pytest.importorskip("safetensors.torch").save_file

from vision.training.detect import load_detector  # noqa: E402
from vision.training.errors import WeightsUnfit  # noqa: E402
from vision.training.export import (  # noqa: E402
    add_properties,
    export_onnx,
    halve_stored_numbers,
    weights_sha256,
)
from vision.training.model_facts import ModelFacts  # noqa: E402
from vision.training.network import build_network, load_weights, save_weights  # noqa: E402
from vision.training.torchvision_ops import mend_torchvision, non_maximum_suppression  # noqa: E402

FACTS = ModelFacts("facings", "7", "drawn shelves", "AGPL-3.0", input_size=640)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return build_network().eval()


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export_onnx(network, path, facts=FACTS)
    return path


def test_weights_come_back_in_half_precision(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(network, path)
    other = build_network()
    assert weights_sha256(other) != weights_sha256(network)
    load_weights(other, path)
    assert weights_sha256(other) == weights_sha256(network)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_only_tensors_that_fit_by_name_and_shape_are_loaded(network, tmp_path):
    state = network.state_dict()
    name = "model.0.conv.weight"
    stored = {
        name: state[name] + 1,
        "model.1.conv.weight": torch.zeros(3),
        "old.head": torch.ones(1),
    }
    save_file(stored, tmp_path / "some.safetensors")
    other = build_network()
    assert load_weights(other, tmp_path / "some.safetensors") == 1
    torch.testing.assert_close(other.state_dict()[name], state[name] + 1)


def test_weights_that_do_not_fit_are_refused(network, tmp_path):
    path = tmp_path / "bad.safetensors"
    for content in (b"", b"not tensors at all"):
        path.write_bytes(content)
        with pytest.raises(WeightsUnfit, match="safetensors"):
            load_weights(network, path)
    save_file({"other": torch.ones(1)}, path)
    with pytest.raises(WeightsUnfit, match="no tensor"):
        load_weights(network, path)
    with pytest.raises(WeightsUnfit):
        load_weights(network, tmp_path / "missing.safetensors")


def test_the_exported_model_takes_any_batch_and_size_and_answers_as_torch(network, exported):
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    for shape in ((1, 3, 64, 96), (3, 3, 128, 64)):
        pixels = np.random.default_rng(0).random(shape, np.float32)
        got = session.run(None, {"photo": pixels})[0]
        with torch.no_grad():
            wanted = network(torch.from_numpy(pixels))[0].numpy()
        places = sum((shape[2] // stride) * (shape[3] // stride) for stride in (8, 16, 32))
        assert got.shape == (shape[0], 5, places)
        np.testing.assert_allclose(got, wanted, atol=5e-3)


def test_the_exported_model_says_what_it_is(network, exported):
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map == {
        "name": "facings",
        "version": "7",
        "trained_on": "drawn shelves",
        "licence": "AGPL-3.0",
        "input_size": "640",
        "weights_sha256": weights_sha256(network),
    }
    assert exported.stat().st_size < 12_000_000


def test_the_network_is_left_as_it_was_by_an_export(network, tmp_path):
    before = weights_sha256(network)
    export_onnx(network, tmp_path / "again.onnx", facts=FACTS)
    assert weights_sha256(network) == before
    assert isinstance(network(torch.zeros(1, 3, 64, 64)), tuple)


def test_a_detector_answers_in_pixels_of_the_photo(exported):
    picture = np.random.default_rng(0).integers(0, 255, (100, 50, 3), np.uint8)
    # Random weights answer everywhere, weakly.
    got = load_detector(exported, long_side_px=200, score_min=0.0, threads=1)(picture)
    assert 0 < len(got.boxes) == len(got.scores) <= 800
    assert got.boxes.max() < 250
    assert (np.diff(got.scores) <= 0).all()


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"cut")
    with pytest.raises(WeightsUnfit, match="ONNX"):
        load_detector(path)


@pytest.mark.parametrize("settings", [{"licence": " "}, {"version": ""}, {"input_size": 1000}])
def test_a_model_must_say_what_it_is(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        ModelFacts(**{"name": "a", "version": "1", "trained_on": "b", "licence": "c"} | settings)


def test_the_suppression_that_stands_in_for_torchvisions_own():
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]])
    scores = torch.tensor([0.5, 0.9, 0.7])
    assert non_maximum_suppression(boxes, scores, 0.5).tolist() == [1, 2]
    assert non_maximum_suppression(boxes, scores, 0.9).tolist() == [1, 2, 0]
    assert non_maximum_suppression(boxes[:0], scores[:0], 0.5).tolist() == []
    mend_torchvision()
    assert torch.ops.torchvision.nms(boxes, scores, 0.5).tolist() == [1, 2]
    assert mend_torchvision() is False


def test_tensors_that_are_named_keep_the_networks_own_values(network, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_weights(network, path)
    other = build_network()
    before = {name: tensor.clone() for name, tensor in other.state_dict().items()}
    load_weights(other, path, without=("model.24.cv3.",))
    for name, tensor in other.state_dict().items():
        if name.startswith("model.24.cv3."):
            assert torch.equal(tensor, before[name]), name
    assert not torch.equal(other.state_dict()["model.0.conv.weight"], before["model.0.conv.weight"])


def test_a_halved_model_is_half_as_long_and_answers_the_same(exported, tmp_path):
    halved = tmp_path / "halved.onnx"
    halved.write_bytes(exported.read_bytes())
    halve_stored_numbers(halved)
    assert halved.stat().st_size < 0.6 * exported.stat().st_size
    pixels = np.random.default_rng(2).random((1, 3, 96, 128), np.float32)
    whole, half = (
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(
            None, {"photo": pixels}
        )[0]
        for path in (exported, halved)
    )
    assert np.abs(whole[:, :4] - half[:, :4]).max() < 0.5
    assert np.abs(whole[:, 4] - half[:, 4]).max() < 0.01
    assert [file.name for file in tmp_path.iterdir()] == [halved.name]


def test_further_properties_leave_the_others(exported, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(exported.read_bytes())
    add_properties(path, {"looks": "640 640m", "version": "8"})
    said = (
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        .get_modelmeta()
        .custom_metadata_map
    )
    assert said["looks"] == "640 640m"
    assert said["version"] == "8"
    assert said["name"] == FACTS.name


def test_properties_cannot_be_written_into_a_text(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text("no network")
    with pytest.raises(WeightsUnfit, match="cannot be read as an ONNX model"):
        add_properties(path, {"looks": "640"})

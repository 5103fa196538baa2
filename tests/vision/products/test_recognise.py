"""`recognise` and `index` on drawn packs, with the packaged embedding and weights."""

import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from storepulse.errors import BadInput
from tests.vision.products.drawn_packs import front, seen_again
from vision.cli import app
from vision.products.embedding import Embedder, squares
from vision.products.errors import BadEmbedding
from vision.products.traits import without_plain_ground


def run(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments])


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    for number in range(4):
        product = folder / "refs" / f"sku-{number}"
        product.mkdir(parents=True)
        Image.fromarray(front(number)).save(product / "packshot.png")
    for number in (0, 2, 9):
        Image.fromarray(seen_again(front(number, ground=128))).save(folder / f"photo-{number}.jpg")
    return folder


def test_known_products_are_named_and_an_unknown_one_is_refused(shop):
    photos = [shop / f"photo-{number}.jpg" for number in (0, 2, 9)]
    result = run("recognise", "--refs", shop / "refs", *photos, "--json")
    assert result.exit_code == 0, result.output
    answers = json.loads(result.stdout)
    assert [answers[str(photo)][0]["sku"] for photo in photos[:2]] == ["sku-0", "sku-2"]
    assert answers[str(photos[2])] == []
    for names in answers.values():
        scores = [name["score"] for name in names]
        assert scores == sorted(scores, reverse=True)


def test_an_index_names_as_the_folder_does_until_a_product_is_removed(shop, tmp_path):
    kept, photo = tmp_path / "shop.refs", shop / "photo-2.jpg"
    assert run("index", "-o", kept, "--add", shop / "refs").exit_code == 0
    by_index = run("recognise", "--refs", kept, photo, "--json").stdout
    assert by_index == run("recognise", "--refs", shop / "refs", photo, "--json").stdout
    assert run("index", "-o", kept, "--remove", "sku-2").exit_code == 0
    assert json.loads(run("recognise", "--refs", kept, photo, "--json").stdout)[str(photo)] == []


@pytest.mark.parametrize("what", ["missing", "empty", "product without picture"])
def test_references_that_cannot_be_used_are_refused_in_words(shop, tmp_path, what):
    refs = tmp_path / "refs"
    if what != "missing":
        refs.mkdir()
    if what == "product without picture":
        (refs / "tea").mkdir()
    result = run("recognise", "--refs", refs, shop / "photo-0.jpg")
    assert isinstance(result.exception, BadInput)
    assert str(refs) in str(result.exception)


def test_a_file_that_is_no_embedding_is_refused(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(BadEmbedding, match="cannot be loaded"):
        Embedder(tmp_path / "x.onnx")


def test_an_embedding_has_unit_length_whatever_the_batch(shop):
    embedder = Embedder(threads=1)
    crops = [front(number) for number in range(3)]
    together = embedder.embed(crops)
    assert (together**2).sum(axis=1) == pytest.approx([1, 1, 1], abs=1e-3)
    assert together[1] == pytest.approx(embedder.embed(crops[1:2])[0], abs=1e-4)
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_squares_keep_proportions():
    square = squares([front(1)[:40, :20]])[0]
    assert (square[:, 0] == 114).all()
    assert (square[:, 48] != 114).any()


def test_a_plain_ground_is_cut_off_and_a_scene_is_not():
    packshot = front(1)
    assert without_plain_ground(packshot).shape[0] < packshot.shape[0]
    scene = packshot.copy()
    scene[::2] //= 3
    assert without_plain_ground(scene).shape == scene.shape

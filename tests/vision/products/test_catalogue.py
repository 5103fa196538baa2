"""A catalogue changes at once, leaves the older one alone, and comes back from its file."""

import numpy as np
import pytest

from tests.vision.products.drawn_packs import front
from vision.products.catalogue import Catalogue, read_catalogue
from vision.products.colours import describe_colours
from vision.products.errors import BadReferences
from vision.products.prints import read_print
from vision.products.traits import Traits


def traits(number: int) -> Traits:
    rng = np.random.default_rng(number)
    looks = rng.normal(size=(2, 8)).astype(np.float32)
    return Traits(looks, describe_colours(front(number)), read_print(front(number)))


def test_a_product_is_there_once_added_and_gone_once_removed():
    before = Catalogue().with_product("tea", [traits(1)])
    after = before.with_product("milk", [traits(2), traits(3)])
    assert list(after.products) == ["tea", "milk"]
    assert list(before.products) == ["tea"]
    assert list(after.without("tea").products) == ["milk"]
    assert after.without("bread").products == after.products


def test_more_references_join_those_that_are_there():
    catalogue = Catalogue().with_product("tea", [traits(1)]).with_product("tea", [traits(2)])
    assert len(catalogue.products["tea"]) == 2


@pytest.mark.parametrize(("sku", "references"), [("", [1]), ("tea", [])], ids=["name", "reference"])
def test_a_product_needs_a_name_and_a_reference(sku, references):
    with pytest.raises(ValueError, match="needs a name"):
        Catalogue().with_product(sku, [traits(number) for number in references])


@pytest.mark.parametrize("count", [0, 3])
def test_a_catalogue_comes_back_from_its_file(tmp_path, count):
    catalogue = Catalogue()
    for number in range(count):
        catalogue = catalogue.with_product(f"sku {number % 2}", [traits(number)])
    catalogue.write(tmp_path / "shop.refs")
    back = read_catalogue(tmp_path / "shop.refs")
    assert list(back.products) == list(catalogue.products)
    for sku, references in catalogue.products.items():
        for one, again in zip(references, back.products[sku], strict=True):
            np.testing.assert_array_equal(one.embeddings, again.embeddings)
            np.testing.assert_array_equal(one.colours, again.colours)
            np.testing.assert_array_equal(one.print.looks, again.print.looks)
            np.testing.assert_array_equal(one.print.lab, again.print.lab)
            assert one.print.lab_scale == again.print.lab_scale


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 cut", b"no index"], ids=["empty", "cut", "text"]
)
def test_another_file_is_refused_in_words(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BadReferences, match="is no catalogue"):
        read_catalogue(tmp_path / "x")

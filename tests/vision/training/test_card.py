"""The model card says what it was given, and that nothing was measured when nothing was."""

import pytest

from vision.training.card import RunFacts, model_card
from vision.training.evaluate import Figures
from vision.training.model_facts import ModelFacts

FACTS = ModelFacts("facings", "7", "drawn shelves", "AGPL-3.0", input_size=640)
RUN = {
    "photos": 3,
    "facings_labelled": 120,
    "facings_added": 4,
    "regions_doubted": 5,
    "start": "`begin.safetensors`",
    "minutes": 75.2,
    "iterations": 4321,
    "batch_size": 8,
    "rate": 4e-4,
    "made_on": "2026-11-22, 2 threads",
    "command": "storepulse vision train here",
    "photo_terms": "drawn by us.",
}


def card(figures):
    return model_card(
        FACTS, RunFacts(**RUN), weights_sha256="ab12", measured_on="a shelf", figures=figures
    )


def test_every_fact_of_the_run_is_on_the_card():
    text = card({"start": Figures(1, 40, 0.8, 0.5, 0.45, 0.9)})
    for words in (
        *("facings 7", "drawn shelves", "3 photos", "120", "4 forgotten", "5 doubtful", "75"),
        *("4321", "0.0004", "begin.safetensors", "storepulse vision train here", "ab12"),
        *("AGPL-3.0", "For evaluation: drawn by us.", "makes a chain's own", "640"),
        *("| start | 0.800 | 0.500 | 0.450 | 0.900 |", "1 photos, 40 facings"),
    ):
        assert words in text


def test_no_figure_is_made_up():
    assert "Nothing was measured." in card({})
    assert "AP50" not in card({})


@pytest.mark.parametrize("settings", [{"photos": 0}, {"minutes": 0}, {"iterations": 0}])
def test_a_run_that_did_nothing_has_no_card(settings):
    with pytest.raises(ValueError, match="a run needs"):
        RunFacts(**RUN | settings)

"""Where a photo's time goes adds up to the time that it took."""

import pytest

from storepulse.eval.phone_speed import stages_of


def test_the_stages_of_a_photo_add_up_to_its_time() -> None:
    told = {
        "kept": 20.0, "sending": 30.0, "answered": 800.0, "shown": 820.0,
        "node": {"keep": 15.0, "judge": 600.0, "finish": 5.0},
        "eyes": {"read": 40.0, "detect": 300.0, "total": 340.0},
    }  # fmt: skip
    stages = stages_of(told)
    parts = {"node: judge: read", "node: judge: detect"}
    assert stages.keys() >= parts, "what the judge did is told, as parts of it"
    assert sum(s for name, s in stages.items() if name not in parts) == pytest.approx(0.82)
    assert stages["line: the photo's way, and the answer's"] == pytest.approx(0.15)

"""A new clerk gets from the pairing code to the end of the first list within two minutes."""

from typing import Any

import pytest

from storepulse.eval.new_clerk import How, new_clerk
from tests.journeys.world import World

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]


@pytest.mark.parametrize("how", ["touch", "keyboard"])
def test_from_the_code_to_the_end_of_the_first_list(
    world: World, browser: Any, how: How, capsys: pytest.CaptureFixture[str]
) -> None:
    run = new_clerk(world, browser, how=how)
    with capsys.disabled():
        print(f"\n{run.in_words()}")  # noqa: T201
    assert run.items >= 1
    assert run.ok, run

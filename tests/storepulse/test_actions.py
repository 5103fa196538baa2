"""An action moves as its table says."""

from typing import get_args

from storepulse.actions import ACTION_MOVES, ActionEvent, ActionState, next_state


def test_every_state_has_its_line_in_the_table() -> None:
    assert set(ACTION_MOVES) == set(get_args(ActionState))


def test_every_event_moves_something_but_a_receipt() -> None:
    used = {event for moves in ACTION_MOVES.values() for event in moves}
    assert used | {"withdrawal_stored"} == set(get_args(ActionEvent))


def test_a_confirmed_action_stays_confirmed() -> None:
    assert all(next_state("confirmed", event) == "confirmed" for event in get_args(ActionEvent))


def test_a_late_tick_still_counts() -> None:
    assert next_state("overdue", "ticked") == "done"

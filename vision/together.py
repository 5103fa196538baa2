"""Do several small things at once on two threads. Decides nothing; knows no photo.

OpenCV and numpy let go of Python's lock while they work, so two threads are two cores.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

Done = TypeVar("Done")


def together(tasks: Sequence[Callable[[], Done]], *, beside: Executor | None = None) -> list[Done]:
    """What the tasks return, in their order; those that `beside` has not begun are done here.

    Both threads begin with the longest that nobody has begun: what is left at the end, when one
    waits for the other, is short.

    Args:
        tasks: independent of each other, the longest first.
        beside: another thread; None: all are done here.
    Raises:
        Whatever a task raises; then others may still be running.
    """
    if beside is None:
        return [task() for task in tasks]
    begun = [beside.submit(task) for task in tasks]
    done: dict[int, Done] = {}
    for number in range(len(tasks)):
        if begun[number].cancel():
            done[number] = tasks[number]()
    return [
        done[number] if number in done else waited.result() for number, waited in enumerate(begun)
    ]

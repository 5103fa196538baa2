"""Two threads give what one gives."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from vision.together import together


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.mark.parametrize("count", [0, 1, 5])
def test_answers_come_in_the_order_of_the_tasks(beside: ThreadPoolExecutor, count: int) -> None:
    tasks = [lambda number=number: number * number for number in range(count)]
    assert together(tasks, beside=beside) == together(tasks) == [n * n for n in range(count)]


def test_a_busy_thread_is_not_waited_for(beside: ThreadPoolExecutor) -> None:
    free, here = threading.Event(), threading.current_thread()
    beside.submit(free.wait)
    try:
        assert together([threading.current_thread] * 3, beside=beside) == [here] * 3
    finally:
        free.set()


def test_both_threads_work(beside: ThreadPoolExecutor) -> None:
    met = threading.Barrier(2, timeout=60)
    together([met.wait, met.wait], beside=beside)


@pytest.mark.parametrize("wrong", [0, 2])
def test_what_a_task_raises_is_raised(beside: ThreadPoolExecutor, wrong: int) -> None:
    def task(number: int) -> int:
        if number == wrong:
            raise ValueError("that one")
        return number

    tasks = [lambda number=number: task(number) for number in range(3)]
    with pytest.raises(ValueError, match="that one"):
        together(tasks, beside=beside)

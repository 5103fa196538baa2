"""Heed a cancellation that a library swallowed. Cancels nothing itself."""

import asyncio


def heed_cancellation() -> None:
    """End this task if it was told to end, whatever became of that.

    Before Python 3.12 `asyncio.wait_for`, by which aiomqtt waits, swallows a cancellation that
    comes in the same moment as the answer, and a task group asks its tasks to end only once. For
    the tasks of a group, not for the one that holds it: a group cancels that one to wake it.

    Raises:
        CancelledError: the task was cancelled before.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError

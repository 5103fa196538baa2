"""What each stage of the demo said and how long it took; told on stderr. Runs nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console


@dataclass(slots=True)
class Stage:
    """One stage: its name, what it said in words, and its figures."""

    name: str
    said: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    """None while it runs."""

    def say(self, said: str, **figures: Any) -> None:
        """Set down what came of it."""
        self.said = said
        self.figures.update(figures)

    def as_json(self) -> dict[str, Any]:
        """Its object in the demo's document."""
        return {"stage": self.name, "seconds": self.seconds, "said": self.said, **self.figures}


class Stages:
    """The stages so far, in order."""

    def __init__(self, talk: Console) -> None:
        self._talk = talk
        self.done: list[Stage] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Run the body as one stage; one that fails is told as failed, and the error goes on."""
        stage = Stage(name)
        self.done.append(stage)
        began = time.monotonic()
        try:
            with self._talk.status(f"{name} …"):
                yield stage
        except BaseException:
            stage.seconds = round(time.monotonic() - began, 2)
            self._talk.print(f"[red]✗[/red] {name}: failed after {stage.seconds:.1f} s")
            raise
        stage.seconds = round(time.monotonic() - began, 2)
        self._talk.print(f"[green]✓[/green] {name} ", end="")
        self._talk.print(f"({stage.seconds:.1f} s): {stage.said}", markup=False)

    def as_json(self) -> list[dict[str, Any]]:
        """All stages, for the document."""
        return [stage.as_json() for stage in self.done]

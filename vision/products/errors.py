"""What can go wrong while naming products.

BadInput
├── BadEmbedding     the embedding's file is missing or is no embedding of ours
├── BadJudgement     the file of learnt weights is missing or is of another version
└── BadReferences    the folder or file of reference pictures cannot be used
"""

from pathlib import Path

from storepulse.errors import BadInput


class BadEmbedding(BadInput):
    """The embedding's file is missing or is no embedding of ours."""

    def __init__(self, model: Path, problem: str) -> None:
        super().__init__(f"{model}: {problem}")


class BadJudgement(BadInput):
    """The file of learnt weights is missing or is of another version."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


class BadReferences(BadInput):
    """The reference pictures cannot be used. The message says which and why."""

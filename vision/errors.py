"""What can go wrong while looking at a photo.

BadInput
├── UnreadablePhoto     the file is no photo that we can read; another one may be
├── BadModel            the detector's file is missing or is no detector of facings
├── NoSuchProvider      the setting asks for a way to compute that is not installed
└── BadSurvey           the labels to measure against are not in the form that we read
Unavailable
└── NoFaceFinder        people on photos could not be blurred, so nothing may be kept
"""

from pathlib import Path

from storepulse.checklists import Sentence
from storepulse.errors import BadInput, Unavailable


class UnreadablePhoto(BadInput):
    """The file is no photo that we can read. The message names the file and what is allowed."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")
        self.file = file
        self.problem = problem

    @property
    def words(self) -> Sentence:
        """Why, in the languages of our users."""
        return Sentence(
            en=self.problem,
            zh="无法读取此文件：请上传完整的 JPEG、HEIC、PNG 或 WebP 照片，不超过 6000 万像素",
        )


class BadModel(BadInput):
    """The detector's file is missing or is no detector of facings."""

    def __init__(self, model: Path, problem: str) -> None:
        super().__init__(
            f"{model}: {problem}; give an exported detector with --model, or make one with "
            "`storepulse vision train` and `storepulse vision export`"
        )


class NoSuchProvider(BadInput):
    """`STOREPULSE_PROVIDER` names nothing, or what the installed onnxruntime cannot do."""


class BadSurvey(BadInput):
    """The labels to measure against are not in the form that we read."""


class NoFaceFinder(Unavailable):
    """People on photos cannot be blurred here, so no photo may be kept."""

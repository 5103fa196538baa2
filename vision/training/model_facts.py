"""What a model says of itself: on its card and inside its file. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a model file says of itself, in ONNX's `metadata_props`."""

    name: str
    version: str
    trained_on: str
    licence: str
    input_size: int = 1280

    def __post_init__(self) -> None:
        for field in ("name", "version", "trained_on", "licence"):
            if not getattr(self, field).strip():
                raise ValueError(f"a model must say its {field}")
        if self.input_size % 32:
            raise ValueError(f"input_size must be a multiple of 32, got {self.input_size}")

    def as_properties(self, *, weights_sha256: str) -> dict[str, str]:
        """Return the facts as ONNX keeps them: words to words."""
        return {
            "name": self.name,
            "version": self.version,
            "trained_on": self.trained_on,
            "licence": self.licence,
            "input_size": str(self.input_size),
            "weights_sha256": weights_sha256,
        }

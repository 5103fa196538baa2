"""What a place has taught us: how phones map to people, how phones pace their bursts (disk)."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from probes.burst_pace import Paces
from probes.errors import CalibrationRefused
from probes.people_curve import PeopleCurve

DEFAULT_CALIBRATION: Final = Path(__file__).with_name("default_calibration.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Learnt figures; the default one was learnt in one room and from 21 phones."""

    name: str
    learnt_from: str
    learnt_on: str
    """Date of the latest count behind it, "2023-03-16"."""
    signal_dbm_sure: int
    """A phone heard so strongly is inside."""
    signal_dbm_min: int
    """A phone whose strongest frame is weaker is outside; between the two it counts half."""
    curve: PeopleCurve
    """People for so many phones."""
    error_share: float
    """Half width of the 90 % interval of a window, as a share of the estimate."""
    error_people: float
    """Half width of the same, added: what remains when few are there."""
    dwell_error_share: float
    """Standard deviation, as a share, of the mean dwell's bias between sets of phones: what remains
    however many visits are heard."""
    paces: Paces

    def __post_init__(self) -> None:
        date.fromisoformat(self.learnt_on)
        if min(self.error_share, self.error_people, self.dwell_error_share) < 0:
            raise ValueError("the errors must not be negative")
        if not -120 <= self.signal_dbm_min <= self.signal_dbm_sure <= 0:
            raise ValueError(
                "signal_dbm_min must lie in -120 to signal_dbm_sure, and that below 0, got "
                f"{self.signal_dbm_min} and {self.signal_dbm_sure}"
            )


_CALIBRATION_JSON: Final[TypeAdapter[Calibration]] = TypeAdapter(Calibration)


def read_calibration(path: Path = DEFAULT_CALIBRATION) -> Calibration:
    """Read a calibration file.

    Raises:
        CalibrationRefused: it cannot be read, or a field is missing or impossible.
    """
    try:
        return _CALIBRATION_JSON.validate_json(path.read_bytes())
    except OSError as error:
        raise CalibrationRefused(f"cannot read {path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CalibrationRefused(
            f"{path.name} is no calibration: {where or 'the file'}: {first['msg']}"
        ) from error


def write_calibration(calibration: Calibration, path: Path) -> None:
    """Write a calibration file that `read_calibration` reads."""
    plain = _CALIBRATION_JSON.dump_python(calibration, mode="json")
    path.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")

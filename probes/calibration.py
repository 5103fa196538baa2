"""What a place has taught us: how phones map to people, how phones pace their bursts (disk)."""

import json
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from probes.burst_pace import Paces
from probes.counted_moments import MOMENTS_MAX, CountedMoment, NearCounts
from probes.errors import CalibrationRefused
from probes.people_curve import PeopleCurve
from storepulse.secret_files import PUBLIC, write_whole

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
    counted: tuple[CountedMoment, ...] = ()
    """What was counted by hand since; it moves what is told near it (`probes.counted_moments`)."""
    scale_sd: float = 0.0
    """How far the curve may be off altogether, in logs: above 0 where it was learnt elsewhere."""

    def people(self, start_s: float, phones: float) -> float:
        """People for so many phones in the window that begins then."""
        return _near(self.curve, self.counted, self.scale_sd).people(start_s, phones)

    def __post_init__(self) -> None:
        date.fromisoformat(self.learnt_on)
        if not 0 <= self.scale_sd <= 3:
            raise ValueError(f"scale_sd must lie in 0 to 3, got {self.scale_sd}")
        if len(self.counted) > MOMENTS_MAX:
            raise ValueError(f"at most {MOMENTS_MAX} counts are kept, got {len(self.counted)}")
        if min(self.error_share, self.error_people, self.dwell_error_share) < 0:
            raise ValueError("the errors must not be negative")
        if not -120 <= self.signal_dbm_min <= self.signal_dbm_sure <= 0:
            raise ValueError(
                "signal_dbm_min must lie in -120 to signal_dbm_sure, and that below 0, got "
                f"{self.signal_dbm_min} and {self.signal_dbm_sure}"
            )


@lru_cache(maxsize=8)
def _near(curve: PeopleCurve, counted: tuple[CountedMoment, ...], scale_sd: float) -> NearCounts:
    return NearCounts(curve, counted, scale_sd=scale_sd)


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
    """Write a calibration file that `read_calibration` reads, whole or not at all."""
    plain = _CALIBRATION_JSON.dump_python(calibration, mode="json")
    write_whole(path, (json.dumps(plain, indent=1) + "\n").encode(), mode=PUBLIC)

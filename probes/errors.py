"""What can go wrong in probes.

BadInput
├── CaptureRefused      a file that is no capture, or is cut inside its header
├── CalibrationRefused  a calibration file that cannot be used
├── ListRefused         a list of phones, or an address for one, that cannot be used
└── SourceRefused       settings or a payload of a source that cannot be used
SourceFailed            a source that ended or cannot be opened; carries a SourceFailure
└── SourceRefused
"""

from enum import StrEnum

from storepulse.errors import BadInput, StorepulseError


class CaptureRefused(BadInput):
    """A capture from which nothing can be read. The message names it and says what is read."""


class CalibrationRefused(BadInput):
    """A calibration file that lacks a field or holds an impossible one."""


class ListRefused(BadInput):
    """A list of phones, or an address for one, that cannot be used."""


class SourceFailed(StorepulseError):
    """A source of frames that cannot be opened, or has ended before it should."""

    def __init__(self, reason: "SourceFailure", message: str) -> None:
        self.reason = reason
        super().__init__(message)


class SourceRefused(SourceFailed, BadInput):
    """The same where trying again changes nothing: the settings or what was sent are wrong."""


class SourceFailure(StrEnum):
    """Why a source failed."""

    NO_SUCH_INTERFACE = "no_such_interface"
    NOT_PERMITTED = "not_permitted"
    NOT_MONITOR = "not_monitor"
    """The interface does not give raw Wi-Fi frames."""
    WENT_DOWN = "went_down"
    """The interface went down, or was taken out."""
    NO_SYSTEM = "no_system"
    """Not Linux, or without packet sockets."""
    NO_HOPPING = "no_hopping"
    """`iw` is missing, or refuses every channel."""
    SILENT = "silent"
    """Open, and nothing at all has been heard for long."""
    NOT_A_CAPTURE = "not_a_capture"
    WRONG_SECRET = "wrong_secret"  # noqa: S105  (a reason, no secret)
    WRONG_SHAPE = "wrong_shape"
    """A payload that is not what its maker's documentation says."""
    OTHER_VERSION = "other_version"
    """A payload of a version that is not read."""

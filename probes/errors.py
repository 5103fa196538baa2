"""What can go wrong in probes.

BadInput
├── CaptureRefused      a file that is no capture, or is cut inside its header
└── CalibrationRefused  a calibration file that cannot be used
"""

from storepulse.errors import BadInput


class CaptureRefused(BadInput):
    """A capture from which nothing can be read. The message names it and says what is read."""


class CalibrationRefused(BadInput):
    """A calibration file that lacks a field or holds an impossible one."""

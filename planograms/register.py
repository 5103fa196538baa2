"""How a photo lies over the reference photo of a planogram, as `vision.register` finds it."""

from vision.register import (
    INLIERS_MIN,
    KEY_POINTS_MAX,
    LONG_SIDE_PX,
    Features,
    Registration,
    features,
    register,
)

__all__ = [
    "INLIERS_MIN",
    "KEY_POINTS_MAX",
    "LONG_SIDE_PX",
    "Features",
    "Registration",
    "features",
    "register",
]

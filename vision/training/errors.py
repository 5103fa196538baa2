"""What can go wrong with the material of a training run, in words that say what to do.

BadInput
└── TrainingError
    ├── LabelsUnreadable     a label file is missing, cut or not what it says it is
    ├── PhotoUnreadable      a photo that the labels name cannot be decoded, or has another size
    ├── WeightsUnfit         a weights file does not fit the network
    └── CheckpointUnfit      a checkpoint cannot be continued with this plan
"""

from storepulse.errors import BadInput


class TrainingError(BadInput):
    """Material given to a training run cannot be used. Trying again does not help."""


class LabelsUnreadable(TrainingError):
    """A label file is missing, cut, or breaks its own format."""


class PhotoUnreadable(TrainingError):
    """A photo named by the labels is missing, corrupt or of another size than they say."""


class WeightsUnfit(TrainingError):
    """A weights file does not belong to this network."""


class CheckpointUnfit(TrainingError):
    """A checkpoint cannot be continued."""

"""The node's errors.

StorepulseError
├── BadInput
│   ├── BadSettings      a setting that has no meaning, or an address that is none
│   ├── NotHere          what was named does not exist on this node (HTTP 404)
│   ├── TooLarge         an upload above the limit (HTTP 413)
│   ├── Contradicts      the same name was used before for something else (HTTP 409)
│   ├── EnrolmentRefused the hub is not the code's, or does not take this node
│   └── NotJudged        a photo that made every child give up (HTTP 422)
├── Unavailable
│   ├── HubAway          the hub's door does not answer
│   ├── DataInUse        another node works on the same folder
│   ├── DiskFull         the disk or the outbox's budget has no room
│   ├── WorkerAway       the child is starting or resting; the request is kept
│   ├── WorkerEnded      the child ended over this request; the request is kept
│   ├── WorkerTooSlow    the child did not answer in time and was replaced; the request is kept
│   └── JudgeBroke       the judging child failed at this photo; the photo is kept
└── DataDamaged          the node's file is no whole database any more
"""

from storepulse.errors import BadInput, StorepulseError, Unavailable


class BadSettings(BadInput):
    """A setting or an address that cannot be used."""


class NotHere(BadInput):
    """What was asked for is not on this node."""


class TooLarge(BadInput):
    """An upload above the limit."""


class Contradicts(BadInput):
    """The name was used before for something else."""


class NotJudged(BadInput):
    """A photo at which every child gave up."""


class EnrolmentRefused(BadInput):
    """The hub is not the one that the code names, or it refuses this node. Says what to do."""


class HubAway(Unavailable):
    """The hub's door does not answer."""


class DataInUse(Unavailable):
    """Another process serves the same data folder."""


class DiskFull(Unavailable):
    """There is no room left."""


class WorkerAway(Unavailable):
    """The child cannot be asked just now."""


class WorkerEnded(Unavailable):
    """The child ended over the request."""


class WorkerTooSlow(Unavailable):
    """The child did not answer in time."""


class DataDamaged(StorepulseError):
    """The node's file cannot be read."""


class JudgeBroke(Unavailable):
    """The judging child answered that it failed, or something that cannot be read."""

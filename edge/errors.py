"""The node's errors.

StorepulseError
├── BadInput
│   ├── BadSettings      a setting that has no meaning, or an address that is none
│   ├── NotHere          what was named does not exist on this node (HTTP 404)
│   ├── TooLarge         an upload above the limit (HTTP 413)
│   ├── Contradicts      the same name was used before for something else (HTTP 409)
│   ├── EnrolmentRefused the hub is not the code's, or does not take this node
│   ├── NotJudged        a photo that made every child give up (HTTP 422)
│   ├── Unpaired         a phone that is not paired (any more) (HTTP 401)
│   ├── CodeUsedOrEnded  nobody may come in by this code (HTTP 403)
│   ├── ForeignOrigin    a write that another site's page may have sent (HTTP 403)
│   ├── WrongPin         a name of staff has another PIN (HTTP 403)
│   ├── NotYours         a phone asks what only the node's owner may (HTTP 403)
│   └── WrongHost        a name that is not this node's (HTTP 421)
├── Unavailable
│   ├── TooManyTries     so many wrong codes that none is tried now (HTTP 429)
│   │   └── NameLocked   so many wrong PINs of one name
│   ├── HubAway          the hub's door does not answer
│   ├── NodeSilent       the node on this machine does not answer over HTTP
│   ├── DataInUse        another node works on the same folder
│   ├── DiskFull         the disk or the outbox's budget has no room
│   ├── WorkerAway       the child is starting or resting; the request is kept
│   ├── WorkerEnded      the child ended over this request; the request is kept
│   ├── WorkerTooSlow    the child did not answer in time and was replaced; the request is kept
│   └── JudgeBroke       the judging child failed at this photo; the photo is kept
└── DataDamaged          the node's file is no whole database any more
"""

import math

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


class Forgotten(BadInput):
    """A photo from so long ago that its answer is no longer kept."""


class Unpaired(BadInput):
    """Nobody whom this node knows."""

    def __init__(self) -> None:
        super().__init__(
            "this phone is not paired with the shop's node: ask for a code (the manager's page, or "
            "`storepulse edge pair` on the node)"
        )


class CodeUsedOrEnded(BadInput):
    """A code that is not good; which of the reasons it is would help only who guesses."""

    def __init__(self) -> None:
        super().__init__(
            "this code was used, has ended, or is of another shop: it is good once, for 15 "
            "minutes. Ask for another"
        )


class ForeignOrigin(BadInput):
    """A write that does not come from this node's own page."""

    def __init__(self) -> None:
        super().__init__(
            "only this node's own page may write: a program sends JSON without an Origin header, "
            "or shows the owner's key"
        )


class NotYours(BadInput):
    """Something that only the node's owner may."""

    def __init__(self) -> None:
        super().__init__("only the node's owner may do this: show the key in its owner.key")


class WrongHost(BadInput):
    """Another name would mean that a page of elsewhere made its name lead here."""

    def __init__(self) -> None:
        super().__init__("ask for this node by its own name or address")


class TooManyTries(Unavailable):
    """Wrong codes were tried too often."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        super().__init__(
            f"too many wrong codes were tried on this node: wait {math.ceil(wait_s)} s, then try "
            "again"
        )


class NameLocked(TooManyTries):
    """Wrong PINs of one name were tried too often."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.args = (
            f"too many wrong PINs for this name: wait {math.ceil(wait_s)} s, or let whoever looks "
            "after the node give a new one (storepulse edge staff pin)",
        )


class WrongPin(BadInput):
    """The name has another PIN."""

    def __init__(self, left: int) -> None:
        super().__init__(f"this name has another PIN; tries left: {left}")


class EnrolmentRefused(BadInput):
    """The hub is not the one that the code names, or it refuses this node. Says what to do."""


class HubAway(Unavailable):
    """The hub's door does not answer."""


class NodeSilent(Unavailable):
    """The node that runs here does not answer phones."""


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


class UnreadablePhoto(BadInput):
    """What a phone sent is no photo that can be read; in the judging child's words."""


class UnusablePlan(BadInput):
    """The planogram of a bay cannot be judged by; in the judging child's words."""

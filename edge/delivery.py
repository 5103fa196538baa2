"""What to send next. Pure: no disk, no connection, no clock.

A window of batches is under way at once, in the order of their numbers. What is not acknowledged
in time is sent again from the first number that is missing on, and so is everything after a
reconnect: the hub knows what it has by its key, so sending twice costs only bandwidth.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is under way at once, and how long an acknowledgement may take."""

    batches_max: int = 8
    patience_s: float = 5.0
    patience_s_max: float = 30.0

    def __post_init__(self) -> None:
        if self.batches_max < 1 or not 0 < self.patience_s <= self.patience_s_max:
            raise ValueError(f"no such pace: {self}")


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that left together: up to which number, and when."""

    through: int
    sent_at_s: float


@dataclass(frozen=True, slots=True)
class Send:
    """Send the messages with numbers above `after`."""

    after: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send before this many seconds, unless an acknowledgement comes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far the stream has come: what the hub has, and what is under way above that."""

    acknowledged: int = 0
    under_way: tuple[Batch, ...] = ()
    fruitless: int = 0
    """How often everything was sent again since the hub last acknowledged something new."""

    def next(self, now_s: float, pace: Pace) -> Send | Wait:
        """Say what to do; `overdue` comes first when the oldest batch has waited too long."""
        # A hub that stays silent gets one batch to answer: a broker that keeps messages for it
        # must not be filled with copies of the same window.
        if len(self.under_way) < (1 if self.fruitless else pace.batches_max):
            return Send(after=self.under_way[-1].through if self.under_way else self.acknowledged)
        return Wait(max(0.0, self.patience_ends_s(pace) - now_s))

    def patience_ends_s(self, pace: Pace) -> float:
        """When the oldest batch counts as lost; infinite when none is under way."""
        if not self.under_way:
            return float("inf")
        patience = min(pace.patience_s_max, pace.patience_s * 2.0 ** min(self.fruitless, 30))
        return self.under_way[0].sent_at_s + patience

    def sent(self, through: int, now_s: float) -> "Delivery":
        """A batch was handed over whole; its acknowledgement may have come even before."""
        if through <= self.acknowledged:
            return self
        return replace(self, under_way=(*self.under_way, Batch(through, now_s)))

    def heard(self, through: int, now_s: float) -> "Delivery":
        """The hub has everything up to `through`; said again, it shows that the hub is back."""
        if through <= self.acknowledged:
            return replace(self, under_way=(), fruitless=0) if self.fruitless else self
        # The rest gets its full time from now on: the hub lives and works its way up to it.
        rest = tuple(Batch(b.through, now_s) for b in self.under_way if b.through > through)
        return Delivery(acknowledged=through, under_way=rest)

    def overdue(self, now_s: float, pace: Pace) -> "Delivery":
        """Where the hub stayed silent too long, start again above what it has."""
        if now_s < self.patience_ends_s(pace):
            return self
        return Delivery(acknowledged=self.acknowledged, fruitless=self.fruitless + 1)

    def reconnected(self) -> "Delivery":
        """A new connection: what was under way may be lost."""
        return Delivery(acknowledged=self.acknowledged)

"""Why a row is kept aside and why a run of a feed fails. Words only: decides nothing."""

from enum import StrEnum

from storepulse.errors import StorepulseError


class RowReason(StrEnum):
    """Why a row cannot be taken. What it calls for stands behind each."""

    MISSING = "missing"
    """A column that is needed is empty: mend it where it comes from."""
    NOT_A_NUMBER = "not_a_number"
    NOT_A_TIME = "not_a_time"
    """Or a day that is none."""
    BACKWARDS = "backwards"
    """It ends before it begins."""
    IN_FUTURE = "in_future"
    """It has not happened yet: a clock is wrong, or the day and month changed places."""
    OUT_OF_RANGE = "out_of_range"
    """No shop can have this figure."""
    TOO_LONG = "too_long"
    """A text or a span that is longer than any real one."""
    UNKNOWN_SHOP = "unknown_shop"
    """Load the list of shops, then send the row again."""
    UNKNOWN_REGION = "unknown_region"
    """Likewise: no shop of the list lies there."""
    OVERLAPS = "overlaps"
    """Its time was told by another row of the same sending."""
    NOT_A_ROW = "not_a_row"
    """No object of plain values."""


class RunReason(StrEnum):
    """Why nothing could be fetched, or a delivery was not looked at."""

    UNREACHABLE = "unreachable"
    """Nobody answers there, or too slowly: tried again by itself."""
    REFUSED = "refused"
    """It answers that we may not, or that it has no such thing (4xx)."""
    FAILING = "failing"
    """It answers that it has a fault of its own (5xx): tried again by itself."""
    UNREADABLE = "unreadable"
    """An answer or a file that is not what its kind of feed is written in."""
    TOO_LARGE = "too_large"
    NO_FILE = "no_file"
    BAD_SIGNATURE = "bad_signature"
    TOO_OLD = "too_old"
    """A delivery whose time lies more than five minutes off: sent again by a stranger, or a clock
    that is wrong."""


class BadRow(ValueError):
    """One row cannot be taken; the others can."""

    def __init__(self, reason: RowReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class FeedFailed(StorepulseError):
    """Nothing could be fetched; nothing was changed."""

    retryable = True

    def __init__(self, reason: RunReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail

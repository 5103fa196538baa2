"""The errors that all parts share.

StorepulseError
├── BadInput        what was given cannot be used; a retry changes nothing (exit 2, HTTP 4xx)
└── Unavailable     something we need does not answer; a retry may help (exit 1, HTTP 503)

Each package draws its own tree below these two.
"""


class StorepulseError(Exception):
    """Something went wrong that a person can be told in one line."""

    retryable = False


class BadInput(StorepulseError):
    """What was given cannot be used. The message says what is wrong and what is allowed."""


class Unavailable(StorepulseError):
    """Something we depend on does not answer. The message names it and says what to try."""

    retryable = True

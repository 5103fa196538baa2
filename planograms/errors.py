"""What can go wrong with planograms.

BadInput
└── BadPlanogram   a planogram that cannot be used: where in it, and what is allowed
"""

from storepulse.errors import BadInput


class BadPlanogram(BadInput):
    """A planogram that cannot be used. The message names the place and what is allowed."""

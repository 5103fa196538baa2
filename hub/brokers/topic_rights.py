"""Who may say and hear what at the broker: one rule, for both brokers. Opens no connection.

A node speaks below its own `up` and its `state`, and hears below its own `down`; the hub may
everything. A subject is the common name of a certificate (`hub.nodes.authority`).
"""

from typing import Final, Literal

from hub.nodes.authority import HUB_NAME
from storepulse.topics import ROOT

Deed = Literal["say", "hear"]

MOSQUITTO_ACL: Final = f"""\
user {HUB_NAME}
topic readwrite {ROOT}/#

pattern write {ROOT}/%u/up/#
pattern write {ROOT}/%u/state
pattern read {ROOT}/%u/down/#
"""
"""The same rule as `may`, as mosquitto reads it; %u is the subject."""


def may(subject: str, deed: Deed, topic: str) -> bool:
    """Whether a subject may publish to a topic, or receive or subscribe to it.

    Args:
        topic: when hearing, also a filter: it then must lie wholly within what may be heard.
    """
    if subject == HUB_NAME:
        return topic.startswith(f"{ROOT}/")
    # Only a name of three levels is a node's: no other subject may open a level of the tree.
    if subject.count("/") != 2 or not all(subject.split("/")):
        return False
    if any(sign in subject for sign in "+#"):
        return False
    below = f"{ROOT}/{subject}"
    if deed == "hear":
        return topic.startswith(f"{below}/down/")
    return topic == f"{below}/state" or topic.startswith(f"{below}/up/")

"""What a customer agrees to, and what a contact is. Pure: keeps nothing.

A new wording is a new version, appended: which one somebody agreed to stays known.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from hub.taps.experiences import DEAL_WITHIN_HOURS
from storepulse.checklists import Sentence
from storepulse.errors import BadInput

ContactKind = Literal["mail", "phone"]

CONSENT_TEXTS: Final[tuple[Sentence, ...]] = (
    Sentence(
        en=(
            "I agree that this shop sends me one message with a coupon, about what I tried today, "
            "to the contact given here, if I have not bought it within three days. My contact is "
            "kept encrypted, used for nothing else and given to nobody but the service that "
            "delivers the message. I can withdraw this at any time on this page or by the link in "
            "the message; my contact is then deleted at once."
        ),
        zh=(
            "我同意：如果三天内未购买，本店可就我今天的体验，向此处留下的联系方式发送一条含优惠券的信息。"
            "我的联系方式加密保存，不作他用；除负责投递该信息的服务商外，不提供给任何人。"
            "我可以随时在本页面或通过信息中的链接撤回同意，撤回后联系方式立即删除。"
        ),
    ),
)
"""The versions of the text, the first is version 1."""
TEXT_VERSION: Final = len(CONSENT_TEXTS)
LINK_DAYS: Final = 28
"""For so long after the experience its link leads somewhere."""
_TOO_LATE: Final = timedelta(days=14)
"""So long after the experience no message goes out any more: it would surprise."""
_MAIL: Final = re.compile(r"[^@\s<>,;\"]{1,64}@[a-z0-9.-]{1,180}\.[a-z]{2,24}")
_PHONE: Final = re.compile(r"\+?[0-9]{6,15}")
_COUPON_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0 O 1 I L, which people mistake."""


class BadContact(BadInput):
    """Neither a mail address nor a telephone number. Does not repeat it."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a message can go, written one way however it was typed."""

    kind: ContactKind
    address: str


def read_contact(said: str) -> Contact:
    """A mail address, or a telephone number.

    Raises:
        BadContact: it is neither.
    """
    text = said.strip().lower()
    if "@" in text:
        if _MAIL.fullmatch(text) is None:
            raise BadContact("this is no mail address")
        return Contact("mail", text)
    digits = re.sub(r"[\s().-]", "", text)
    if _PHONE.fullmatch(digits) is None:
        raise BadContact("give a mail address, or a telephone number with digits only")
    return Contact("phone", digits)


def new_coupon() -> str:
    """A code that can be read aloud: 31**8 is 850 thousand million."""
    letters = "".join(secrets.choice(_COUPON_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def message_is_due(begun_at: datetime, deals: Sequence[datetime], *, now: datetime) -> bool:
    """Whether an experience has reached 72 h without a deal, and not long ago.

    Args:
        deals: when the deals were made that name this experience's ticket. A deal without a ticket
            is nobody's and not among them; one made before the experience is none of its.
    """
    age = now - begun_at
    dealt = any(begun_at <= at <= now for at in deals)
    return timedelta(hours=DEAL_WITHIN_HOURS) <= age <= _TOO_LATE and not dealt

"""What a person chose to be told, by which channel and when. Pure: sends nothing, reads no clock.

A channel is a mail address, or an apprise address of a service whose host is its own (WeCom,
DingTalk, Feishu, Slack, ...). Services that would call any address that somebody types, or run
something on the hub's machine, are not among them: the hub stands inside the chain's network.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from storepulse.errors import BadInput

NoticeKind = Literal["escalation", "pushed", "digest", "proposal"]
SentKind = Literal[NoticeKind, "test"]
SERVICES: Final = frozenset(
    {"wecombot", "dingtalk", "feishu", "lark", "slack", "tgram", "discord", "wxteams"}
)
"""Services of apprise that call one host, their own."""
MAIL: Final = "mail"
BROWSERS: Final = "browsers"
"""As a channel: all browsers in which the person lets notices be shown (`hub.notices.push`)."""
_CHANNELS_MAX: Final = 5
_CHARACTERS_MAX: Final = 500


class BadChoice(BadInput):
    """A choice that cannot be; says what is possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeChoice:
    """What a person chose."""

    channels: tuple[str, ...] = field(repr=False)
    """They hold passwords of services: never shown again."""
    kinds: tuple[NoticeKind, ...]
    quiet_from: time | None = None
    quiet_until: time | None = None
    """Nothing is sent between the two; past midnight is possible."""
    digest_at: time | None = None
    """When the digest of a day comes; None: none."""
    timezone: str = "UTC"
    language: Literal["en", "zh"] = "en"

    def __post_init__(self) -> None:
        if len(self.channels) > _CHANNELS_MAX:
            raise BadChoice(f"at most {_CHANNELS_MAX} channels are possible")
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise BadChoice("quiet hours need both a beginning and an end")
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise BadChoice("quiet hours begin and end at different times")
        if any(one is not None and one.tzinfo is not None for one in self._times()):
            raise BadChoice("times are without a zone: the zone stands beside them")
        if ("digest" in self.kinds) != (self.digest_at is not None):
            raise BadChoice("a digest needs its time, and a time is the digest's")
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise BadChoice(f"time zone {self.timezone!r} is none: as in Asia/Shanghai") from error

    def _times(self) -> tuple[time | None, ...]:
        return (self.quiet_from, self.quiet_until, self.digest_at)


def service_of(channel: str) -> str:
    """The kind of a channel, by which it is shown: mail, wecombot, ..."""
    if channel == BROWSERS:
        return BROWSERS
    scheme, mark, _ = channel.partition("://")
    return scheme.lower() if mark else MAIL


def check_channels(
    channels: Sequence[str], services: Collection[str], *, mail: bool, browsers: bool = False
) -> None:
    """Refuse what could not be sent to.

    Args:
        services: of apprise, that are allowed here.
        mail: whether the hub has a mail server.
        browsers: whether it sends messages to browsers.
    Raises:
        BadChoice: says which channel, and what is possible; never the whole of it.
    """
    for channel in channels:
        service = service_of(channel)
        possible = ", ".join(sorted(services) + (["a mail address"] if mail else []))
        if channel == BROWSERS and browsers:
            continue
        if len(channel) > _CHARACTERS_MAX or any(ord(letter) < 33 for letter in channel):
            raise BadChoice(f"a channel of {service} is too long, or holds a space")
        if service == MAIL:
            name, at, host = channel.partition("@")
            if not (name and at and "." in host and "@" not in host):
                raise BadChoice(f"this is no mail address; possible are {possible}")
            if not mail:
                raise BadChoice("mail is not set up at this hub: STOREPULSE_HUB_NOTICE_MAIL")
        elif service not in services:
            raise BadChoice(f"{service} is not possible here; possible are {possible}")


def address_of(channel: str, mail: str) -> str:
    """The apprise address of a channel.

    Args:
        mail: the hub's mail server as an apprise address with {contact} in it.
    """
    return contact_address(mail, channel) if service_of(channel) == MAIL else channel


def contact_address(pattern: str, contact: str) -> str:
    """An apprise address for one contact: {contact} stands for it, and nothing of it is more."""
    return pattern.replace("{contact}", quote(contact, safe=""))


def not_quiet(moment: datetime, choice: NoticeChoice) -> datetime:
    """The moment itself, or the end of the quiet hours that it falls into."""
    if choice.quiet_from is None or choice.quiet_until is None:
        return moment
    zone = ZoneInfo(choice.timezone)
    local = moment.astimezone(zone)
    for back in (1, 0):
        day = local.date() - timedelta(days=back)
        over = choice.quiet_until <= choice.quiet_from
        begins = datetime.combine(day, choice.quiet_from, zone)
        ends = datetime.combine(day + timedelta(days=over), choice.quiet_until, zone)
        if begins.astimezone(ZoneInfo("UTC")) <= moment < ends.astimezone(ZoneInfo("UTC")):
            return ends.astimezone(moment.tzinfo)
    return moment


RETRY_AFTER: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720))
"""How long after each try that failed the next comes; then it is given up, and said so."""


def next_try(tries: int, now: datetime) -> datetime | None:
    """When to try again after so many tries have failed; None: given up."""
    return now + RETRY_AFTER[tries - 1] if tries <= len(RETRY_AFTER) else None

"""The errors of the hub.

StorepulseError
├── BadInput
│   ├── BadDatabase           what was named as the database cannot be one
│   ├── FolderOfAnotherMajor  the folder was written by another major version of PostgreSQL
│   ├── FolderUnreachable     the lower user that runs PostgreSQL for root cannot get there
│   ├── BadShopsFile          a line of the shops' file cannot be used; nothing was imported
│   ├── BadFactsFile          the facts' file is missing or cannot be read at all
│   ├── BadPolicy             hub.codes.policy: a policy that cannot be used; names the field
│   ├── BadPlaybook           hub.playbooks: a text that cannot be used; names file and line
│   ├── BadRules              hub.actions.rules: how actions are handed out; names the field
│   ├── BadChoice             hub.notices.choice: channels or times that cannot be
│   ├── BadContact            hub.care.consent: neither mail address nor telephone number
│   ├── KeysMissing           hub.care.keyring: the key file is gone, or another one
│   ├── UnknownShop           hub.codes.computing: neither a list nor a fact names the shop
│   ├── UnknownTimezone       hub.codes.days: a shop's time zone is none
│   ├── NoAuthority           no authority was made in the hub's folder yet
│   ├── BadRequestToSign      a request for a certificate that cannot be one
│   ├── CodeRefused           an installer's code that is used, ended, or another node's
│   ├── NodeRefused           a node that was never enrolled, or is revoked
│   ├── BlobRefused           what a node sent is no picture, or has no name of one
│   ├── BlobContradicts       another picture is there under this name
│   ├── BadArchive            an export or backup that is damaged, newer, or contradicts the hub
│   ├── BadProvider           an OpenID Connect provider that was not set up as one can be
│   ├── BadFeed               a feed that cannot be: its name, kind, place or options
│   ├── BadPerson             hub.people.roles: a name, role or password that cannot be
│   ├── NoDimension, NoDayToExplain            hub.why: nothing to explain was named
│   ├── BadRound, BadRest     hub.rounds: a round or a rest that cannot be; names the field
│   ├── BadProposal, NoSuchExperiment, TooFewShops, NoTrialLength   hub.experiments
│   ├── Refused               over HTTP, with its status and a word that the pages translate
│   │   ├── SignedOut, NotYours                        hub.people.sessions
│   │   ├── WrongPassword, TooManyTries, LinkGone      hub.people.signing_in
│   │   ├── ActionIsOver, NobodyThere                  hub.actions.routes
│   │   ├── TextHasFaults, ChangedMeanwhile            hub.playbooks.routes
│   │   ├── LinkNowhere, OtherText, NotAsked           hub.care.routes
│   │   ├── NoKeys, NothingChosen, NoPush              hub.notices.routes
│   │   ├── NoSuchPlan, PlanChanged, NotThisPhoto      hub.plans
│   │   ├── RoundChanged, RestChanged, NoSuchRest      hub.rounds
│   │   ├── NoPicture, NoPictureYet                    hub.pictures.routes
│   │   ├── NotSo, NotWon                              hub.experiments
│   │   └── NoSuchPerson, LastOfHeadOffice             hub.people.store, hub.people.routes
│   └── NotLoopback, NoDay, NotThere  what was asked for cannot be had
└── Unavailable
    ├── TooBusy               hub.people.passwords: many sign in at once
    ├── DatabaseUnavailable   the database does not answer
    ├── BrokerUnavailable     the broker does not answer, or none can be started
    ├── NoRoom                there is no room for pictures
    └── PortTaken             hub.run: the API's port cannot be had
"""

from typing import ClassVar

from storepulse.errors import BadInput, Unavailable


class BadDatabase(BadInput):
    """What was named as the database is neither a PostgreSQL URL nor a folder that can be one."""


class FolderOfAnotherMajor(BadInput):
    """The folder's data was written by another major version of PostgreSQL."""


class FolderUnreachable(BadInput):
    """PostgreSQL does not run as root, and the user it would run as cannot reach the folder."""


class BadShopsFile(BadInput):
    """A line of the shops' file cannot be used. Names line and field; nothing was imported."""


class BadFactsFile(BadInput):
    """The facts' file is missing or cannot be read at all."""


class BadArchive(BadInput):
    """An export or a backup that cannot be written, read or taken. Nothing was changed."""


class BadProvider(BadInput):
    """The settings of an OpenID Connect provider cannot be used. Says which."""


class BadFeed(BadInput):
    """A feed that cannot be, or that is not there. Says what is allowed."""


class DatabaseUnavailable(Unavailable):
    """The database does not answer. Says which one and what to try."""


class BrokerUnavailable(Unavailable):
    """The broker does not answer, or none could be started. Says what to try."""


class NoAuthority(BadInput):
    """The hub has no authority of its own yet. Says how it comes by one."""


class BadRequestToSign(BadInput):
    """A request for a certificate that cannot be read, or that its own key did not sign."""


class CodeRefused(BadInput):
    """A code that was used before, has ended, was never given out, or is another node's."""


class NodeRefused(BadInput):
    """A node that was never enrolled, or is revoked. Says what brings it (back) in."""


class BlobRefused(BadInput):
    """What was sent is no picture, is too large, or its name is none."""


class BlobContradicts(BadInput):
    """Another picture is there under this name; it stays."""


class NoRoom(Unavailable):
    """The disk has no room for pictures: who sent one keeps it and sends it again."""


class Refused(BadInput):
    """Not given to whoever asks over HTTP."""

    status: ClassVar[int] = 403
    code: ClassVar[str] = "refused"
    """A stable word: the pages say it in the reader's language."""

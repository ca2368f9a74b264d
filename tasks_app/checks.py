"""System checks that refuse a configuration that would leak or corrupt.

Those that look at the database run where Django opens it for checks: `manage.py check --database default`.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections

# The tag of the checks that every command of ours runs. Those of URLs and templates import the whole schema, which takes
# longer than most commands; `manage.py check` and the servers run them.
OURS = "flowledger"
# These fork workers after Django was set up; a pool's connections would be shared by parent and children.
JOB_COMMANDS = frozenset({"qcluster", "demo"})
# Run by the owner, whoever the web is: it is what makes the web's login.
OWNERS_COMMANDS = frozenset({"migrate"})

READ_LOGIN = """/* checks.read_login */
SELECT current_user::text, r.rolsuper, r.rolbypassrls,
       ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_roles g
              WHERE g.rolname IN ('fl_tenant', 'fl_auditor', 'fl_worker', 'fl_ledger')
                AND pg_has_role(current_user, g.oid, 'USAGE') ORDER BY 1),
       coalesce((SELECT pg_has_role(current_user, c.relowner, 'USAGE') FROM pg_catalog.pg_class c
                  WHERE c.oid = to_regclass('public.task_ledger')), false),
       coalesce((SELECT b.rolsuper FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles b ON b.oid = a.usesysid
                  WHERE a.pid = pg_backend_pid()), false)
  FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
"""


@dataclass(frozen=True, kw_only=True)
class Login:
    """What the database lets the web's connection do before it takes a tenant's role."""

    name: str
    superuser: bool
    bypasses: bool
    inherits: tuple[str, ...]
    owner: bool
    began_as_superuser: bool


@dataclass(frozen=True)
class Finding:
    """One thing that a login must not be."""

    holds: Callable[[Login], bool]
    make: type[Error] | type[checks.Warning]
    id: str
    message: str
    hint: str


FINDINGS = (
    Finding(
        lambda login: login.superuser or login.bypasses,
        Error,
        "flowledger.E001",
        "The web's login {login.name} is not bound by row level security: it sees every tenant.",
        "Let the web log in as fl_app, which migrate makes: set DATABASE_WEB_URL.",
    ),
    Finding(
        lambda login: bool(login.inherits) and not login.superuser,
        Error,
        "flowledger.E003",
        "The web's login {login.name} inherits the rights of {roles}: it reads tenants' tables without taking a role.",
        "Before PostgreSQL 16: ALTER ROLE ... NOINHERIT. From 16 on: GRANT ... TO ... WITH INHERIT FALSE, SET TRUE.",
    ),
    Finding(
        lambda login: login.owner and not login.superuser,
        Error,
        "flowledger.E004",
        "The web's login {login.name} owns the tables: it could switch row level security and the triggers off.",
        "Let the web log in as fl_app, which migrate makes: set DATABASE_WEB_URL.",
    ),
    Finding(
        lambda login: login.began_as_superuser and not login.superuser,
        checks.Warning,
        "flowledger.W001",
        "The web's connections are opened by a superuser and step down to {login.name}: SQL could step up again.",
        "In production set DATABASE_WEB_URL to a login of the web's own.",
    ),
)


def pool_errors(*, databases: Mapping[str, Mapping[str, Any]], command: str) -> list[CheckMessage]:
    """E002 for each database whose connections are pooled, when the command is one that forks."""
    if command not in JOB_COMMANDS:
        return []
    return [
        Error(
            f"The database {alias!r} has a pool, and {command} forks: two processes would talk on one connection.",
            hint='Remove OPTIONS["pool"] where the job cluster runs; web processes may keep it.',
            id="flowledger.E002",
        )
        for alias, database in databases.items()
        if database.get("OPTIONS", {}).get("pool")
    ]


def login_messages(login: Login) -> list[CheckMessage]:
    """E001, E003, E004 and W001 for a login that can do more than take a tenant's role."""
    return [
        finding.make(
            finding.message.format(login=login, roles=", ".join(login.inherits)), hint=finding.hint, id=finding.id
        )
        for finding in FINDINGS
        if finding.holds(login)
    ]


def read_login(connection: Any) -> Login | None:
    """Who the connection is; None where there is no server or no schema yet."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(READ_LOGIN)
            name, superuser, bypasses, inherits, owner, began = cursor.fetchone()
    except DatabaseError:
        return None
    return Login(
        name=name,
        superuser=superuser,
        bypasses=bypasses,
        inherits=tuple(inherits),
        owner=owner,
        began_as_superuser=began,
    )


def command_name() -> str:
    """The management command of this process, "" where there is none."""
    return sys.argv[1] if len(sys.argv) > 1 else ""


@register(OURS)
def check_pool(**_: Any) -> list[CheckMessage]:
    """No pool in a process that forks."""
    return pool_errors(databases=settings.DATABASES, command=command_name())


@register(Tags.database)
def check_logins(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """No login for the web that sees more than one tenant. The owner, as which migrate and the tests connect, may."""
    messages: list[CheckMessage] = []
    for alias in () if command_name() in OWNERS_COMMANDS else databases or ():
        connection = connections[alias]
        if not getattr(connection, "is_owner", False) and (login := read_login(connection)):
            messages += login_messages(login)
    return messages

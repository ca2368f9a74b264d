"""Template database: migrated once for each set of migrations, and copied by every process that runs tests."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.core.management import call_command
from django.db import connection

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("tasks_app", "analytics", "config")
PREFIX = "flowledger_template_"
# Whoever comes first makes the template; others of the same server wait for it.
LOCK = "/* tests.lock_templates */ SELECT pg_advisory_lock(4738)"
FOUND = "/* tests.templates */ SELECT datname FROM pg_database WHERE datname LIKE %s"
DROP = '/* tests.drop_template */ DROP DATABASE "{name}"'
CREATE = '/* tests.create_template */ CREATE DATABASE "{name}"'
# So that it is there whole or not at all, also when its maker was killed.
FINISH = '/* tests.finish_template */ ALTER DATABASE "{name}_unfinished" RENAME TO "{name}"'


def template() -> str:
    """The name of a database with the tables of these migrations and nothing in them."""
    name = PREFIX + fingerprint()
    with connection._nodb_cursor() as cursor:
        cursor.execute(LOCK)
        cursor.execute(FOUND, [f"{PREFIX}%"])
        found = {row[0] for row in cursor.fetchall()}
        if name not in found:
            for each in found:
                cursor.execute(DROP.format(name=each))
            cursor.execute(CREATE.format(name=f"{name}_unfinished"))
            _migrate(database=f"{name}_unfinished")
            cursor.execute(FINISH.format(name=name))
    return name


def fingerprint() -> str:
    """Of all that decides what `migrate` makes: the migrations, and what they import of ours, to the last module."""
    text = hashlib.sha256()
    for path in sorted(_closure()):
        text.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    return text.hexdigest()[:16]


def _closure() -> set[Path]:
    found: set[Path] = set()
    waiting = [path for package in PACKAGES for path in (PROJECT / package).glob("migrations/*.py")]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(path)
    return found


def _imported(path: Path) -> Iterator[Path]:
    """The files of our modules that a file names in its imports; `from x import y` may name a module y."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] in PACKAGES:
                yield from _file_of(name)


def _file_of(name: str) -> Iterator[Path]:
    place = PROJECT / name.replace(".", "/")
    for path in (place.with_suffix(".py"), place / "__init__.py"):
        if path.exists():
            yield path


def _migrate(*, database: str) -> None:
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before

"""Processes on an embedded server of their own, and what is said to them, for the tests of config/database."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

PROJECT = Path(__file__).resolve().parents[1]
# Seconds after which something is taken to hang. Nothing that works comes near it, however busy the machine is: it is no
# measure of how long anything takes.
PATIENCE = 600

HOLD = """
import sys
from pathlib import Path
from config.database.embedded import ensure
print(ensure(home=Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""
DJANGO = """
import json, os, sys, time
from pathlib import Path
import django
from django.conf import settings
from config.database.settings import database_settings, use_owner_login

settings.configure(
    DATABASES={"default": database_settings(environ=os.environ, base_dir=Path("/nowhere"))},
    INSTALLED_APPS=["django.contrib.contenttypes"],
)
django.setup()
from django.core.management import call_command
from django.db import OperationalError, connection, transaction


def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchone()) if cursor.description else None


def refusal():
    try:
        return ask("SELECT 1")
    except OperationalError as error:
        return f"{type(error).__name__}: {error}"


def migrate():
    with connection.owner_login():
        call_command("migrate", verbosity=0)


def make_role():
    with connection.owner_login():
        ask("CREATE ROLE fl_app LOGIN NOINHERIT")

"""

Start = Callable[..., subprocess.Popen[str]]


@contextmanager
def starter(home: Path) -> Iterator[Start]:
    """Starts processes that run a text of Python on this home; those that still live are killed in the end."""
    started: list[subprocess.Popen[str]] = []

    def start_one(
        text: str,
        *,
        on: Path = home,
        python: str = sys.executable,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [python, "-c", text, str(on)],
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(PROJECT), **(env or {})},
            user=user,
            extra_groups=[] if user else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    """What the process printed first; the test fails with its complaint when it ended without a word."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        process.kill()
        pytest.fail(process.communicate()[1])
    return line


def run_django(start: Start, steps: str, **environment: str) -> Any:
    """What the steps printed as JSON, run in a process with Django on a database of its own."""
    process = start(DJANGO + steps, env={"DATABASE_URL": "", "DATABASE_WEB_URL": "", **environment})
    output, complaint = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complaint
    return json.loads(output.splitlines()[-1])


def answers(sockets: str) -> bool:
    """Whether a server takes connections there."""
    try:
        psycopg.connect(host=sockets, port=5432, user="fl_owner", dbname="flowledger", connect_timeout=PATIENCE).close()
    except psycopg.OperationalError:
        return False
    return True


def wait_until(condition: Callable[[], bool]) -> None:
    """Returns as soon as the condition holds; fails when that hangs."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it has not come to that in {PATIENCE} seconds"
        time.sleep(0.02)

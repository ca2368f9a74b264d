"""pgrls, a judge from outside: it proves the policies with a solver, table by table, and lints what surrounds them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import connection

from tests.tasks_app.catalog import tenant_tables

CONFIG = Path(__file__).with_name("pgrls.toml")
PGRLS = Path(sys.executable).with_name("pgrls")


def database_url() -> str:
    """The test's database for a tool that takes a URL; the socket's directory is a parameter."""
    settings = connection.settings_dict
    login = quote(settings["USER"]) + (f":{quote(settings['PASSWORD'], safe='')}" if settings["PASSWORD"] else "")
    server = urlencode({"host": settings["HOST"], "port": settings["PORT"] or 5432})
    return f"postgresql://{login}@/{settings['NAME']}?{server}"


def pgrls(*arguments: str) -> tuple[int, Any]:
    """The exit code and the JSON of a run."""
    outcome = subprocess.run(
        [PGRLS, *arguments, "--database-url", database_url(), "--config", CONFIG, "--format", "json"],
        capture_output=True,
        text=True,
    )
    assert outcome.stdout, outcome.stderr
    return outcome.returncode, json.loads(outcome.stdout)


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["anon", "cross-tenant", "write"])
def test_every_policy_is_proven(mode: str) -> None:
    """No anonymous read, no cross-tenant read, no cross-tenant write: 100 % PROVEN, no exception, no table left out."""
    code, verdict = pgrls("verify", "--mode", mode, "--strict")
    verdicts = {table["table"]: table["verdict"] for table in verdict["tables"]}
    assert verdicts == {f"public.{table}": "isolated" for table in tenant_tables()}
    assert code == 0


@pytest.mark.django_db
@pytest.mark.parametrize("mode", ["escalation", "reachability"])
def test_no_other_way_in(mode: str) -> None:
    """No role of low trust reaches a table's owner, and no view hands out what a table withholds."""
    code, verdict = pgrls("verify", "--mode", mode, "--strict")
    assert (code, verdict["tables"]) == (0, [])


@pytest.mark.django_db
def test_the_linter_finds_nothing_that_is_not_explained() -> None:
    """Down to the least severe finding; pgrls.toml has the exceptions with their reasons."""
    code, report = pgrls("lint", "--fail-on", "info")
    assert [(found["rule_id"], found["location"]) for found in report["violations"]] == []
    assert code == 0

"""Start-up of a command: what `manage.py` loads before it does anything. What takes long is loaded by those who need it."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# Numbers in columns, GraphQL with the schema, log lines: each takes longer than most commands.
HEAVY = ("numpy", "strawberry", "graphql", "structlog", "analytics.drift.experiment", "config.schema", "config.urls")
LOADED = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
from django.core.management import get_commands, load_command_class
django.setup()
name = sys.argv[1]
command = load_command_class(get_commands()[name], name)
command.check(tags=command.requires_system_checks) if command.requires_system_checks else None
print(" ".join(sys.modules))
"""


@pytest.mark.parametrize("command", ["compact", "verify", "create_tenant", "import_transitions", "migrate"])
def test_a_command_loads_what_it_needs(command: str) -> None:
    """Up to its own first line a command has loaded Django, the record and the engine's write side."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, command], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert sorted(set(HEAVY) & set(ran.stdout.split())) == []

"""Refusals of commands, in one sentence."""

import sys
from contextlib import AbstractContextManager
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DEFAULT_DB_ALIAS, connections

from tasks_app.checks import OURS
from tasks_app.refusals import Refused


class RefusingCommand(BaseCommand):
    """A command whose expected failures are one sentence on stderr and exit code 1, with nothing changed.

    Called from Python, through `call_command`, it raises the Refused itself.
    """

    requires_system_checks: tuple[str, ...] = (OURS,)

    def run_from_argv(self, argv: list[str]) -> None:
        """As BaseCommand's, and exits with 1 when what was asked for is refused."""
        try:
            super().run_from_argv(argv)
        except Refused as refused:
            self.stderr.write(refused.message)
            sys.exit(1)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As BaseCommand's, for arguments that are text: a shell may hand over any bytes."""
        for name, value in options.items():
            if isinstance(value, str) and not value.isascii():
                _check_text(name, value)
        return super().execute(*args, **options)


def owner_login() -> AbstractContextManager[None]:
    """Everything inside runs as the owner of the tables: what the web's login may not write, commands may."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]  # config.database's, which has more than Django's own
    login: AbstractContextManager[None] = wrapper.owner_login()
    return login


def _check_text(name: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Refused(f"{name}: this is not UTF-8 text; check the terminal's encoding.") from None

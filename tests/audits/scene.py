"""The tenants of a load, and the clock that all its processes go by."""

import sys
from datetime import datetime

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from config.database.settings import use_owner_login
from tests.cast import Cast, cast, tasks

CLOCK = "/* audits.clock */ SELECT clock_timestamp()"


def set_up() -> None:
    """Makes this process the owner of the tables, and the tables."""
    use_owner_login(settings.DATABASES["default"])
    connection.settings_dict.update(settings.DATABASES["default"])
    call_command("migrate", verbosity=0)


def populate(*, tasks_per_board: int) -> Cast:
    """Acme and Globex with tasks to do on both of their boards."""
    people = cast()
    for company in (people.acme, people.globex):
        for board in (company.board, company.second_board):
            tasks(board=board, count=tasks_per_board)
    return people


def clock() -> datetime:
    """The database's clock, which is the one that records."""
    with connection.cursor() as cursor:
        cursor.execute(CLOCK)
        now: datetime = cursor.fetchall()[0][0]
    return now


def say(text: str) -> None:
    """A line of progress, on stderr."""
    sys.stderr.write(f"audits: {text}\n")
    sys.stderr.flush()

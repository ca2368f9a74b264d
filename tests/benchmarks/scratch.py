"""The database of one run: made on the configured server, migrated, dropped at the end however the run ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management import call_command
from django.db import connections
from django.db.backends.utils import CursorWrapper
from psycopg import sql

CREATE = "/* benchmarks.create */ CREATE DATABASE {} TEMPLATE template0"
DROP = "/* benchmarks.drop */ DROP DATABASE IF EXISTS {} WITH (FORCE)"


@contextmanager
def scratch_database() -> Iterator[None]:
    """The migrated, empty database that the settings name. Ctrl-C and a polite kill drop it too."""
    signal.signal(signal.SIGTERM, _leave)
    _on_server(CREATE)
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections.close_all()
        _on_server(DROP)


def owner_cursor() -> CursorWrapper:
    """A cursor of the owner's own session, beside the web's."""
    return connections["owner"].cursor()


def vacuum(*tables: str) -> None:
    """Takes the dead rows out of the tables and refreshes their statistics."""
    with owner_cursor() as cursor:
        cursor.execute(f"/* benchmarks.vacuum */ VACUUM (ANALYZE) {', '.join(tables)}")


def _on_server(statement: str) -> None:
    with connections["owner"]._nodb_cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(connections["owner"].settings_dict["NAME"])))


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)

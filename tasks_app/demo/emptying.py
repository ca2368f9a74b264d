"""Emptying the demo. A ledger refuses to be emptied, so its database goes as a whole."""

from typing import Any

from django.db import Error, connection
from psycopg.errors import ObjectInUse

from tasks_app.refusals import Refused

DROP_DATABASE = "/* demo.drop_database */ DROP DATABASE IF EXISTS {name}"
CREATE_DATABASE = "/* demo.create_database */ CREATE DATABASE {name} TEMPLATE template0"


def empty_database() -> None:
    """Drops the database with all that is in it and makes an empty one. Refused while anybody else is connected."""
    engine: Any = connection
    name = engine.ops.quote_name(engine.settings_dict["NAME"])
    engine.close()
    with engine._nodb_cursor() as cursor:
        try:
            cursor.execute(DROP_DATABASE.format(name=name))
        except Error as error:
            if isinstance(error.__cause__, ObjectInUse):
                raise Refused("The embedded database is in use: end what runs on it, then try again.") from None
            raise
        cursor.execute(CREATE_DATABASE.format(name=name))

"""`manage.py dbshell`."""

import shutil
from collections.abc import Iterable

from django.db.backends.postgresql import client

from config.database.installation import bundled_psql


class DatabaseClient(client.DatabaseClient):
    """psql, with the embedded server running below it; the bundled psql where the machine has none."""

    def runshell(self, parameters: Iterable[str]) -> None:
        """Runs psql until the user leaves it. It logs in as the web does; `dbshell -- -U fl_owner` as the owner."""
        self.connection.get_connection_params()
        if shutil.which(self.executable_name) is None:
            type(self).executable_name = bundled_psql() or self.executable_name
        super().runshell(parameters)

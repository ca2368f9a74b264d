"""Django's PostgreSQL backend, with an embedded server behind it and two logins: the owner's and the web's."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base, features
from django.db.transaction import TransactionManagementError
from django.db.utils import DatabaseError, OperationalError
from psycopg import sql

from config.database.client import DatabaseClient
from config.database.settings import OWNER_LOGIN, as_owner
from tasks_app import epochs

_STEP_DOWN = "/* config.step_down */ SET SESSION AUTHORIZATION {}"
_FIND_SCHEMA = """/* config.find_schema */
SELECT to_regclass('public.django_migrations') IS NOT NULL, to_regclass('public.record_epoch') IS NOT NULL
"""
_MOVED = (
    "The record was restored on another server, or this one was promoted, and its next epoch could not be opened: run"
    " manage.py migrate with the owner's login."
)
_NO_SCHEMA = "The database has no Flowledger schema yet: run manage.py migrate."


class SchemaMissingError(OperationalError):
    """The web's login or the tables do not exist, because nobody has migrated this database."""

    def __init__(self) -> None:
        super().__init__(_NO_SCHEMA)


class DatabaseFeatures(features.DatabaseFeatures):
    """PostgreSQL 15 and later: composite keys, roles and policies lean on it."""

    minimum_database_version = (15,)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to PostgreSQL. Opened as the web's login, except within owner_login()."""

    client_class = DatabaseClient
    features_class = DatabaseFeatures

    def __init__(self, settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> None:
        # A connection without a database only creates and drops databases, which is the owner's work.
        super().__init__(as_owner(settings_dict) if alias == NO_DB_ALIAS else settings_dict, alias)
        self._schema_seen = self._epochs_seen = False

    @property
    def is_owner(self) -> bool:
        """True when connections opened now are the owner's."""
        return bool(self.settings_dict.get("LOGIN") == OWNER_LOGIN)

    @property
    def pool(self) -> Any:
        """The web's pool; the owner's connections are never pooled."""
        return None if self.is_owner else super().pool

    @contextlib.contextmanager
    def owner_login(self) -> Iterator[None]:
        """Everything inside runs on a connection of the owner's; nested, or as owner, it changes nothing.

        Refused in a transaction, because it closes the connection before and after.
        """
        if self.is_owner:
            yield
            return
        if self.in_atomic_block:
            raise TransactionManagementError("owner_login() opens another connection: leave the transaction first.")
        web = self.settings_dict
        self.close()
        # Only this connection's: the dictionary of the settings belongs to every thread.
        self.settings_dict = as_owner(web)
        try:
            yield
        finally:
            self.close()
            self.settings_dict = web

    def get_connection_params(self) -> dict[str, Any]:
        """psycopg's arguments; the embedded server is up when they come back."""
        if home := self.settings_dict["OPTIONS"].get("embedded_home"):
            self.settings_dict["HOST"] = str(_embedded_sockets(Path(home)))
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop("embedded_home", None)
        return parameters

    def init_connection_state(self) -> None:
        """Makes a new connection the web's. One that cannot be is closed: the next query must not run on it."""
        try:
            super().init_connection_state()
        except BaseException:
            self.close()
            raise

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A new connection; SchemaMissingError when its role does not exist yet."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            if not self.is_owner and f'role "{conn_params.get("user")}" does not exist' in str(error):
                raise SchemaMissingError from error
            raise

    def _configure_connection(self, connection: psycopg.Connection[Any]) -> bool:
        # Django calls this for every new connection, pooled or not.
        commit: bool = super()._configure_connection(connection)  # type: ignore[misc]  # unknown to the stubs
        stepped_down = not self.is_owner and self._step_down(connection)
        self._look_for_schema(connection)
        if self._epochs_seen:
            self._settle_epoch(connection)
        return commit or stepped_down or self._epochs_seen

    def _step_down(self, connection: psycopg.Connection[Any]) -> bool:
        role = self.settings_dict.get("STEP_DOWN_TO")
        # The server reports this by itself, so asking costs no round trip.
        if role is None or connection.info.parameter_status("is_superuser") != "on":
            return False
        try:
            connection.execute(sql.SQL(_STEP_DOWN).format(sql.Identifier(role)))
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.UndefinedObject) as error:
            raise SchemaMissingError from error
        return True

    def _settle_epoch(self, connection: psycopg.Connection[Any]) -> None:
        """Where the record has moved to another server, its next epoch begins before anything is written."""
        if epochs.is_current(connection):
            return
        connection.rollback()
        if self.is_owner:
            epochs.open_epoch(connection)
            return
        owner = DatabaseWrapper(as_owner(self.settings_dict), self.alias)
        try:
            owner.ensure_connection()
        except (DatabaseError, psycopg.Error) as error:
            raise OperationalError(_MOVED) from error
        finally:
            owner.close()

    def _look_for_schema(self, connection: psycopg.Connection[Any]) -> None:
        if not (self._schema_seen and self._epochs_seen):
            found = connection.execute(_FIND_SCHEMA).fetchone()
            self._schema_seen, self._epochs_seen = found or (False, False)
        if not (self._schema_seen or self.is_owner):
            raise SchemaMissingError


def _embedded_sockets(home: Path) -> Path:
    if os.name != "posix":
        raise OperationalError(
            "The embedded PostgreSQL runs on Linux and macOS only: install PostgreSQL 15 to 18 and set DATABASE_URL."
        )
    # Imported here, because its file locks do not exist on Windows, where DATABASE_URL still works.
    from config.database import embedded

    try:
        return embedded.ensure(home=home)
    except embedded.EmbeddedServerError as error:
        raise OperationalError(str(error)) from error

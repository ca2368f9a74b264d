"""Readiness, GET /health/ready: whether this process can answer. What only makes it slow is a warning.

The checks run one by one in the request's own thread, so that they ask over the connection that answers would use.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse, JsonResponse
from health_check.base import HealthCheck, HealthCheckResult
from health_check.exceptions import ServiceUnavailable, ServiceWarning
from health_check.views import HealthCheckView

from tasks_app.observing.gauges import TIMEOUT_SECONDS, impatiently
from tasks_app.policies import LEDGER_ROLE, TENANT_ROLES

ANSWERS = "/* observing.database_answers */ SELECT 1"
# Tables of tenants that row level security does not bind, and roles that are not there.
OPEN_TABLES = """/* observing.open_tables */
SELECT count(*) FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'account_tenant'
   AND NOT (c.relrowsecurity AND c.relforcerowsecurity
            AND EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid))
"""
APPLIED = "/* observing.applied_migrations */ SELECT app, name FROM django_migrations"
ROLES = "/* observing.roles */ SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = ANY (%s)"
UNREACHABLE = f"The database cannot be reached, has no schema yet, or did not answer within {TIMEOUT_SECONDS} seconds."


@dataclass
class Look(HealthCheck):  # type: ignore[misc]  # comes without types
    """A check that asks the database. A failure says what is wrong in a sentence without internals."""

    async def run(self) -> None:
        """Raises a ServiceUnavailable, or a ServiceWarning that leaves the process ready."""
        await sync_to_async(self._ask, thread_sensitive=True)()

    def _ask(self) -> None:
        try:
            with impatiently():
                self.look()
        except DatabaseError:
            raise ServiceUnavailable(UNREACHABLE) from None

    def look(self) -> None:
        """In a transaction of the web's login."""
        raise NotImplementedError


@dataclass
class DatabaseAnswers(Look):
    """The database can be reached."""

    def look(self) -> None:
        """One statement."""
        _number(ANSWERS)


@dataclass
class MigrationsAreApplied(Look):
    """The database has the schema of this program."""

    def look(self) -> None:
        """Reads which migrations were applied, and compares them with the program's."""
        with connection.cursor() as cursor:
            cursor.execute(APPLIED)
            missing = _shipped() - set(cursor.fetchall())
        if missing:
            raise ServiceUnavailable(f"Migrations that are not applied: {len(missing)}. Run manage.py migrate.")


@dataclass
class RolesAreInPlace(Look):
    """The roles exist, and every table of a tenant is behind its policy."""

    def look(self) -> None:
        """Two statements on the catalogue."""
        wanted = [*TENANT_ROLES, LEDGER_ROLE]
        if _number(ROLES, [wanted]) != len(wanted):
            raise ServiceUnavailable("Roles of the database are missing: run manage.py migrate.")
        if open_tables := _number(OPEN_TABLES):
            raise ServiceUnavailable(f"Tables that are not behind row level security: {open_tables}.")


class ReadyView(HealthCheckView):  # type: ignore[misc]  # comes without types
    """JSON: `ready`, and each check by its name with `OK` or what is wrong. 503 unless all that is wrong are warnings."""

    http_method_names = ("get", "head")

    async def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The answer. After the database did not answer nothing else is asked of it."""
        results: list[HealthCheckResult] = []
        for check in self.get_checks():
            results.append(await check.get_result())
            if isinstance(check, DatabaseAnswers) and results[-1].error:
                break
            await asyncio.sleep(0)
        return _told(results)


@cache
def _shipped() -> frozenset[tuple[str, str]]:
    """The program's migrations: read once, for anybody may ask whether it is ready, as often as they like."""
    return frozenset(MigrationLoader(None).disk_migrations or ())


def _told(results: Sequence[HealthCheckResult]) -> HttpResponse:
    failed = [each for each in results if each.error and not isinstance(each.error, ServiceWarning)]
    checks = {type(each.check).__name__: str(each.error) if each.error else "OK" for each in results}
    status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
    return JsonResponse({"ready": not failed, "checks": checks}, status=status)


def _number(statement: str, values: Sequence[Any] = ()) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: int = cursor.fetchall()[0][0]
    return found

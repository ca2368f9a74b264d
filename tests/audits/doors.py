"""The door as strangers meet it: a server over a socket, with a company behind it and keys to it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from django.db import connection

from tasks_app.models import Scope, Tenant, TenantPlan
from tasks_app.operations.keys import create_api_key
from tasks_app.tenancy import entered
from tests.serving import Server, served


def new_key(*, tenant_id: int, scopes: Sequence[str] = tuple(Scope.values)) -> str:
    """The secret of a service key."""
    with entered(tenant_id=tenant_id, role=None):
        _, secret = create_api_key(
            tenant_id=tenant_id,
            name="audit",
            scopes=scopes,
            owner=None,
            expires_at=None,
            now=datetime.now(UTC),  # noqa: TID251 - a key of these days: the server has a clock of its own
        )
    return secret


def generous_plan(tenant: Tenant) -> None:
    """So many points that none of the tenant's requests is refused for want of them."""
    most = 10**9
    TenantPlan.objects.create(
        tenant=tenant, points_a_minute=most, burst=most, tenant_points_a_minute=most, tenant_burst=most, at_once=1_000
    )


@contextmanager
def open_door(
    *, environ: Mapping[str, str] | None = None, workers: int = 2, application: str = "config.wsgi"
) -> Iterator[Server]:
    """The product on this run's database, as a server serves it."""
    # Two processes on one idle connection would be one too many.
    connection.close()
    given = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DJANGO_DEBUG": "0",
        "FLOWLEDGER_REQUESTS_A_MINUTE": "10000000",
    }
    with served(environ={**given, **(environ or {})}, workers=workers, application=application) as server:
        yield server

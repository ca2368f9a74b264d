"""An API key of a tenant, and a plan that nobody uses up."""

from datetime import UTC, datetime

from tasks_app.models import Scope
from tasks_app.operations.keys import create_api_key
from tasks_app.tenancy import entered
from tests.benchmarks.scratch import owner_cursor

PLAN = """/* benchmarks.plan */
INSERT INTO tenant_plan (tenant_id, points_a_minute, burst, tenant_points_a_minute, tenant_burst, at_once)
VALUES (%(tenant)s, %(most)s, %(most)s, %(most)s, %(most)s, 1000)
"""


def new_key(tenant: int) -> str:
    """The secret of a service key with every scope."""
    with entered(tenant_id=tenant):
        _, secret = create_api_key(
            tenant_id=tenant,
            name="benchmark",
            scopes=list(Scope.values),
            owner=None,
            expires_at=None,
            now=datetime.now(UTC),  # noqa: TID251 - a key of these days: the server that reads it has a clock of its own
        )
    return secret


def lift_limits(tenant: int) -> None:
    """As many requests as somebody likes."""
    with owner_cursor() as cursor:
        cursor.execute(f"SET app.tenant_id = '{int(tenant)}'")
        cursor.execute(PLAN, {"tenant": tenant, "most": 10**9})

"""An API key of a tenant."""

from datetime import UTC, datetime

from tasks_app.models import Scope
from tasks_app.operations.keys import create_api_key
from tasks_app.tenancy import entered


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

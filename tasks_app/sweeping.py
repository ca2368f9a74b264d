"""Sweeping: what is remembered of requests for a while, and then forgotten."""

import logging
from datetime import datetime

from tasks_app.graphql import idempotency
from tasks_app.models import Tenant
from tasks_app.rate import gcra
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)


def forget_requests(*, now: datetime) -> int:
    """Forgets names and answers that are older than 24 hours, and full buckets; says how many rows those were.

    One tenant's failure is logged and stops nobody else.
    """
    gone = gcra.sweep(now=now)
    for tenant_id, slug in Tenant.objects.order_by("id").values_list("id", "slug"):
        try:
            with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER):
                gone += idempotency.sweep(tenant_id=tenant_id, now=now)
        except Exception:
            logger.exception("What is remembered of the requests of tenant %s could not be forgotten.", slug)
    return gone

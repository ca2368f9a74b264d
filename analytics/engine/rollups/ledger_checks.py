"""Ledger checks: whether a family's ledger is whole, and every live row is what its facts say."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from analytics.engine.family import Family, LedgerCheck
from analytics.engine.rollups.restating import TIMEOUT_SECONDS, Owner
from analytics.engine.rollups.verify import Check
from tasks_app.tenancy import DatabaseRole, entered

FIRST = """/* verify.ledger */
SELECT count(*) OVER (), found.* FROM ({found}) found ORDER BY 2 LIMIT 1
"""


def verify_ledger(*, owner: Owner, families: Sequence[Family]) -> list[Check]:
    """What the families' declarations ask of their ledgers, of one tenant, in one snapshot."""
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True, timeout_seconds=TIMEOUT_SECONDS):
        return [_asked(owner, check) for family in families for check in family.checks]


def _asked(owner: Owner, check: LedgerCheck) -> Check:
    with connection.cursor() as cursor:
        cursor.execute(FIRST.format(found=check.found), {"tenant": owner.id})
        row = cursor.fetchone()
    if row is None:
        return Check(code=check.code, failures=0, first=None)
    failures, *columns = row
    shown = [_shown(value) for value in columns]
    return Check(code=check.code, failures=failures, first=check.sentence.format(owner.slug, *shown))


def _shown(value: Any) -> str:
    if value is None:
        return "gone"
    return str(value.isoformat() if hasattr(value, "isoformat") else value)

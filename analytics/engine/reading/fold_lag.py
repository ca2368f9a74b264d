"""Fold lag: how far the families of facts are folded."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.engine.families import families
from analytics.engine.family import Family
from analytics.engine.reading.ledger_position import oldest_in_tail

FOLDED = """/* windows.folded_family */
SELECT (SELECT count(*) FROM {tail} x WHERE x.tenant_id = %(tenant)s),
       (SELECT f.folded_at FROM folded f WHERE f.tenant_id = %(tenant)s AND f.family = %(family)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedFamily:
    """One family of a tenant: `tail_rows` facts wait, the first of them recorded at `oldest_tail_at`."""

    family: str
    tail_rows: int
    oldest_tail_at: datetime | None
    last_folded_at: datetime | None


def folded_families(*, tenant_id: int) -> list[FoldedFamily]:
    """Each family of facts, as the transaction's snapshot shows it."""
    return [_folded(family, tenant_id=tenant_id) for family in families()]


def _folded(family: Family, *, tenant_id: int) -> FoldedFamily:
    with connection.cursor() as cursor:
        cursor.execute(FOLDED.format(tail=family.tail), {"tenant": tenant_id, "family": family.name})
        rows, folded_at = cursor.fetchall()[0]
    return FoldedFamily(
        family=family.name,
        tail_rows=rows,
        oldest_tail_at=oldest_in_tail(tenant_id=tenant_id, families=[family]) if rows else None,
        last_folded_at=folded_at,
    )

"""compact(): every tenant's tail, batch by batch, the oldest first, in turns."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from analytics.facts import FAMILIES
from analytics.facts.family import Family
from analytics.rollups.fold import fold
from analytics.rollups.restating import Owner
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

MOST_FACTS = 20_000

OWNERS = """/* rollups.owners */
SELECT id, slug, timezone FROM tenant WHERE %(tenant)s::bigint IS NULL OR id = %(tenant)s ORDER BY id
"""
OLDEST = "/* rollups.oldest_in_tail */ SELECT min(seq) FROM {tail} WHERE tenant_id = %(tenant)s"
# A number of its own is the only one that no running transaction has or will get below: txid_snapshot_xmax() tells the
# last that ended, and a writer that began after that one may be ahead of it.
BEAT = "/* rollups.heartbeat */ UPDATE heartbeat SET at = now(), next_xid = txid_current()"


class NotFolded(Exception):
    """Facts of the tenants `slugs` could not be folded; `facts` is how many of the others were."""

    def __init__(self, *, slugs: Sequence[str], facts: int) -> None:
        super().__init__(f"Facts of {', '.join(slugs)} could not be folded; the log says why, tenant by tenant.")
        self.slugs = tuple(slugs)
        self.facts = facts


@dataclass(slots=True, kw_only=True)
class _Waiting:
    """A tenant's tail of one family; `oldest` is the position of its first fact."""

    owner: Owner
    family: Family
    oldest: int


def owners(*, tenant_id: int | None = None) -> list[Owner]:
    """All tenants, or the one."""
    with connection.cursor() as cursor:
        cursor.execute(OWNERS, {"tenant": tenant_id})
        return [Owner(id=pk, slug=slug, zone=zone) for pk, slug, zone in cursor.fetchall()]


def compact(
    *,
    now: datetime,
    tenant_id: int | None = None,
    families: Sequence[Family] = FAMILIES,
    most_facts: int = MOST_FACTS,
    on_facts: Callable[[int], object] = lambda facts: None,
) -> int:
    """Folds all that is in the tails, and says how many facts that were.

    Each fold is a transaction of its own with at most `most_facts` facts, so a kill loses nothing and other readers and
    writers wait for nothing. Tenants take turns, a batch each, whoever has waited longest first. A fold that fails is
    logged and stops no other tenant's; NotFolded is raised when all is done.
    """
    _beat()
    folded, failed = 0, list[str]()
    waiting = _waiting(owners(tenant_id=tenant_id), families)
    while waiting:
        for each in sorted(waiting, key=lambda tail: tail.oldest):
            try:
                facts = fold(owner=each.owner, family=each.family, now=now, most_facts=most_facts) or 0
            except Exception:
                logger.exception("%s of tenant %s could not be folded.", each.family.name, each.owner.slug)
                failed.append(each.owner.slug)
                facts = 0
            on_facts(facts)
            folded += facts
            # Fewer than asked for: the tail is empty, or was a moment ago; or somebody else folds this tenant.
            if facts < most_facts:
                waiting.remove(each)
    if failed:
        raise NotFolded(slugs=failed, facts=folded)
    return folded


def _waiting(found: Sequence[Owner], families: Sequence[Family]) -> list[_Waiting]:
    tails = (
        _Waiting(owner=owner, family=family, oldest=_oldest(owner, family)) for owner in found for family in families
    )
    return [tail for tail in tails if tail.oldest]


def _oldest(owner: Owner, family: Family) -> int:
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True), connection.cursor() as cursor:
        cursor.execute(OLDEST.format(tail=family.tail), {"tenant": owner.id})
        return int(cursor.fetchall()[0][0] or 0)


def _beat() -> None:
    with connection.cursor() as cursor:
        cursor.execute(BEAT)

"""Compaction: every tenant's tail is folded, batch by batch, the oldest first, in turns."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from analytics.engine.families import families as every_family
from analytics.engine.family import Family
from analytics.engine.rollups.fold import fold
from analytics.engine.rollups.restating import Owner
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

MOST_FACTS = 20_000

OWNERS = """/* rollups.owners */
SELECT id, slug, timezone FROM tenant WHERE %(tenant)s::bigint IS NULL OR id = %(tenant)s ORDER BY id
"""
# What waits: the tail's first fact, or a definition that the rollups have not been brought in accord with.
OLDEST = """/* rollups.oldest_waiting */
SELECT least((SELECT min(seq) FROM {tail} WHERE tenant_id = %(tenant)s),
             (SELECT max(d.seq) FROM definition_ledger d
               WHERE d.tenant_id = %(tenant)s AND d.seq > coalesce((
                     SELECT f.definitions FROM folded f WHERE f.tenant_id = %(tenant)s AND f.family = %(family)s), 0)))
"""
# A number of its own is the only one that no running transaction has or will get below: txid_snapshot_xmax() tells the
# last that ended, and a writer that began after that one may be ahead of it.
BEAT = "/* rollups.heartbeat */ UPDATE heartbeat SET at = now(), next_xid = txid_current()"


class NotFolded(Exception):
    """Facts of the tenants `slugs` could not be folded, each for its error; `facts` is how many of the others were."""

    def __init__(self, *, slugs: Sequence[str], errors: Sequence[Exception], facts: int) -> None:
        super().__init__(f"Facts of {', '.join(slugs)} could not be folded; the log says why, tenant by tenant.")
        self.slugs = tuple(slugs)
        self.errors = tuple(errors)
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
    families: Sequence[Family] | None = None,
    most_facts: int = MOST_FACTS,
    on_facts: Callable[[int], object] = lambda facts: None,
) -> int:
    """Folds all that is in the tails of the families (None: of all), and says how many facts that were.

    Each fold is a transaction of its own with at most `most_facts` facts, so a kill loses nothing and other readers and
    writers wait for nothing. Tenants take turns, a batch each, whoever has waited longest first. A fold that fails is
    logged and stops no other tenant's; NotFolded is raised when all is done.
    """
    _beat()
    run = _Run(now=now, most_facts=most_facts, on_facts=on_facts)
    waiting = _waiting(owners(tenant_id=tenant_id), every_family() if families is None else families)
    while waiting:
        for each in sorted(waiting, key=lambda tail: tail.oldest):
            if run.is_done_after_a_batch(each, wait=False):
                waiting.remove(each)
    # Whoever was being folded by somebody else comes last, and is waited for: afterwards all of this is folded.
    for each in run.busy:
        while not run.is_done_after_a_batch(each, wait=True):
            pass
    if run.failed:
        raise NotFolded(slugs=list(run.failed), errors=list(run.failed.values()), facts=run.folded)
    return run.folded


@dataclass(slots=True, kw_only=True)
class _Run:
    """One compact(): what it has done so far."""

    now: datetime
    most_facts: int
    on_facts: Callable[[int], object]
    folded: int = 0
    failed: dict[str, Exception] = field(default_factory=dict)
    busy: list[_Waiting] = field(default_factory=list)

    def is_done_after_a_batch(self, each: _Waiting, *, wait: bool) -> bool:
        """Folds one batch; true when the tail was empty then, or can be folded no further now."""
        try:
            facts = fold(owner=each.owner, family=each.family, now=self.now, most_facts=self.most_facts, wait=wait)
        except Refused:  # the declaration does not fit: so it is with every tenant
            raise
        except Exception as error:
            logger.exception("%s of tenant %s could not be folded.", each.family.name, each.owner.slug)
            self.failed[each.owner.slug] = error
            return True
        if facts is None:
            self.busy.append(each)
            return True
        self.on_facts(facts)
        self.folded += facts
        return facts < self.most_facts


def _waiting(found: Sequence[Owner], families: Sequence[Family]) -> list[_Waiting]:
    tails = (
        _Waiting(owner=owner, family=family, oldest=_oldest(owner, family)) for owner in found for family in families
    )
    return [tail for tail in tails if tail.oldest]


def _oldest(owner: Owner, family: Family) -> int:
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True), connection.cursor() as cursor:
        cursor.execute(OLDEST.format(tail=family.tail), {"tenant": owner.id, "family": family.name})
        return int(cursor.fetchall()[0][0] or 0)


def _beat() -> None:
    with connection.cursor() as cursor:
        cursor.execute(BEAT)

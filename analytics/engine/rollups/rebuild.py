"""Rebuild of rollups and derived rows from the ledger, as if they had never been there."""

from collections.abc import Callable, Sequence
from datetime import datetime

from analytics.engine.families import families as every_family
from analytics.engine.family import Family
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.recut import remake
from analytics.engine.rollups.restating import TIMEOUT_SECONDS, Owner, take_turn
from tasks_app.tenancy import DatabaseRole, entered


def rebuild(
    *,
    now: datetime,
    tenant_id: int | None = None,
    families: Sequence[Family] | None = None,
    on_done: Callable[[str], object] = lambda slug: None,
) -> int:
    """Makes everything derived of the families (None: of all) anew, tenant by tenant, and says how many times it did.

    Each tenant's family is one transaction: readers see the old rows until it commits and the new ones after. What is in
    the tail stays there: a fold waits meanwhile, writers and readers do not.
    """
    made = 0
    for owner in owners(tenant_id=tenant_id):
        for family in every_family() if families is None else families:
            _remade(owner=owner, family=family, now=now)
            made += 1
        on_done(owner.slug)
    return made


def _remade(*, owner: Owner, family: Family, now: datetime) -> None:
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS):
        turn = take_turn(owner=owner, family=family, now=now, wait=True)
        if turn is not None:
            remake(turn=turn, found=turn.ground())

"""Verification: everything derived is counted again, and the first row that is not what it must be is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.engine.families import families as every_family
from analytics.engine.family import Derived, Family
from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import calendar, ground, relations, stored
from analytics.engine.rollups.recut import settle_basis, span_of
from analytics.engine.rollups.restating import TIMEOUT_SECONDS, Owner, kept_since, take_turn
from tasks_app.tenancy import DatabaseRole, entered

# Wanted and stored rows in one heap: where both are the same, a group has one of each.
DIFFERENCES = """/* rollups.differences */
{prologue}
SELECT count(*) OVER (), b.* FROM (
    SELECT {columns}, max(told) FILTER (WHERE wanted) AS must_be, max(told) FILTER (WHERE NOT wanted) AS is_now
      FROM (SELECT {columns}, true AS wanted, {told} AS told FROM ({must_be}) m
             UNION ALL
            SELECT {columns}, false, {told} FROM {table} WHERE tenant_id = %(tenant)s) both_of_them
     GROUP BY {columns} HAVING max(told) FILTER (WHERE wanted) IS DISTINCT FROM max(told) FILTER (WHERE NOT wanted)) b
 ORDER BY {columns} LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What was compared, in how many rows it differs, and the first of them in a sentence (None: none does)."""

    code: str
    failures: int
    first: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table to compare: its rows are named by `key`, and `measures` are what they say."""

    name: str
    key: Sequence[str]
    measures: Sequence[str]
    must_be: str


def verify_family(*, owner: Owner, family: Family, now: datetime) -> list[Check]:
    """The family's rollups and derived tables of one tenant against its ledger, in one snapshot.

    Definitions that changed since the last fold are settled first, as the next fold would.
    """
    while True:
        with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS):
            turn = take_turn(owner=owner, family=family, now=now, wait=True)
            if turn is not None:
                settle_basis(turn=turn, found=turn.ground())
        with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True, timeout_seconds=TIMEOUT_SECONDS):
            if not _is_settled(owner=owner, family=family):
                continue
            prologue, values = _wanted(owner=owner, family=family, now=now)
            return [
                _compared(owner=owner, table=table, prologue=prologue, values=values)
                for table in (_rollup(family), *map(_derived, family.derived))
            ]


def _is_settled(*, owner: Owner, family: Family) -> bool:
    """Whether the snapshot shows the definitions that the rows were made by, and none that came a moment ago."""
    found = ground(tenant_id=owner.id, zone=owner.zone, family=family).bases
    return all(found.get(project) == basis for project, basis in stored(tenant_id=owner.id, family=family).items())


def _wanted(*, owner: Owner, family: Family, now: datetime) -> tuple[str, dict[str, Any]]:
    """The common table expressions that the rows to be wanted are read from. The basis is the one that is stored."""
    values: dict[str, Any] = {"tenant": owner.id, "family": family.name, "taken": []}
    since = kept_since(tenant_id=owner.id, family=family)
    bases = stored(tenant_id=owner.id, family=family)
    found = ground(tenant_id=owner.id, zone=owner.zone, family=family)
    by_name = {**found.bases, **bases}
    start, end = span_of(tenant_id=owner.id, family=family) or (now, now)
    days, calendars = calendar(by_name.values(), start=start, end=end)
    facts = histories.two_sides(family, history=histories.ALL_FOLDED)
    text = f"WITH {days}, {histories.contributions(family, facts=facts)}, {histories.rows(family, kept_since=since)}"
    return text, {
        **values,
        **relations(found, orders={key for basis in bases.values() for key in basis.orders}),
        **calendars,
        "every_side": True,
        **histories.limits(since),
    }


def _rollup(family: Family) -> _Table:
    measures = [measure.name for measure in family.measures]
    return _Table(name=family.rollup, key=family.key, measures=measures, must_be="SELECT * FROM rollup_row")


def _derived(derived: Derived) -> _Table:
    measures = [name for name in derived.columns if name not in derived.key]
    select = f"SELECT * FROM ({derived.select}) d"  # noqa: S608 - of our own declarations
    must_be = f"{select} WHERE side = 1" if derived.of_facts else select
    return _Table(name=derived.table, key=derived.key, measures=measures, must_be=must_be)


def _compared(*, owner: Owner, table: _Table, prologue: str, values: dict[str, Any]) -> Check:
    statement = DIFFERENCES.format(
        prologue=prologue,
        columns=", ".join(table.key),
        told=f"ROW({', '.join(table.measures)})::text",
        must_be=table.must_be,
        table=table.name,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        return Check(code=table.name, failures=0, first=None)
    failures, *key, must_be, is_now = row
    return Check(code=table.name, failures=failures, first=_sentence(owner, table, key, must_be, is_now))


def _sentence(owner: Owner, table: _Table, key: Sequence[Any], must_be: str | None, is_now: str | None) -> str:
    where = ", ".join(f"{name} {_shown(value)}" for name, value in zip(table.key, key, strict=True))
    what = ", ".join(table.measures)
    if is_now is None:
        return f"{table.name} of {owner.slug} lacks the row {where}: {what} must be {must_be}."
    if must_be is None:
        return f"{table.name} of {owner.slug} has a row too many, {where}: {what} {is_now}."
    return f"{table.name} of {owner.slug}, {where}: {what} is {is_now} and must be {must_be}."


def _shown(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def verify_rollups(*, owner: Owner, now: datetime, families: Sequence[Family] | None = None) -> list[Check]:
    """These families of a tenant; None: all of them."""
    chosen = every_family() if families is None else families
    return [check for family in chosen for check in verify_family(owner=owner, family=family, now=now)]

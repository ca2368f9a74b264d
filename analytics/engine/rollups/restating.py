"""Restating lock: the right to write one family of one tenant, and the one statement that writes it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from analytics.engine.family import Derived, Family
from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import Ground, calendar, ground, relations
from analytics.engine.rollups.declared import check_statement, check_tables
from analytics.engine.rollups.taking_back import make_again
from analytics.pure.segments import Grain

TIMEOUT_SECONDS = 900
# The families that this process has found to fit the database.
CHECKED: set[Family] = set()
EARLIEST = datetime.min.replace(tzinfo=UTC)

OPEN_FAMILY = """/* rollups.open_family */
INSERT INTO folded (tenant_id, family) VALUES (%(tenant)s, %(family)s) ON CONFLICT (tenant_id, family) DO NOTHING
"""
# The lock comes before all else: a fold reads what the fold before it has written. Who does not get it leaves the turn to
# whoever has it, so that one slow tenant keeps nobody else waiting.
TAKE_TURN = """/* rollups.take_turn */
SELECT folded_at FROM folded
 WHERE tenant_id = %(tenant)s AND family = %(family)s FOR UPDATE {waiting}
"""
KEPT_SINCE = """/* rollups.kept_since */
SELECT grain, since FROM kept_since WHERE tenant_id = %(tenant)s AND family = %(family)s
"""
# A batch is sorted and grouped in memory: the default makes it spill to disk from some thousand facts on.
MORE_MEMORY = "/* rollups.more_memory */ SET LOCAL work_mem = '128MB'; SET LOCAL jit = off"
FORGET_ITEMS = """/* rollups.forget_items */
DELETE FROM {table} WHERE tenant_id = %(tenant)s AND {item} = ANY (%(items)s::{item_type}[])
"""
TAKEN = "SELECT json_agg(r)::text FROM (SELECT {key} FROM rollup_row WHERE taken) r"
SWEEP = "/* rollups.sweep */ DELETE FROM {rollup} WHERE tenant_id = %(tenant)s AND {empty}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A tenant as far as folding needs it: `zone` is where its days begin for facts without a project."""

    id: int
    slug: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to fold one family of one tenant, until the transaction ends.

    Rows of a grain that begin before its instant in `kept_since` were dropped.
    """

    owner: Owner
    family: Family
    now: datetime
    kept_since: Mapping[Grain, datetime]
    folded_at: datetime

    def values(self) -> dict[str, Any]:
        """What every statement of a fold names."""
        return {
            "tenant": self.owner.id,
            "family": self.family.name,
            **histories.limits(self.kept_since),
        }

    def ground(self) -> Ground:
        """The definitions as they are now."""
        return ground(tenant_id=self.owner.id, zone=self.owner.zone, family=self.family)


def take_turn(*, owner: Owner, family: Family, now: datetime, wait: bool) -> Turn | None:
    """Locks the family's row, first of all. None when somebody else has it and `wait` is false.

    The first time in a process the declaration is checked against the database: Refused where it does not fit.
    """
    values: dict[str, Any] = {"tenant": owner.id, "family": family.name}
    with connection.cursor() as cursor:
        cursor.execute(MORE_MEMORY)
        cursor.execute(OPEN_FAMILY, values)
        cursor.execute(TAKE_TURN.format(waiting="" if wait else "SKIP LOCKED"), values)
        row = cursor.fetchone()
    if row is None:
        return None
    folded_at = row[0] or EARLIEST
    turn = Turn(
        owner=owner,
        family=family,
        # While this one waited, or read its clock a day ago, others may have folded what happened since.
        now=max(now, folded_at),
        kept_since=kept_since(tenant_id=owner.id, family=family),
        folded_at=folded_at,
    )
    if family not in CHECKED:
        _check(turn)
        CHECKED.add(family)
    return turn


def _check(turn: Turn) -> None:
    """Refused where the family's declaration does not fit the database."""
    family, found = turn.family, turn.ground()
    check_tables(family)
    days, calendars = calendar(found.bases.values(), start=turn.now, end=turn.now)
    values = {**turn.values(), **relations(found), **calendars, "every_side": True, "taken": []}
    history = histories.ALL_FOLDED
    statement = restatement(family, history=history, days=days, derived=family.derived, kept_since=turn.kept_since)
    check_statement(family, statement=statement, values=values)


def kept_since(*, tenant_id: int, family: Family) -> dict[Grain, datetime]:
    """By grain: the instant before which no row of it begins, where old ones were dropped."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT_SINCE, {"tenant": tenant_id, "family": family.name})
        return {Grain(grain): since for grain, since in cursor.fetchall()}


def restate(
    *,
    turn: Turn,
    found: Ground,
    history: str,
    values: dict[str, Any],
    span: tuple[datetime, datetime],
    projects: Sequence[int] | None = None,
    derived: Sequence[Derived] | None = None,
    orders: Collection[int] | None = None,
) -> None:
    """Adds to the rollups what those histories contribute, and writes the derived rows of their items.

    `span` is from the first to the last fact whose contribution may change. With `projects` only their rows are added to,
    with `derived` only those tables are written, with `orders` only what is counted by those orders of states.
    """
    family = turn.family
    tables = family.derived if derived is None else derived
    bases = found.bases.values() if projects is None else [found.bases[project] for project in projects]
    days, calendars = calendar(bases, start=span[0], end=span[1])
    values = {**turn.values(), **relations(found, orders=orders), **calendars, "every_side": orders is None, **values}
    statement = restatement(family, history=history, days=days, derived=tables, kept_since=turn.kept_since)
    with connection.cursor() as cursor:
        for table in tables:
            if table.is_replaced and "items" in values:
                forget = FORGET_ITEMS.format(table=table.table, item=table.item, item_type=family.item_type)
                cursor.execute(forget, values)
        cursor.execute(statement, values)
        touched = cursor.fetchall()[0][0] if family.takes_back_by_rows else None
        cursor.execute(SWEEP.format(rollup=family.rollup, empty=family.is_empty), values)
    if touched:
        make_again(
            family=family, found=found, values=turn.values(), span=span, kept_since=turn.kept_since, touched=touched
        )


def restatement(
    family: Family, *, history: str, days: str, derived: Sequence[Derived], kept_since: Mapping[Grain, datetime]
) -> str:
    """One statement that writes rollups and derived rows from one reading of the histories.

    Of a family that takes back by rows it leaves these alone, and answers their keys: a JSON array, NULL where there are none.
    """
    facts = histories.two_sides(family, history=history)
    writing = "".join(f", derived_{number} AS ({histories.written(each)})" for number, each in enumerate(derived))
    counted = f"/* rollups.restate */ WITH {days}, {histories.contributions(family, facts=facts)}"
    if not family.takes_back_by_rows:
        return f"{counted}, {histories.rows(family, kept_since=kept_since)}{writing} {histories.upsert(family)}"
    return (
        f"{counted}, {histories.changed_rows(family, kept_since=kept_since)}{writing},"
        f" added AS ({histories.upsert(family, source='rollup_row WHERE NOT taken')})"
        f" {TAKEN.format(key=', '.join(family.key))}"
    )

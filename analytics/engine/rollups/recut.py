"""Recut: when definitions or a zone changed, the rows of those projects are made anew, in the same transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.engine.family import Family
from analytics.engine.rollups import histories
from analytics.engine.rollups.basis import Basis, Ground, stored
from analytics.engine.rollups.restating import Turn, restate

SPAN = """/* rollups.span */
SELECT min(l.happened_at), max(l.happened_at) FROM {ledger} l WHERE l.tenant_id = %(tenant)s
"""
FORGET_PROJECTS = """/* rollups.forget_projects */
DELETE FROM {table} WHERE tenant_id = %(tenant)s AND project_id = ANY (%(projects)s::int[])
"""
FORGET_ALL = "/* rollups.forget_all */ DELETE FROM {table} WHERE tenant_id = %(tenant)s"
KEEP_BASIS = """/* rollups.keep_basis */
INSERT INTO rollup_basis (tenant_id, family, project_id, zone, breaks, orders)
VALUES (%(tenant)s, %(family)s, %(project)s, %(zone)s, %(breaks)s::timestamptz[], %(orders)s::bigint[])
    ON CONFLICT (tenant_id, family, project_id)
    DO UPDATE SET zone = excluded.zone, breaks = excluded.breaks, orders = excluded.orders
"""
NOTE_DEFINITIONS = """/* rollups.note_definitions */
UPDATE folded SET definitions = %(definitions)s
 WHERE tenant_id = %(tenant)s AND family = %(family)s AND definitions <> %(definitions)s
"""
NOTE_GENERATION = """/* rollups.note_generation */
UPDATE folded SET generation = generation + 1, folded_at = greatest(folded_at, clock_timestamp())
 WHERE tenant_id = %(tenant)s AND family = %(family)s
"""


def settle_basis(*, turn: Turn, found: Ground) -> None:
    """Brings the rows of projects whose definitions or zone changed in accord with them.

    Changes after the last fold leave all rows as they are; only new orders of states are counted by, too. Whatever reaches
    further back makes the project's rows anew.
    """
    before = stored(tenant_id=turn.owner.id, family=turn.family)
    changed = {project: basis for project, basis in found.bases.items() if before.get(project) != basis}
    known = [project for project in changed if project in before]
    grown = [each for each in known if changed[each].outgrows(before[each], since=turn.folded_at)]
    ordered = [each for each in grown if changed[each].orders != before[each].orders]
    recut = [each for each in known if each not in grown]
    if ordered:
        new = {key for each in ordered for key in changed[each].orders} - {
            k for each in ordered for k in before[each].orders
        }
        _count_by(turn=turn, found=found, projects=ordered, orders=new)
    if recut:
        _recut(turn=turn, found=found, projects=recut)
    if known:
        _note_generation(turn)
    _keep(turn, changed.values())
    with connection.cursor() as cursor:
        cursor.execute(NOTE_DEFINITIONS, {**turn.values(), "definitions": found.last_definition})


def _count_by(*, turn: Turn, found: Ground, projects: Sequence[int], orders: Collection[int]) -> None:
    span = span_of(tenant_id=turn.owner.id, family=turn.family)
    if span is not None:
        restate(
            turn=turn,
            found=found,
            history=histories.FOLDED_OF_PROJECT,
            values={"taken": [], "projects": list(projects)},
            span=span,
            projects=projects,
            derived=(),
            orders=orders,
        )


def remake(*, turn: Turn, found: Ground) -> None:
    """Makes all rows of the family anew from the facts that are folded."""
    family = turn.family
    with connection.cursor() as cursor:
        for table in (family.rollup, *(derived.table for derived in family.derived)):
            cursor.execute(FORGET_ALL.format(table=table), turn.values())
    span = span_of(tenant_id=turn.owner.id, family=turn.family)
    if span is not None:
        restate(turn=turn, found=found, history=histories.ALL_FOLDED, values={"taken": []}, span=span)
    _keep(turn, found.bases.values())
    _note_generation(turn)


def _recut(*, turn: Turn, found: Ground, projects: Sequence[int]) -> None:
    """Their rows alone. What lies in derived tables of single facts does not depend on definitions."""
    family, values = turn.family, {**turn.values(), "projects": list(projects)}
    tables = [derived for derived in family.derived if derived.is_replaced]
    with connection.cursor() as cursor:
        for table in (family.rollup, *(derived.table for derived in tables)):
            cursor.execute(FORGET_PROJECTS.format(table=table), values)
    span = span_of(tenant_id=turn.owner.id, family=turn.family)
    if span is not None:
        restate(
            turn=turn,
            found=found,
            history=histories.FOLDED_OF_PROJECT if family.project else histories.ALL_FOLDED,
            values={"taken": [], "projects": list(projects)},
            span=span,
            projects=projects,
            derived=tables,
        )


def span_of(*, tenant_id: int, family: Family) -> tuple[datetime, datetime] | None:
    """The instants of the tenant's first and last fact; None when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(SPAN.format(ledger=family.ledger), {"tenant": tenant_id})
        first, last = cursor.fetchall()[0]
    return None if first is None else (first, last)


def _keep(turn: Turn, bases: Any) -> None:
    basis: Basis
    with connection.cursor() as cursor:
        for basis in bases:
            cursor.execute(
                KEEP_BASIS,
                {
                    **turn.values(),
                    "project": basis.project_id,
                    "zone": basis.zone,
                    "breaks": list(basis.breaks),
                    "orders": list(basis.orders),
                },
            )


def _note_generation(turn: Turn) -> None:
    with connection.cursor() as cursor:
        cursor.execute(NOTE_GENERATION, turn.values())

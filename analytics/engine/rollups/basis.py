"""Basis of rollups: what they are cut and counted by, zones, instants at which definitions changed, and orders."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from analytics.engine.family import Definitions, Family
from analytics.engine.projects import ProjectFacts, project_facts
from analytics.engine.reading.knowledge import ALL_DEFINITIONS, KnownDefinitions
from analytics.pure.segments import day_starts, month_starts

NO_PROJECT = 0
MICROSECOND = timedelta(microseconds=1)

LAST_DEFINITION = """/* rollups.last_definition */
SELECT coalesce(max(seq), 0) FROM definition_ledger WHERE tenant_id = %(tenant)s
"""
STORED = """/* rollups.stored_basis */
SELECT project_id, zone, breaks, orders FROM rollup_basis
 WHERE tenant_id = %(tenant)s AND family = %(family)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """How one project's rows are cut and counted; equal ones mean equal rows."""

    project_id: int
    zone: str
    breaks: tuple[datetime, ...]
    orders: tuple[int, ...]

    def outgrows(self, other: "Basis", *, since: datetime) -> bool:
        """Whether only changes after `since` tell it from the other: rows of facts up to then are the same by both.

        A project's first states make no break, so where there were none, none of its facts was counted.
        """
        added = set(self.breaks) - set(other.breaks)
        return (
            self.zone == other.zone
            and bool(self.orders) == bool(other.orders)
            and set(other.breaks) <= set(self.breaks)
            and set(other.orders) <= set(self.orders)
            and all(instant > since for instant in added)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """The bases of a tenant's projects as they have to be now, and the definitions behind them.

    `known` is what `definitions` read (None: the family has none), `last_definition` the position of the last of these.
    """

    bases: Mapping[int, Basis]
    definitions: Definitions | None = None
    known: Any = None
    last_definition: int = 0


def ground(*, tenant_id: int, zone: str, family: Family, defined: KnownDefinitions = ALL_DEFINITIONS) -> Ground:
    """As the definitions are now, or as they were known then; zones are those of now. `zone` is the tenant's: that of facts
    without a project."""
    # A fold reads each of these in a snapshot of its own. The position first: what comes between is read, too, and looked at
    # once more next time. Projects before their states: one that comes between is unknown then, and whoever takes its facts
    # reads all this again; known without its states it would look settled, and its facts would never be counted.
    with connection.cursor() as cursor:
        cursor.execute(LAST_DEFINITION, {"tenant": tenant_id})
        last = cursor.fetchall()[0][0]
    projects = project_facts(tenant_id=tenant_id, key=None)
    definitions = family.definitions
    known = definitions.known(tenant_id, defined) if definitions else None
    found = ground_of(projects=projects, definitions=definitions, known=known)
    tenant = Basis(project_id=NO_PROJECT, zone=zone, breaks=(), orders=())
    return replace(found, bases={**found.bases, NO_PROJECT: tenant}, last_definition=last)


def ground_of(*, projects: Iterable[ProjectFacts], definitions: Definitions | None, known: Any) -> Ground:
    """That of some projects, by their definitions through time: `known` is what those have read."""
    breaks = definitions.breaks(known) if definitions else {}
    orders = definitions.orders(known) if definitions else {}
    bases = {
        project.id: Basis(
            project_id=project.id,
            zone=project.timezone,
            breaks=tuple(breaks.get(project.id, ())),
            orders=tuple(sorted(orders.get(project.id, ()))),
        )
        for project in projects
    }
    return Ground(bases=bases, definitions=definitions, known=known)


def stored(*, tenant_id: int, family: Family) -> dict[int, Basis]:
    """By project: what the rollups that are there were cut and counted by."""
    with connection.cursor() as cursor:
        cursor.execute(STORED, {"tenant": tenant_id, "family": family.name})
        rows = cursor.fetchall()
    return {
        project: Basis(project_id=project, zone=zone, breaks=tuple(breaks), orders=tuple(orders))
        for project, zone, breaks, orders in rows
    }


# Arrays of edges come from Python's pinned zones: PostgreSQL's own may be of another release.
CALENDAR = """
calendar AS MATERIALIZED (
    SELECT p.project_id, z.days, z.months, p.breaks
      FROM (VALUES {projects}) AS p (project_id, zone, breaks)
      JOIN (VALUES {zones}) AS z (zone, days, months) ON z.zone = p.zone
)
"""


def relations(found: Ground, *, orders: Collection[int] | None = None) -> Mapping[str, list[Any]]:
    """The parameters of the definitions' relations: all orders, or those."""
    return found.definitions.parameters(found.known, orders) if found.definitions else {}


def calendar(bases: Iterable[Basis], *, start: datetime, end: datetime) -> tuple[str, dict[str, Any]]:
    """The common table expression `calendar` (project_id, days, months, breaks) for facts of [start, end], and its
    parameters: where the days and months of the project's zone begin, and where its definitions changed."""
    bases = list(bases)
    zones = sorted({basis.zone for basis in bases})
    values: dict[str, Any] = {}
    for number, zone in enumerate(zones):
        values[f"days_{number}"] = day_starts(start=start, end=end + MICROSECOND, zone=zone)
        values[f"months_{number}"] = month_starts(start=start, end=end + MICROSECOND, zone=zone)
    for number, basis in enumerate(bases):
        values[f"project_{number}"] = basis.project_id
        values[f"zone_{number}"] = zones.index(basis.zone)
        values[f"breaks_{number}"] = list(basis.breaks)
    zone_rows = ", ".join(
        f"({n}, %(days_{n})s::timestamptz[], %(months_{n})s::timestamptz[])" for n in range(len(zones))
    )
    project_rows = ", ".join(
        f"(%(project_{n})s::int, %(zone_{n})s::int, %(breaks_{n})s::timestamptz[])" for n in range(len(bases))
    )
    text = CALENDAR.format(projects=project_rows, zones=zone_rows)
    return text, values

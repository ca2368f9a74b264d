"""What rollups are cut and counted by: zones, the instants at which definitions changed, the orders of states."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from analytics.engine.family import Family
from analytics.flow.figures.workflow import StateOrder, Workflows
from analytics.flow.replay.definitions import BoardFacts, boards, workflows
from analytics.pure.segments import day_starts, month_starts

LATEST = datetime.max.replace(tzinfo=UTC)
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

    `definitions` is the position of the last of these that was read.
    """

    bases: Mapping[int, Basis]
    epochs: Sequence[StateOrder]
    project_of: Mapping[int, int]
    definitions: int = 0


def order_key(places: Mapping[int, int]) -> int:
    """The name of an order of one project's states: equal orders have equal names, whenever they held. Never 0."""
    text = ",".join(f"{state}:{place}" for state, place in sorted(places.items()))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1 | 1


def ground(*, tenant_id: int, zone: str, family: Family) -> Ground:
    """As the definitions are now. `zone` is the tenant's: that of facts without a project."""
    # A fold reads each of these in a snapshot of its own. The position first: what comes between is read, too, and looked at
    # once more next time. Projects before their states: one that comes between is unknown then, and whoever takes its facts
    # reads all this again; known without its states it would look settled, and its facts would never be counted.
    with connection.cursor() as cursor:
        cursor.execute(LAST_DEFINITION, {"tenant": tenant_id})
        definitions = cursor.fetchall()[0][0]
    projects = boards(tenant_id=tenant_id, key=None)
    known = workflows(tenant_id=tenant_id, project_ids=None) if family.workflow else Workflows([])
    found = ground_of(boards=projects, known=known)
    tenant = Basis(project_id=NO_PROJECT, zone=zone, breaks=(), orders=())
    return replace(found, bases={**found.bases, NO_PROJECT: tenant}, definitions=definitions)


def ground_of(*, boards: Iterable[BoardFacts], known: Workflows) -> Ground:
    """That of some projects, by their definitions through time."""
    epochs = known.orders(before=LATEST)
    bases = {
        board.id: Basis(
            project_id=board.id,
            zone=board.timezone,
            breaks=tuple(known.redefined_in.get(board.id, ())),
            orders=tuple(sorted({order_key(epoch.places) for epoch in epochs if epoch.project_id == board.id})),
        )
        for board in boards
    }
    project_of = {state: known.first(state).project_id for state in known.state_ids}
    return Ground(bases=bases, epochs=epochs, project_of=project_of)


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
RELATIONS = """
place AS MATERIALIZED (
    SELECT * FROM unnest(%(place_states)s::int[], %(place_projects)s::int[]) AS p (state_id, project_id)
),
ordering AS MATERIALIZED (
    SELECT * FROM unnest(%(order_keys)s::bigint[], %(order_projects)s::int[], %(order_states)s::int[],
                         %(order_places)s::int[]) AS o (order_key, project_id, state_id, place)
),
epoch AS MATERIALIZED (
    SELECT * FROM unnest(%(epoch_states)s::int[], %(epoch_projects)s::int[], %(epoch_places)s::int[],
                         %(epoch_begins)s::timestamptz[], %(epoch_ends)s::timestamptz[])
               AS e (state_id, project_id, place, begin_at, end_at)
)
"""


CALENDAR = """
calendar AS MATERIALIZED (
    SELECT p.project_id, z.days, z.months, p.breaks
      FROM (VALUES {projects}) AS p (project_id, zone, breaks)
      JOIN (VALUES {zones}) AS z (zone, days, months) ON z.zone = p.zone
)
"""


def relations(found: Ground, *, orders: Collection[int] | None = None) -> dict[str, list[Any]]:
    """The parameters of RELATIONS: all orders of states, or those."""
    by_key = {(order_key(each.places), each.project_id): each.places for each in found.epochs}
    ordering = [
        (key, project, *pair)
        for (key, project), places in by_key.items()
        if orders is None or key in orders
        for pair in places.items()
    ]
    epochs = [
        (state, each.project_id, place, each.begin, each.end)
        for each in found.epochs
        for state, place in each.places.items()
    ]
    return {
        "place_states": list(found.project_of),
        "place_projects": list(found.project_of.values()),
        **_columns(ordering, names=("order_keys", "order_projects", "order_states", "order_places")),
        **_columns(epochs, names=("epoch_states", "epoch_projects", "epoch_places", "epoch_begins", "epoch_ends")),
    }


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


def _columns(rows: Sequence[tuple[Any, ...]], *, names: Sequence[str]) -> dict[str, list[Any]]:
    return {name: [row[number] for row in rows] for number, name in enumerate(names)}

"""Delivery of a source's events to one project: an import brings a file in pieces, recordEvents a list at once."""

from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from tasks_app.imports import conflicts
from tasks_app.imports.events import BadEvents, Events, OnBad, sifted
from tasks_app.imports.identity import Identities
from tasks_app.imports.known import new_task_ids, people_named, tasks_of_cases
from tasks_app.imports.workflow import KnownStates
from tasks_app.models import Kind, Project
from tasks_app.operations.reporting import ReportColumns, report_columns

# Statistics lag behind: after an import that was taken back they say that the ledger is empty. A nested loop then looks
# cheap and reads the ledger once a task (measured: 65 s instead of 1 s). A ledger that is known to be large is not read
# whole for a piece of a file.
HASH_JOINS = """/* imports.hash_joins */
SELECT set_config('enable_nestloop', 'off', true)
  FROM pg_class WHERE oid = 'task_ledger'::regclass AND reltuples < 1000000
"""

BEGINNING = """/* imports.beginning */
SELECT nextval('ledger_seq')
"""

# What the rows of this delivery came to in the end, in the order of all that is known: a later piece may have put a row
# before an earlier one. Facts that were reported before and became changes just now lie before `beginning`.
# (SELECT ...) hides the tenant's number: of a new tenant the planner would expect one row, and read all for each task.
CHANGES = """/* imports.changes */
WITH mine AS MATERIALIZED (
    SELECT DISTINCT m.task_id FROM task_ledger m
     WHERE m.tenant_id = (SELECT %(tenant_id)s::bigint) AND m.seq > %(beginning)s AND m.xact = txid_current()
)
SELECT count(*)
  FROM (SELECT l.seq, l.xact, l.to_id, l.project_id, lag(l.to_id) OVER history AS before_id,
               lag(l.project_id) OVER history AS before_project
          FROM mine
          JOIN task_ledger l
            ON l.tenant_id = (SELECT %(tenant_id)s::bigint) AND l.task_id = mine.task_id AND l.kind <= 5
        WINDOW history AS (PARTITION BY l.task_id ORDER BY l.happened_at, l.seq)) o
 WHERE o.seq > %(beginning)s AND o.xact = txid_current()
   AND (o.before_id IS NULL OR o.before_id <> o.to_id OR o.before_project <> o.project_id)
"""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One source's events for one project. The transaction holds its row locked: two at once would make a case twice.

    Remembers the cases and people of earlier pieces, and counts.
    """

    tenant_id: int
    project: Project
    source_id: int
    states: KnownStates
    recorded: int = 0
    duplicates: int = 0
    tasks: int = 0
    _task_ids: dict[str, int] = field(default_factory=dict)
    _people: dict[str, int] = field(default_factory=dict)
    _identities: Identities = field(init=False)

    def __post_init__(self) -> None:
        self._identities = Identities(project_id=self.project.id)

    def deliver(self, *, events: Events, on_bad: OnBad) -> None:
        """Records the events. `on_bad` hears of those that cannot be taken; when it does not raise, the others are."""
        events = sifted(events=events, bad=self.states.unknown(events.states), on_bad=on_bad)
        identities, bad = self._identities.of(events=events, slugs=[self.states.slug(name) for name in events.states])
        self._find(events.cases)
        bad |= self._conflicts(events, identities)
        identities = [identity for index, identity in enumerate(identities) if index not in bad]
        events = sifted(events=events, bad=bad, on_bad=on_bad)
        # An event without an id of its own is known only if its case is.
        all_new = not events.event_ids and self._task_ids.keys().isdisjoint(events.cases)
        columns = self._columns(events, identities)
        recorded = report_columns(tenant_id=self.tenant_id, source_id=self.source_id, columns=columns, all_new=all_new)
        self.recorded += recorded
        self.duplicates += len(identities) - recorded

    def _find(self, cases: list[str]) -> None:
        unseen = [case for case in dict.fromkeys(cases) if case not in self._task_ids]
        self._task_ids |= tasks_of_cases(
            tenant_id=self.tenant_id, project_id=self.project.id, source_id=self.source_id, cases=unseen
        )

    def _conflicts(self, events: Events, identities: list[str]) -> BadEvents:
        task_ids = [self._task_ids.get(case, 0) for case in events.cases]
        bad = conflicts.off_the_board(
            tenant_id=self.tenant_id,
            project_id=self.project.id,
            source_id=self.source_id,
            events=events,
            task_ids=task_ids,
            identities=identities,
        )
        return bad | conflicts.told_otherwise(
            tenant_id=self.tenant_id,
            source_id=self.source_id,
            events=events,
            task_ids=task_ids,
            to_ids=[self.states.id(name) for name in events.states],
            identities=identities,
        )

    def _columns(self, events: Events, identities: list[str]) -> ReportColumns:
        count = len(events.places)
        firsts = self._new_cases(events)
        kinds = [int(Kind.MOVED)] * count
        case_ids, titles = [""] * count, [""] * count
        for case, (index, title) in firsts.items():
            kinds[index], case_ids[index], titles[index] = int(Kind.CREATED), case, title or case
        return ReportColumns(
            task_ids=[self._task_ids[case] for case in events.cases],
            project_ids=[self.project.id] * count,
            to_ids=[self.states.id(name) for name in events.states],
            actor_ids=self._actor_ids(events),
            kinds=kinds,
            instants=events.instants,
            identities=identities,
            case_ids=case_ids,
            titles=titles,
        )

    def _new_cases(self, events: Events) -> dict[str, tuple[int, str]]:
        """For each case that is no task yet: the index of its earliest event, and the first title that it is given."""
        new = [case for case in dict.fromkeys(events.cases) if case not in self._task_ids]
        first: dict[str, int] = {}
        title: dict[str, str] = dict.fromkeys(new, "")
        titles = events.titles or [""] * len(events.cases)
        for index, case in enumerate(events.cases if new else ()):
            if case in title:
                title[case] = title[case] or titles[index]
                if case not in first or events.instants[index] < events.instants[first[case]]:
                    first[case] = index
        self._task_ids |= zip(new, new_task_ids(count=len(new)), strict=True)
        self.tasks += len(new)
        return {case: (first[case], title[case]) for case in new}

    def _actor_ids(self, events: Events) -> list[int]:
        if not events.actors:
            return [self.source_id] * len(events.places)
        unseen = [name for name in dict.fromkeys(events.actors) if name and name not in self._people]
        self._people |= people_named(tenant_id=self.tenant_id, names=unseen)
        people = self._people | {"": self.source_id}
        return [people[name] for name in events.actors]


def expect_many_events() -> None:
    """For this transaction, joins that are not slow where the database takes the ledger for small or empty."""
    with connection.cursor() as cursor:
        cursor.execute(HASH_JOINS)


def beginning() -> int:
    """A position in the ledger before all that this transaction writes from now on."""
    return _number(BEGINNING, {})


def changes(*, tenant_id: int, beginning: int) -> int:
    """How many of the events recorded since `beginning` are changes: arrivals of tasks and moves between states."""
    return _number(CHANGES, {"tenant_id": tenant_id, "beginning": beginning})


def _number(statement: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0]) if row else 0

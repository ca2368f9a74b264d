"""Import of a file of transitions: all of it in one transaction, a piece at a time.

Without a workflow the file is read twice: first for its states, in the order in which they appear in time.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from pathlib import Path

from tasks_app.imports.columns import columns_of, events_of
from tasks_app.imports.delivery import Delivery, beginning, changes, expect_many_events
from tasks_app.imports.events import Bad, Events
from tasks_app.imports.reading import opened
from tasks_app.imports.rejected import RefuseAll, Rejections, quarantined
from tasks_app.imports.timestamps import timestamp_reader
from tasks_app.imports.workflow import KnownStates, added, extended, guessed, guessed_state, state_key
from tasks_app.models import ActorKind, Project
from tasks_app.operations.projects import LONGEST_NAME, PROJECT_KEY, StateSpec, create_project
from tasks_app.operations.reporting import actor_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, TenantFacts, entered
from tasks_app.timezones import known_timezone

BATCH_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class ImportOrder:
    """What is asked for. `workflow` None: the project's own states, and those that the file adds, by guess."""

    path: Path
    project_key: str
    source: str = "csv"
    workflow: list[StateSpec] | None = None
    timezone: str | None = None
    quarantine: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import came to. A duplicate is counted as nothing else; `guessed` are the states that it had to guess."""

    rows: int
    tasks: int
    transitions: int
    unchanged: int
    duplicates: int
    rejected: int
    guessed: list[StateSpec]


def import_transitions(
    *, tenant: TenantFacts, order: ImportOrder, now: datetime, on_rows: Callable[[int], None] = lambda count: None
) -> Imported:
    """Imports the file, whole or not at all. `on_rows` hears how many rows were read, from time to time.

    Refused, with file, line and column, when a row cannot be taken and there is no quarantine.
    """
    _check_order(order)
    names = [] if order.workflow is not None else _states_in_time(order=order, now=now)
    with _source_entered(tenant=tenant, source=order.source) as source_id, _rejections(order) as rejections:
        expect_many_events()
        project, new = _settled_project(tenant=tenant, order=order, names=names)
        delivery = Delivery(tenant_id=tenant.id, project=project, source_id=source_id, states=KnownStates(project))
        before = beginning()
        rows = 0
        for piece in _one_ahead(_pieces(order=order, now=now)):
            for bad in sorted(piece.bad, key=attrgetter("place")):
                rejections(bad)
            delivery.deliver(events=piece.events, on_bad=rejections)
            rows += piece.count
            on_rows(piece.count)
        if rows == 0:
            raise Refused(f"{order.path.name} has a header and no rows; there is nothing to import.")
        changed = changes(tenant_id=tenant.id, beginning=before)
    return Imported(
        rows=rows,
        tasks=delivery.tasks,
        transitions=changed - delivery.tasks,
        unchanged=delivery.recorded - changed,
        duplicates=delivery.duplicates,
        rejected=rejections.count,
        guessed=new if order.workflow is None else [],
    )


def _check_order(order: ImportOrder) -> None:
    if not PROJECT_KEY.fullmatch(order.project_key):
        raise Refused(
            f"--project {order.project_key[:40]!r} must be a letter followed by at most 31 letters, digits and"
            " underscores."
        )
    if order.timezone is not None:
        known_timezone(order.timezone)
    if not order.source.strip() or len(order.source) > LONGEST_NAME:
        raise Refused(f"--source must be a name of 1 to {LONGEST_NAME} characters.")


@contextmanager
def _source_entered(*, tenant: TenantFacts, source: str) -> Iterator[int]:
    """Inside the tenant, as the source: what is written is written by it. Without a limit of time."""
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER, timeout_seconds=0):
        source_id = actor_named(tenant_id=tenant.id, kind=ActorKind.IMPORT, name=source)
        with entered(tenant_id=tenant.id, actor_id=source_id, role=DatabaseRole.WORKER, timeout_seconds=0):
            yield source_id


@contextmanager
def _rejections(order: ImportOrder) -> Iterator[Rejections]:
    if order.quarantine is None:
        yield RefuseAll(name=order.path.name)
        return
    with opened(path=order.path, batch_rows=1) as table:
        header = table.header
    with quarantined(path=order.quarantine, header=header) as quarantine:
        yield quarantine


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Some rows of the file: the events among them that can be read, and those that cannot."""

    count: int
    events: Events
    bad: list[Bad]


def _pieces(*, order: ImportOrder, now: datetime) -> Iterator[_Piece]:
    read_timestamp = timestamp_reader(now=now, zone=order.timezone)
    with opened(path=order.path, batch_rows=BATCH_ROWS) as table:
        columns = columns_of(header=table.header, name=table.name)
        for rows in table.batches:
            bad: list[Bad] = []
            events = events_of(rows=rows, columns=columns, read_timestamp=read_timestamp, on_bad=bad.append)
            yield _Piece(count=len(rows.rows), events=events, bad=bad)


def _one_ahead(pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """The same pieces. The next one is read in a thread, while the database works on the one before."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        upcoming = reader.submit(next, pieces, None)
        while (piece := upcoming.result()) is not None:
            upcoming = reader.submit(next, pieces, None)
            yield piece


def _states_in_time(*, order: ImportOrder, now: datetime) -> list[str]:
    """The names of the file's states, in the order in which they first appear in time; at one instant, in the file."""
    refuse = RefuseAll(name=order.path.name)
    first: dict[str, tuple[int, int, str]] = {}
    for piece in _pieces(order=order, now=now):
        if piece.bad and order.quarantine is None:
            refuse(min(piece.bad, key=attrgetter("place")))
        for moment in zip(piece.events.instants, piece.events.places, piece.events.states, strict=True):
            if moment[2] not in first or moment < first[moment[2]]:
                first[moment[2]] = moment
    names: dict[str, str] = {}
    for _, _, name in sorted(first.values()):
        names.setdefault(state_key(name), name)
    return list(names.values())


def _settled_project(*, tenant: TenantFacts, order: ImportOrder, names: list[str]) -> tuple[Project, list[StateSpec]]:
    """The project, locked, with every state that it needs, and the states that were made for it."""
    project = Project.objects.select_for_update().filter(tenant_id=tenant.id, key=order.project_key).first()
    if project is not None:
        return project, _new_states(project=project, order=order, names=names)
    states = order.workflow if order.workflow is not None else guessed(names)
    if not states:
        raise Refused(f"{order.path.name} has no rows that can be imported; nothing was made.")
    project = create_project(
        tenant_id=tenant.id, key=order.project_key, name=order.project_key, timezone=tenant.timezone, states=states
    )
    return project, states


def _new_states(*, project: Project, order: ImportOrder, names: list[str]) -> list[StateSpec]:
    if order.workflow is not None:
        return extended(project=project, wanted=order.workflow)
    unknown = KnownStates(project).unknown(names)
    return added(project=project, new=[guessed_state(names[index]) for index in sorted(unknown)])

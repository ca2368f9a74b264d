"""Past changes, which happened earlier: where a task was then, and how its past is reported."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tasks_app.models import STATE_KINDS, Kind, Project, Task, TaskLedger
from tasks_app.operations.reporting import Report, report
from tasks_app.refusals import Refused

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
HAPPENED_AT = ("input", "happenedAt")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a task was at an instant: on which board, in which state. Without an instant: now."""

    project: Project
    state_id: int
    happened_at: datetime | None


def check_past(*, happened_at: datetime, now: datetime, path: Sequence[str] = HAPPENED_AT) -> None:
    """Refuses an instant that is not behind us, or before 1900."""
    if happened_at > now:
        raise Refused(f"{happened_at.isoformat()} is in the future: what is recorded has happened.", path=path)
    if happened_at < EARLIEST:
        raise Refused(f"{happened_at.isoformat()} is before 1900.", path=path)


def place_at(*, task: Task, happened_at: datetime, now: datetime) -> Place:
    """Where the task was just then, by its history in order. Refused where it was nowhere: not yet created, or discarded."""
    check_past(happened_at=happened_at, now=now)
    fact = (
        TaskLedger.objects.filter(
            tenant_id=task.tenant_id, task_id=task.id, kind__in=STATE_KINDS, happened_at__lte=happened_at
        )
        .order_by("-happened_at", "-seq")
        .first()
    )
    if fact is None:
        raise Refused(
            f"The task {task.key} did not exist at {happened_at.isoformat()}; it was created at"
            f" {task.created_at.isoformat()}.",
            path=HAPPENED_AT,
        )
    if fact.kind == Kind.DISCARDED:
        raise Refused(f"The task {task.key} was discarded at {fact.happened_at.isoformat()}.", path=HAPPENED_AT)
    project = Project.objects.get(tenant_id=task.tenant_id, id=fact.project_id)
    return Place(project=project, state_id=fact.to_id, happened_at=happened_at)


def report_change(*, task: Task, place: Place, kind: Kind, to_id: int, actor_id: int) -> None:
    """Reports one change of the task by its caller; every report is one of its own, never a duplicate."""
    report(
        tenant_id=task.tenant_id,
        source_id=actor_id,
        reports=[
            Report(
                task_id=task.id,
                project_id=place.project.id,
                to_id=to_id,
                actor_id=actor_id,
                kind=kind,
                happened_at=place.happened_at,
                identity=uuid.uuid4(),
            )
        ],
    )

"""Filters of tasks and of ledger rows: as they are asked, and as conditions of a list. Unknown names are refused by name."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import strawberry

from analytics.engine.asked_names import actor_pk, plain, project_id, unknown
from analytics.engine.graphql.inputs import BetweenInput
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.graphql.activity import ActivityKind
from analytics.flow.graphql.workflow_states import StateCategoryName
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.tasks import search_pattern
from tasks_app.errors import ApiError
from tasks_app.http.scalars import BIGINT_LIMIT
from tasks_app.models import Kind, StateCategory, Task
from tasks_app.tenancy import TenantFacts


@strawberry.input(description="In a state at some moment of a window.")
class WasEverInput:
    state: str = strawberry.field(description="The state's slug.")
    between: BetweenInput | None = strawberry.field(default=strawberry.UNSET, description="When; left out: ever.")


@strawberry.input(description="In a state for some time without a break, up to the instant asked for.")
class HeldForInput:
    state: str = strawberry.field(description="The state's slug.")
    at_least_seconds: int = strawberry.field(description="For at least so many elapsed seconds.")


@strawberry.input(description="Which tasks. All conditions given must hold.")
class TaskFilter:
    project: str | None = strawberry.field(default=strawberry.UNSET, description="On the board of that key.")
    states: list[str] | None = strawberry.field(default=strawberry.UNSET, description="In one of these states (slugs).")
    categories: list[StateCategoryName] | None = strawberry.field(  # type: ignore[valid-type]
        default=strawberry.UNSET, description="In a state of one of these categories."
    )
    assignee: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="In the hands of that actor."
    )
    search: str | None = strawberry.field(
        default=strawberry.UNSET, description="A text in the key, the title or the source's own id, in any case."
    )
    was_ever: WasEverInput | None = strawberry.field(default=strawberry.UNSET, description="Was ever in a state.")
    held_for: HeldForInput | None = strawberry.field(default=strawberry.UNSET, description="Is in a state, and since.")
    changed_by: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Changed at least once by that actor."
    )


@strawberry.input(description="Which ledger rows. All conditions given must hold.")
class ActivityFilter:
    project: str | None = strawberry.field(default=strawberry.UNSET, description="In the project of that key.")
    task: str | None = strawberry.field(default=strawberry.UNSET, description="Of the task of that key.")
    actor: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="By that actor.")
    kinds: list[ActivityKind] | None = strawberry.field(  # type: ignore[valid-type]
        default=strawberry.UNSET, description="Of one of these kinds."
    )
    from_: datetime | None = strawberry.field(
        default=strawberry.UNSET, name="from", description="That happened at this instant or later."
    )
    to: datetime | None = strawberry.field(default=strawberry.UNSET, description="That happened before this instant.")
    correlation_id: str | None = strawberry.field(default=strawberry.UNSET, description="Of one operation.")


def task_conditions(
    asked: TaskFilter | None, *, tenant: TenantFacts, at: datetime | None, now: datetime
) -> dict[str, Any]:
    """For analytics.flow.replay.tasks: states and categories are those of the instant asked for."""
    if not asked:
        return {}
    found: dict[str, Any] = {}
    if asked.project:
        found["project_ids"] = [project_id(asked.project, tenant=tenant, argument="filter.project")]
    if asked.assignee:
        found["assignee_id"] = actor_pk(asked.assignee, tenant=tenant, argument="filter.assignee")
    if asked.changed_by:
        found["changed_by"] = actor_pk(asked.changed_by, tenant=tenant, argument="filter.changedBy")
    if asked.search:
        found["search"] = search_pattern(plain(asked.search, argument="filter.search"))
    return {**found, **_state_conditions(asked, tenant=tenant, at=at, now=now, projects=found.get("project_ids"))}


def _state_conditions(
    asked: TaskFilter, *, tenant: TenantFacts, at: datetime | None, now: datetime, projects: list[int] | None
) -> dict[str, Any]:
    if not (asked.states or asked.categories or asked.was_ever or asked.held_for):
        return {}
    known = workflows(tenant_id=tenant.id, project_ids=projects)
    latest = [each for state in known.state_ids if (each := known.ever(state))]
    then = list(known.at(at).values()) if at else latest
    found: dict[str, Any] = {}
    if asked.states or asked.categories:
        wanted = _of_slugs(then, asked.states, argument="filter.states") if asked.states else then
        categories = [StateCategory(category).value for category in asked.categories or []]
        found["state_ids"] = [s.state_id for s in wanted if not categories or s.category in categories]
    if asked.was_ever:
        between = asked.was_ever.between
        found["was_ever_ids"] = _ids(_of_slugs(latest, [asked.was_ever.state], argument="filter.wasEver.state"))
        found["was_ever_from"] = between.from_ if between else None
        found["was_ever_to"] = between.to if between else None
    if asked.held_for:
        if asked.held_for.at_least_seconds < 0:
            raise ApiError("filter.heldFor.atLeastSeconds: a time cannot be negative.")
        found["held_ids"] = _ids(_of_slugs(then, [asked.held_for.state], argument="filter.heldFor.state"))
        found["held_since"] = (at or now) - timedelta(seconds=asked.held_for.at_least_seconds)
    return found


def _of_slugs(states: Iterable[StateDefinition], slugs: list[str], *, argument: str) -> list[StateDefinition]:
    by_slug: dict[str, list[StateDefinition]] = {}
    for state in states:
        by_slug.setdefault(state.slug, []).append(state)
    for slug in slugs:
        if slug not in by_slug:
            raise unknown("state", slug, argument=argument)
    return [state for slug in slugs for state in by_slug[slug]]


def _ids(states: Iterable[StateDefinition]) -> list[int]:
    return [state.state_id for state in states]


def activity_conditions(asked: ActivityFilter | None, *, tenant: TenantFacts) -> dict[str, Any]:
    """For analytics.flow.replay.activity."""
    if not asked:
        return {}
    kinds = [Kind(kind).value for kind in asked.kinds or []]
    found = {
        "project_id": asked.project and project_id(asked.project, tenant=tenant, argument="filter.project"),
        "task_id": asked.task and task_id(asked.task, tenant=tenant, argument="filter.task"),
        "actor_id": asked.actor and actor_pk(asked.actor, tenant=tenant, argument="filter.actor"),
        "kinds": kinds,
        "from_at": asked.from_,
        "to_at": asked.to,
        "correlation": asked.correlation_id and _decimal(asked.correlation_id, argument="filter.correlationId"),
    }
    return {name: value for name, value in found.items() if value}


def task_id(key: str, *, tenant: TenantFacts, argument: str) -> int:
    """The id of the tenant's task of that key."""
    key = plain(key, argument=argument)
    found = Task.objects.filter(tenant_id=tenant.id, key=key).values_list("id", flat=True).first()
    if found is None:
        raise unknown("task", key, argument=argument)
    return found


def _decimal(text: str, *, argument: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= BIGINT_LIMIT:
        raise ApiError(f"{argument}: {text[:40]!r} is not a correlation id; they are decimal numbers.")
    return int(text)

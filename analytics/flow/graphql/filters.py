"""From a filter as it is asked to the conditions of a list. Unknown names are refused by name."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from analytics.engine.graphql.inputs import ActivityFilter, TaskFilter
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.tasks import search_pattern
from tasks_app.errors import ApiError, Code
from tasks_app.http.node import decode_pk
from tasks_app.models import Actor, Kind, Project, StateCategory, Task
from tasks_app.tenancy import TenantFacts

LONGEST_SEARCH = 200
LARGEST_INT = 2**31 - 1
LARGEST_BIGINT = 2**63 - 1


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


def project_id(key: str, *, tenant: TenantFacts, argument: str) -> int:
    """The id of the tenant's project of that key."""
    key = plain(key, argument=argument)
    found = Project.objects.filter(tenant_id=tenant.id, key=key).values_list("id", flat=True).first()
    if found is None:
        raise unknown("project", key, argument=argument)
    return found


def task_id(key: str, *, tenant: TenantFacts, argument: str) -> int:
    """The id of the tenant's task of that key."""
    key = plain(key, argument=argument)
    found = Task.objects.filter(tenant_id=tenant.id, key=key).values_list("id", flat=True).first()
    if found is None:
        raise unknown("task", key, argument=argument)
    return found


def actor_pk(actor_id: str, *, tenant: TenantFacts, argument: str) -> int:
    """The number behind the id of an actor of the tenant. One of another tenant is as good as none."""
    pk = decode_pk(actor_id, type_name="Actor")
    if pk is None or pk > LARGEST_INT or not Actor.objects.filter(tenant_id=tenant.id, id=pk).exists():
        raise ApiError(f"{argument}: there is no such actor.", code=Code.NOT_FOUND)
    return pk


def unknown(what: str, name: str, *, argument: str) -> ApiError:
    """The error for a name that is not there, or not this tenant's: both read the same."""
    return ApiError(f"{argument}: there is no {what} {name!r}.", code=Code.NOT_FOUND)


def plain(text: str, *, argument: str) -> str:
    """A text that the database can compare; refuses NUL, lone surrogates and what is too long to name anything."""
    if "\x00" in text or len(text) > LONGEST_SEARCH or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ApiError(f"{argument}: give at most {LONGEST_SEARCH} characters, without NUL or lone surrogates.")
    return text


def _decimal(text: str, *, argument: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > LARGEST_BIGINT:
        raise ApiError(f"{argument}: {text[:40]!r} is not a correlation id; they are decimal numbers.")
    return int(text)

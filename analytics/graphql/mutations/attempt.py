"""One mutation's course: checked, done once or not at all, and what there is to answer."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

from analytics.graphql.projects import Project, project_node
from analytics.graphql.tasks import Task, task_nodes
from tasks_app.graphql.asking import Info
from tasks_app.graphql.idempotency import NamedMutation, Outcome, once
from tasks_app.graphql.user_errors import UserError, all_or_nothing, user_error
from tasks_app.refusals import Refused

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    class Input(DataclassInstance, Protocol):
        """What every mutation's input has."""

        client_mutation_id: str | None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What a mutation did, or why it did nothing; then `outcome` is empty."""

    info: Info
    outcome: Outcome
    errors: list[UserError]
    client_mutation_id: str | None

    @property
    def shared(self) -> dict[str, Any]:
        """The fields that every payload has."""
        return {"errors": self.errors, "client_mutation_id": self.client_mutation_id}

    @property
    def project(self) -> Project | None:
        """The project that the outcome names, as it is now."""
        key = self.outcome.get("project")
        return project_node(tenant=self.info.context.tenant, key=key) if key else None

    @property
    def task(self) -> Task | None:
        """The task that the outcome names, as it is now."""
        return next(iter(self._tasks([self.outcome["task"]])), None) if self.outcome else None

    @property
    def tasks(self) -> list[Task]:
        """The tasks that the outcome names, as they are now."""
        return self._tasks(self.outcome.get("tasks", []))

    def _tasks(self, keys: list[str]) -> list[Task]:
        return task_nodes(tenant=self.info.context.tenant, keys=keys, now=self.info.context.now)


def attempt(info: Info, given: "Input", do: Callable[[], Outcome]) -> Attempt:
    """Runs `do` so that it changes all that it says or nothing; under the client's name for it, once in 24 hours."""
    try:
        with all_or_nothing():
            outcome = _done(info, given, do)
    except Refused as refused:
        return _attempt(info, given, errors=[user_error(refused)])
    return _attempt(info, given, outcome=outcome)


def _done(info: Info, given: "Input", do: Callable[[], Outcome]) -> Outcome:
    if given.client_mutation_id is None:
        return do()
    asking = info.context
    content = {"mutation": info.field_name, **asdict(given)}
    named = NamedMutation(
        tenant_id=asking.tenant.id,
        actor_id=asking.caller.actor_id,
        name=given.client_mutation_id,
        content=content,
    )
    return once(named, do=do, now=asking.now)


def _attempt(
    info: Info, given: "Input", *, outcome: Outcome | None = None, errors: list[UserError] | None = None
) -> Attempt:
    return Attempt(info=info, outcome=outcome or {}, errors=errors or [], client_mutation_id=given.client_mutation_id)

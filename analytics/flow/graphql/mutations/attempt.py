"""Attempt: what a mutation of the record did, as its payload shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.engine.graphql.projects import Project, project_node
from analytics.flow.graphql.tasks import Task, task_nodes
from tasks_app.graphql.asking import Info
from tasks_app.graphql.attempts import Tried, tried
from tasks_app.graphql.idempotency import Outcome

if TYPE_CHECKING:
    from tasks_app.graphql.attempts import Input


@dataclass(frozen=True, kw_only=True)
class Attempt(Tried):
    """The projects and tasks that the outcome names, as they are now."""

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
    done = tried(info, given, do)
    return Attempt(info=info, outcome=done.outcome, errors=done.errors, client_mutation_id=done.client_mutation_id)

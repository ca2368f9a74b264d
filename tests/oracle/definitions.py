"""Which definition of a state holds at an instant, and what positions and categories follow from it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.oracle.facts import Category, History, Project, StateDefinition, Workflow
from tests.oracle.questions import AsOf, Question

NOTHING_DEFINED = Workflow(
    happened_at=datetime.min.replace(tzinfo=UTC), recorded_at=datetime.min.replace(tzinfo=UTC), states=()
)


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """The definitions a question sees: those known to it, THEN's or today's."""

    history: History
    question: Question

    def known(self, *, project: str) -> tuple[Workflow, ...]:
        """The versions recorded by the question's knownAt, in the order in which they come into force."""
        versions = [v for v in self.history.project(project).workflows if v.recorded_at <= self.question.known_until]
        return tuple(sorted(versions, key=lambda version: version.happened_at))

    def during(self, *, project: str, at: datetime) -> Workflow:
        """The version that a fact at that instant meets: a definition of the same instant is already in force."""
        return self._last(project, lambda version: version.happened_at <= at)

    def before(self, *, project: str, end: datetime) -> Workflow:
        """The version in force when a bucket ends: a definition of that very instant belongs to the next bucket."""
        return self._last(project, lambda version: version.happened_at < end)

    def _last(self, project: str, in_force: Callable[[Workflow], bool]) -> Workflow:
        versions = self.known(project=project)
        today = self.question.now
        if self.question.as_of is AsOf.NOW:
            chosen = [version for version in versions if version.happened_at <= today]
        else:
            chosen = [version for version in versions if in_force(version)]
        return (chosen or list(versions[:1]) or [NOTHING_DEFINED])[-1]

    def category(self, *, project: str, state: str, workflow: Workflow) -> Category:
        """The state's category in that version; for a state not defined by then, the first one it was given."""
        for version in (workflow, *self.known(project=project)):
            definition = definition_of(workflow=version, state=state)
            if definition is not None:
                return definition.category
        raise KeyError(f"No known definition of project {project} has a state {state!r}.")

    def slugs(self, *, project: str) -> tuple[str, ...]:
        """Every state defined by the question's horizon, in the latest order that has it."""
        horizon = self.question.horizon
        versions = [
            v for v in self.known(project=project) if v.happened_at < horizon or self.question.as_of is AsOf.NOW
        ]
        latest_first = [state.slug for version in reversed(versions) for state in version.states]
        return tuple(dict.fromkeys(latest_first))


def definition_of(*, workflow: Workflow, state: str) -> StateDefinition | None:
    """The state in that version, or None when the version does not have it."""
    return next((definition for definition in workflow.states if definition.slug == state), None)


def positions(*, workflow: Workflow) -> dict[str, int]:
    """Each state's place in the order, CANCELLED ones apart; an archived one shares that of the last active before it.

    Where no active state stands before it, that is -1: below every line.
    """
    places: dict[str, int] = {}
    last = -1
    for state in workflow.states:
        if state.category is Category.CANCELLED:
            continue
        last += 0 if state.archived else 1
        places[state.slug] = last
    return places


def lowest(*, workflow: Workflow, category: Category) -> str | None:
    """The first active state of that category, or None."""
    found = (state.slug for state in workflow.states if state.category is category and not state.archived)
    return next(found, None)


def recorded_since(*, projects: tuple[Project, ...], known_at: datetime) -> datetime | None:
    """The earliest instant from which any of the projects was recorded, as far as was known; None when none was."""
    known = (p for p in projects if any(version.recorded_at <= known_at for version in p.workflows))
    return min((p.recorded_since for p in known if p.recorded_since is not None), default=None)

"""Workflow of an import: its states as asked for, as a project has them, or guessed from the file."""

from collections.abc import Sequence

from tasks_app.imports.events import BadEvents
from tasks_app.models import Project, StateCategory, WorkflowState
from tasks_app.operations.projects import StateSpec, change_states, slug_of
from tasks_app.refusals import Refused

FLAGS = ("waiting", "validation")

# Words that say of a name what the state is. Never CANCELLED: that would take items off the board on a guess.
DONE_WORDS = frozenset(
    {"done", "closed", "close", "resolved", "completed", "complete", "finished", "released", "shipped", "deployed"}
)
TODO_WORDS = frozenset(
    {"todo", "new", "queued", "queue", "backlog", "open", "opened", "created", "registered", "submitted", "ready"}
)


class KnownStates:
    """A project's states by whatever text names them: name, slug, or another spelling with the same slug.

    Archived states are among them: a late fact, or a second import, may speak of one.
    """

    def __init__(self, project: Project) -> None:
        states = list(WorkflowState.objects.filter(tenant_id=project.tenant_id, project=project).order_by("position"))
        states.sort(key=lambda state: state.archived, reverse=True)
        self._project = project.key
        self._active = [state.name for state in states if not state.archived]
        self._states = {state.slug: (state.id, state.slug) for state in states}
        self._states |= {state.name: (state.id, state.slug) for state in states}

    def unknown(self, names: list[str]) -> BadEvents:
        """The indices of names that name no state, each with the reason."""
        missing = {name for name in dict.fromkeys(names) if not self._spelled(name)}
        if not missing:
            return {}
        there = ", ".join(self._active)
        return {
            index: ("state", f"the project {self._project} has no state {name[:80]!r}; its states are {there}")
            for index, name in enumerate(names)
            if name in missing
        }

    def id(self, name: str) -> int:
        """The id of a state that `unknown` did not report."""
        return self._states[name][0]

    def slug(self, name: str) -> str:
        """The slug of a state that `unknown` did not report."""
        return self._states[name][1]

    def _spelled(self, name: str) -> bool:
        if name not in self._states and slug_of(name) in self._states:
            self._states[name] = self._states[slug_of(name)]
        return name in self._states


def read_workflow(text: str) -> list[StateSpec]:
    """The states of `Name:category[:waiting][:validation],...`, in order. Names hold no colons and no commas."""
    specs = [_read_state(part) for part in text.split(",")]
    slugs = [state_key(spec.name) for spec in specs]
    for spec, slug in zip(specs, slugs, strict=True):
        if slugs.count(slug) > 1:
            raise Refused(f"--workflow names the state {spec.name!r} twice; name each state once.")
    return specs


def _read_state(part: str) -> StateSpec:
    name, *words = (word.strip() for word in part.split(":"))
    category = words[0].upper() if words else ""
    if not name or category not in StateCategory.values:
        raise Refused(
            f"--workflow: {part.strip()!r} must be a name and a category, such as Queued:todo;"
            " the categories are todo, in_progress, done and cancelled."
        )
    unknown = [word for word in words[1:] if word not in FLAGS]
    if unknown:
        raise Refused(f"--workflow: {unknown[0]!r} in {part.strip()!r} must be waiting or validation.")
    return StateSpec(
        name=name, category=category, waiting="waiting" in words[1:], needs_validation="validation" in words[1:]
    )


def written(specs: Sequence[StateSpec]) -> str:
    """The text that `read_workflow` reads back to the same states."""
    return ",".join(
        ":".join(
            [spec.name, spec.category.lower()]
            + (["waiting"] if spec.waiting else [])
            + (["validation"] if spec.needs_validation else [])
        )
        for spec in specs
    )


def guessed(names: Sequence[str]) -> list[StateSpec]:
    """States for names in order of first appearance, each with the category that its words suggest, else IN_PROGRESS.

    Without any word for a beginning or an end, the first is TODO and the last DONE, as far as there are that many.
    """
    categories: list[str] = [guessed_state(name).category for name in names]
    if len(names) > 1 and StateCategory.DONE not in categories:
        categories[-1] = StateCategory.DONE
    if categories and StateCategory.TODO not in categories and categories[0] == StateCategory.IN_PROGRESS:
        categories[0] = StateCategory.TODO
    return [StateSpec(name=name, category=category) for name, category in zip(names, categories, strict=True)]


def guessed_state(name: str) -> StateSpec:
    """A state with the category that the words of its name suggest, else IN_PROGRESS."""
    slug = slug_of(name)
    words = set(slug.split("-"))
    if words & DONE_WORDS:
        return StateSpec(name=name, category=StateCategory.DONE)
    if words & TODO_WORDS or slug == "to-do":
        return StateSpec(name=name, category=StateCategory.TODO)
    return StateSpec(name=name, category=StateCategory.IN_PROGRESS)


def state_key(name: str) -> str:
    """What two spellings of one state have in common: the slug, or the name where that would be empty."""
    return slug_of(name) or name


def extended(*, project: Project, wanted: Sequence[StateSpec]) -> list[StateSpec]:
    """Makes `wanted` the project's workflow and answers with the states that were added, at the end.

    Refused unless `wanted` begins with the states that the project has, in their order and with their categories.
    """
    there = _active_specs(project)
    for number, spec in enumerate(there):
        given = wanted[number] if number < len(wanted) else None
        if given is None or _shape(given) != _shape(spec):
            raise Refused(
                f"--workflow does not agree with the project {project.key}, whose state {number + 1} is"
                f" {written([spec])}; give its states as they are, new ones after them, or leave --workflow out."
            )
    return added(project=project, new=wanted[len(there) :])


def added(*, project: Project, new: Sequence[StateSpec]) -> list[StateSpec]:
    """Adds states at the end of the project's workflow and answers with them."""
    if new:
        states = [*_active_specs(project), *new]
        change_states(tenant_id=project.tenant_id, project_key=project.key, states=states)
    return list(new)


def _shape(spec: StateSpec) -> tuple[str, str, bool, bool]:
    return (spec.slug or state_key(spec.name), spec.category, spec.waiting, spec.needs_validation)


def _active_specs(project: Project) -> list[StateSpec]:
    states = WorkflowState.objects.filter(tenant_id=project.tenant_id, project=project, archived=False)
    return [
        StateSpec(
            name=state.name,
            slug=state.slug,
            category=state.category,
            waiting=state.waiting,
            needs_validation=state.needs_validation,
        )
        for state in states.order_by("position")
    ]

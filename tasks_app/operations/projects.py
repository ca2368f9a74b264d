"""Projects and their workflow. What changes a definition is recorded like what changes a task."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from tasks_app.models import Project, StateCategory, Task, WorkflowState
from tasks_app.refusals import Refused, not_found
from tasks_app.timezones import known_timezone

PROJECT_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
MAX_STATES = 200
LONGEST_NAME = 200


@dataclass(frozen=True, kw_only=True)
class StateSpec:
    """A state as it is asked for. `slug` names an existing one; without it the state is new and gets one from its name."""

    name: str
    category: str
    slug: str | None = None
    waiting: bool = False
    needs_validation: bool = False


def create_project(*, tenant_id: int, key: str, name: str, timezone: str, states: Sequence[StateSpec]) -> Project:
    """A board with its states, in order. Its history begins now; older facts move the beginning back."""
    if not PROJECT_KEY.fullmatch(key):
        raise Refused(
            f"The key {key[:40]!r} must be a letter followed by at most 31 letters, digits and underscores.",
            path=("input", "key"),
        )
    if name and not name.strip():
        raise Refused(
            "A project needs a name that can be read, or none: then it is called by its key.", path=("input", "name")
        )
    known_timezone(timezone, path=("input", "timezone"))
    _check_specs(states)
    try:
        with transaction.atomic():
            project = Project.objects.create(tenant_id=tenant_id, key=key, name=name or key, timezone=timezone)
    except IntegrityError:
        raise Refused(f"There is already a project {key!r}.", path=("input", "key")) from None
    taken: set[str] = set()
    WorkflowState.objects.bulk_create(
        _new_state(project=project, spec=spec, position=position, taken=taken) for position, spec in enumerate(states)
    )
    return project


def change_states(*, tenant_id: int, project_key: str, states: Sequence[StateSpec]) -> Project:
    """Makes `states` the whole workflow: renames, reorders, recategorises, adds; what is missing is archived.

    Refused when a state that would be archived still holds items. A state that is not changed is not recorded anew.
    """
    project = project_named(tenant_id=tenant_id, key=project_key, lock=True)
    _check_specs(states)
    now_there = {state.slug: state for state in WorkflowState.objects.filter(tenant_id=tenant_id, project=project)}
    named = [spec.slug for spec in states if spec.slug is not None]
    _check_slugs(named, now_there)
    _check_empty(tenant_id=tenant_id, gone=[s for s in now_there.values() if s.slug not in named and not s.archived])
    moved_to = _archived_positions(order=named, now_there=now_there, states=states)
    taken = set(now_there)
    added = []
    for position, spec in enumerate(states):
        if spec.slug is None:
            added.append(_new_state(project=project, spec=spec, position=position, taken=taken))
        else:
            _redefine(now_there[spec.slug], spec=spec, position=position)
    for slug, position in moved_to.items():
        now_there[slug].archived, now_there[slug].position = True, position
    fields = ["name", "category", "position", "waiting", "needs_validation", "archived"]
    WorkflowState.objects.bulk_update(list(now_there.values()), fields)
    WorkflowState.objects.bulk_create(added)
    return project


def project_named(
    *, tenant_id: int, key: str, lock: bool = False, path: Sequence[str] = ("input", "project")
) -> Project:
    """The project of that key in the tenant; NOT_FOUND otherwise."""
    projects = Project.objects.select_for_update() if lock else Project.objects.all()
    project = projects.filter(tenant_id=tenant_id, key=key).first()
    if project is None:
        raise not_found(what="project", name=key, path=path)
    return project


def state_named(*, project: Project, slug: str | None, path: Sequence[str] = ("input", "state")) -> WorkflowState:
    """The project's active state of that slug; without a slug, the first in order."""
    states = WorkflowState.objects.filter(tenant_id=project.tenant_id, project=project, archived=False)
    if slug is None:
        first = states.order_by("position").first()
        if first is None:
            raise Refused(f"The project {project.key!r} has no states.", path=path)
        return first
    state = states.filter(slug=slug).first()
    if state is None:
        known = ", ".join(states.order_by("position").values_list("slug", flat=True))
        raise Refused(
            f"The project {project.key!r} has no state {slug!r}; its states are {known}.", code="NOT_FOUND", path=path
        )
    return state


def slug_of(name: str) -> str:
    """The name in lower case, every run of other characters than letters and digits one hyphen, none at either end."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return "-".join(words)


def _new_state(*, project: Project, spec: StateSpec, position: int, taken: set[str]) -> WorkflowState:
    slug = _free_slug(spec.slug or slug_of(spec.name), taken)
    taken.add(slug)
    return WorkflowState(
        tenant_id=project.tenant_id,
        project=project,
        slug=slug,
        name=spec.name,
        category=spec.category,
        position=position,
        waiting=spec.waiting,
        needs_validation=spec.needs_validation,
    )


def _free_slug(slug: str, taken: set[str]) -> str:
    wanted, number = slug or "state", 2
    slug = wanted
    while slug in taken:
        slug, number = f"{wanted}-{number}", number + 1
    return slug


def _redefine(state: WorkflowState, *, spec: StateSpec, position: int) -> None:
    state.name, state.category, state.position = spec.name, spec.category, position
    state.waiting, state.needs_validation, state.archived = spec.waiting, spec.needs_validation, False


def _archived_positions(
    *, order: Sequence[str], now_there: dict[str, WorkflowState], states: Sequence[StateSpec]
) -> dict[str, int]:
    """Where each archived state stands from now on: with the last active state that was before it.

    It must stand somewhere: items that were in it had come that far.
    """
    place = {spec.slug: position for position, spec in enumerate(states) if spec.slug is not None}
    positions: dict[str, int] = {}
    reached = -1
    by_old_order = sorted(now_there.values(), key=lambda state: (state.position, state.archived, state.id))
    for state in by_old_order:
        if state.slug in place:
            reached = place[state.slug]
        else:
            positions[state.slug] = reached
    return positions


def _check_specs(states: Sequence[StateSpec]) -> None:
    if not 1 <= len(states) <= MAX_STATES:
        raise Refused(f"A workflow has 1 to {MAX_STATES} states, not {len(states)}.", path=("input", "states"))
    for number, spec in enumerate(states):
        path = ("input", "states", str(number))
        if not spec.name.strip() or len(spec.name) > LONGEST_NAME or "\x00" in spec.name:
            raise Refused(f"A state needs a name of 1 to {LONGEST_NAME} characters.", path=(*path, "name"))
        if spec.category not in StateCategory.values:
            raise Refused(f"There is no category {spec.category!r}.", path=(*path, "category"))


def _check_slugs(named: Sequence[str], now_there: dict[str, WorkflowState]) -> None:
    for slug in named:
        if slug not in now_there:
            raise Refused(
                f"There is no state {slug!r} to change; leave `slug` out to add one.",
                code="NOT_FOUND",
                path=("input", "states"),
            )
    if len(set(named)) != len(named):
        raise Refused("Two entries name the same state by `slug`.", path=("input", "states"))


def _check_empty(*, tenant_id: int, gone: Sequence[WorkflowState]) -> None:
    held = Task.objects.filter(tenant_id=tenant_id, state__in=gone, discarded_at=None)
    for state in gone:
        count = held.filter(state=state).count()
        if count:
            raise Refused(
                f"The state {state.slug!r} still holds items ({count}): move them before it is archived.",
                path=("input", "states"),
            )

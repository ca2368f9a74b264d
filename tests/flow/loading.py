"""A history of the oracle, written into the database: facts in the order of recording, live rows in accord with them.

`seeded` writes rows and ledgers as the history has them, both clocks included, with the triggers off. `reported` takes
the product's doors instead: projects are made by their operation, facts are reported, and the triggers do the rest.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count, pairwise
from uuid import uuid4

from django.db import connection, transaction

from tasks_app.models import (
    Actor,
    ActorKind,
    DefinitionLedger,
    Kind,
    Project,
    Task,
    TaskLedger,
    TaskTail,
    TaskWords,
    Tenant,
    WorkflowState,
)
from tasks_app.operations.projects import StateSpec, create_project
from tasks_app.operations.reporting import Report, actor_named, report
from tasks_app.tenancy import DatabaseRole, entered
from tests.facts_as_text import home_project
from tests.oracle import facts as told
from tests.oracle.facts import ARRIVING_KINDS, STATE_KINDS, Fact, History, StateDefinition, Workflow
from tests.oracle.items import Place, place_after, state_facts

TAKE_SEQS = "/* loading.take_seqs */ SELECT nextval('ledger_seq') FROM generate_series(1, %s)"
TAKE_TASK_IDS = "/* loading.take_task_ids */ SELECT nextval('task_id_seq') FROM generate_series(1, %s)"
READ_CLOCK = "/* loading.read_clock */ SELECT clock_timestamp()"
NUMBERS = count(1)


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Where a history went: ids by the names that the oracle uses. States go by project and slug.

    `actors` are those who make changes or are given items; `actor_id` is the one who makes the changes of nobody named.
    """

    tenant_id: int
    actor_id: int
    actors: Mapping[str, int]
    projects: Mapping[str, int]
    states: Mapping[tuple[str, str], int]
    tasks: Mapping[str, int]

    def state_id(self, place: Place) -> int:
        """The state of that place."""
        return self.states[place.project, place.state]

    def made_by(self, fact: Fact) -> int:
        """The actor of that fact."""
        return self.actors.get(fact.actor, self.actor_id)


def seeded(history: History) -> Loaded:
    """The history in a new tenant, each row with the clocks that the history gives it. Runs as a superuser."""
    loaded = _new_tenant(history)
    with _triggers_off():
        loaded = _seed_projects(history, loaded)
        _seed_definitions(history, loaded)
        _seed_tasks(history, loaded)
        _seed_facts(history, loaded)
    return loaded


def reported(history: History, *, is_cut: Callable[[], bool] = lambda: True) -> tuple[Loaded, History]:
    """The history in a new tenant through the second door, in one report or several, and what is known then.

    `is_cut` says before each fact whether a new report begins. The first fact that is recorded of an item must be
    CREATED; workflows keep their first version, which begins with the project's earliest fact.
    """
    loaded = _new_tenant(history)
    with entered(tenant_id=loaded.tenant_id, actor_id=loaded.actor_id, role=DatabaseRole.TENANT):
        loaded = _created_projects(history, loaded)
        known, since = replace(history, facts=()), dict.fromkeys(loaded.projects.values(), clock())
        for batch in _batches(history.facts, is_cut):
            known = replace(known, facts=(*known.facts, *batch))
            for each in _report(batch, known, loaded):
                since[each.project_id] = min(since[each.project_id], each.happened_at or clock())
    return loaded, _as_known_now(known, {key: since[project_id] for key, project_id in loaded.projects.items()})


def clock() -> datetime:
    """The database's clock, which recorded what has been reported."""
    return _column(READ_CLOCK, ())[0]


# ------------------------------------------------------------------ both ways


def _new_tenant(history: History) -> Loaded:
    number = next(NUMBERS)
    tenant = Tenant.objects.create(slug=f"told-{number}", name=f"Told {number}")
    actor = Actor.objects.create(tenant=tenant, kind=ActorKind.JOB, name="loading")
    ids = _column(TAKE_TASK_IDS, [len(history.items())])
    tasks = dict(zip(history.items(), ids, strict=True))
    return Loaded(
        tenant_id=tenant.id,
        actor_id=actor.id,
        actors=_new_actors(tenant, names=_people_in(history)),
        projects={},
        states={},
        tasks=tasks,
    )


def _people_in(history: History) -> list[str]:
    named = {fact.actor for fact in history.facts}
    named |= {fact.detail for fact in history.facts if fact.kind is told.Kind.ASSIGNED}
    return sorted(named - {""})


def _new_actors(tenant: Tenant, *, names: Sequence[str]) -> dict[str, int]:
    made = Actor.objects.bulk_create(Actor(tenant=tenant, kind=ActorKind.IMPORT, name=name) for name in names)
    return {actor.name: actor.id for actor in made}


def _column(statement: str, values: Sequence[int]) -> list:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()]


def _resting_place(history: History, fact: Fact) -> Place:
    """Where the item was just before the fact, or else the first state of its home."""
    order = (fact.happened_at, fact.seq)
    earlier = [each for each in _facts_of(history, fact.item) if (each.happened_at, each.seq) < order]
    place = next((place for each in reversed(earlier) if (place := place_after(fact=each))), None)
    home = home_project(projects=history.projects, item=fact.item)
    return place or Place(project=home.key, state=home.workflows[0].states[0].slug)


def _facts_of(history: History, item: str) -> list[Fact]:
    return state_facts(history=history, item=item, known_at=max(fact.recorded_at for fact in history.facts))


# ------------------------------------------------------------------ seeding


@contextmanager
def _triggers_off() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


def _seed_projects(history: History, loaded: Loaded) -> Loaded:
    projects: dict[str, int] = {}
    states: dict[tuple[str, str], int] = {}
    for project in history.projects:
        assert project.recorded_since is not None, "the product knows a project since it was made"
        row = Project.objects.create(
            tenant_id=loaded.tenant_id,
            key=project.key,
            name=project.key,
            timezone=project.zone,
            recorded_since=project.recorded_since,
        )
        projects[project.key] = row.id
        latest = _versions(project)[-1]
        rows = WorkflowState.objects.bulk_create(
            WorkflowState(tenant_id=loaded.tenant_id, project=row, slug=state.slug, **_defined(state, position))
            for state, position in _positions(latest)
        )
        states |= {(project.key, state.slug): state.id for state in rows}
    return replace(loaded, projects=projects, states=states)


def _versions(project: told.Project) -> list[Workflow]:
    """The versions in the order in which they come into force. No state may vanish: the product archives them."""
    versions = sorted(project.workflows, key=lambda version: version.happened_at)
    slugs = [{state.slug for state in version.states} for version in versions]
    assert all(earlier <= later for earlier, later in pairwise(slugs)), "a state has vanished"
    return versions


def _positions(workflow: Workflow) -> list[tuple[StateDefinition, int]]:
    """Active states count from 0; an archived one has the position of the active one before it."""
    found: list[tuple[StateDefinition, int]] = []
    last = -1
    for state in workflow.states:
        last += not state.archived
        found.append((state, last))
    return found


def _defined(state: StateDefinition, position: int) -> dict:
    return {
        "name": state.name,
        "category": state.category.value,
        "position": position,
        "waiting": state.waiting,
        "needs_validation": state.needs_validation,
        "archived": state.archived,
    }


def _seed_definitions(history: History, loaded: Loaded) -> None:
    """Every state in every version: what a version repeats is known with it, and changes nothing."""
    told_ones = [
        (project, version, state, position)
        for project in history.projects
        for version in _versions(project)
        for state, position in _positions(version)
    ]
    seqs = _column(TAKE_SEQS, [len(told_ones)])
    DefinitionLedger.objects.bulk_create(
        DefinitionLedger(
            seq=seq,
            tenant_id=loaded.tenant_id,
            correlation=seq,
            xact=1,
            happened_at=version.happened_at,
            recorded_at=version.recorded_at,
            project_id=loaded.projects[project.key],
            state_id=loaded.states[project.key, state.slug],
            actor_id=loaded.actor_id,
            slug=state.slug,
            timezone="",
            **_defined(state, position),
        )
        for seq, (project, version, state, position) in zip(seqs, told_ones, strict=True)
    )


def _seed_tasks(history: History, loaded: Loaded) -> None:
    Task.objects.bulk_create(_task(history, loaded, item) for item in history.items())


def _task(history: History, loaded: Loaded, item: str) -> Task:
    """The live row: the place after the item's last fact. Without any place it is a discarded one."""
    facts = _facts_of(history, item)
    last = facts[-1] if facts else next(fact for fact in history.facts if fact.item == item)
    place = (place_after(fact=last) if facts else None) or _resting_place(history, last)
    is_discarded = not facts or last.kind is told.Kind.DISCARDED
    return Task(
        id=loaded.tasks[item],
        tenant_id=loaded.tenant_id,
        project_id=loaded.projects[place.project],
        state_id=loaded.state_id(place),
        key=item,
        title=item,
        assignee_id=loaded.actors.get(_holder(history, item)),
        created_at=facts[0].happened_at if facts else last.happened_at,
        discarded_at=last.happened_at if is_discarded else None,
    )


def _holder(history: History, item: str) -> str:
    """Who has it after its last fact; empty for nobody."""
    given = [fact for fact in history.facts if fact.item == item and fact.kind is told.Kind.ASSIGNED]
    return max(given, key=lambda fact: (fact.happened_at, fact.seq)).detail if given else ""


def _seed_facts(history: History, loaded: Loaded) -> None:
    seqs = _column(TAKE_SEQS, [len(history.facts)])
    TaskLedger.objects.bulk_create(
        TaskLedger(
            seq=seq,
            tenant_id=loaded.tenant_id,
            correlation=seq,
            xact=1,
            happened_at=fact.happened_at,
            recorded_at=fact.recorded_at,
            task_id=loaded.tasks[fact.item],
            project_id=loaded.projects[fact.project],
            from_id=_from_id(history, loaded, fact),
            to_id=_to_id(history, loaded, fact),
            actor_id=loaded.made_by(fact),
            kind=Kind[fact.kind.value],
        )
        for seq, fact in zip(seqs, history.facts, strict=True)
    )
    TaskTail.objects.bulk_create(TaskTail(tenant_id=loaded.tenant_id, seq=seq) for seq in seqs)


def _from_id(history: History, loaded: Loaded, fact: Fact) -> int:
    """The state before it by the order, as far as was known when it was recorded."""
    if fact.kind not in STATE_KINDS:
        return 0
    known = state_facts(history=history, item=fact.item, known_at=fact.recorded_at)
    earlier = [each for each in known if (each.happened_at, each.seq) < (fact.happened_at, fact.seq)]
    place = place_after(fact=earlier[-1]) if earlier else None
    return loaded.state_id(place) if place else 0


def _to_id(history: History, loaded: Loaded, fact: Fact) -> int:
    if fact.kind in ARRIVING_KINDS:
        return loaded.states[fact.project, fact.state]
    if fact.kind is told.Kind.DISCARDED:
        return 0
    if fact.kind is told.Kind.VALIDATED:
        return loaded.state_id(_resting_place(history, fact))
    if fact.kind is told.Kind.ASSIGNED:
        return loaded.actors.get(fact.detail, 0)
    task_id = loaded.tasks[fact.item]
    return TaskWords.objects.create(tenant_id=loaded.tenant_id, task_id=task_id, words=fact.detail).id


# ------------------------------------------------------------------ the product's doors


def _created_projects(history: History, loaded: Loaded) -> Loaded:
    projects: dict[str, int] = {}
    states: dict[tuple[str, str], int] = {}
    for project in history.projects:
        specs = [
            StateSpec(
                name=state.name,
                category=state.category.value,
                waiting=state.waiting,
                needs_validation=state.needs_validation,
            )
            for state in project.workflows[0].states
        ]
        row = create_project(
            tenant_id=loaded.tenant_id, key=project.key, name=project.key, timezone=project.zone, states=specs
        )
        projects[project.key] = row.id
        of_project = WorkflowState.objects.filter(tenant_id=loaded.tenant_id, project=row)
        states |= {(project.key, state.slug): state.id for state in of_project}
    return replace(loaded, projects=projects, states=states)


def _must_wait(fact: Fact, batch: Collection[Fact]) -> bool:
    """A report that brings a new item tells of its moves on one board; whatever else happened to it comes after."""
    new = {each.item: each.project for each in batch if each.kind is told.Kind.CREATED}
    return fact.item in new and (fact.kind is not told.Kind.MOVED or fact.project != new[fact.item])


def _batches(facts: Sequence[Fact], is_cut: Callable[[], bool]) -> Iterator[list[Fact]]:
    batch: list[Fact] = []
    for fact in facts:
        if batch and (is_cut() or _must_wait(fact, batch)):
            yield batch
            batch = []
        batch.append(fact)
    yield batch


def _report(batch: Sequence[Fact], known: History, loaded: Loaded) -> Sequence[Report]:
    """Reports the facts, each with the board that its item is on by all that is `known`."""
    source = actor_named(tenant_id=loaded.tenant_id, kind=ActorKind.IMPORT, name="elsewhere")
    reports = [_as_report(fact, known, loaded) for fact in batch]
    report(tenant_id=loaded.tenant_id, source_id=source, reports=reports)
    return reports


def _as_report(fact: Fact, known: History, loaded: Loaded) -> Report:
    project = fact.project if fact.kind in ARRIVING_KINDS else _resting_place(known, fact).project
    is_new = fact.kind is told.Kind.CREATED
    return Report(
        task_id=loaded.tasks[fact.item],
        project_id=loaded.projects[project],
        to_id=_to_id(known, loaded, fact),
        actor_id=loaded.made_by(fact),
        kind=Kind[fact.kind.value],
        happened_at=fact.happened_at,
        identity=uuid4(),
        case_id=fact.item if is_new else "",
        title=fact.item if is_new else "",
    )


def _as_known_now(history: History, since: Mapping[str, datetime]) -> History:
    """Recorded at once, and each project known since its earliest report, or else since it was made."""
    return History(
        projects=tuple(_known_since(project, since[project.key]) for project in history.projects),
        facts=tuple(replace(fact, recorded_at=fact.happened_at) for fact in history.facts),
    )


def _known_since(project: told.Project, since: datetime) -> told.Project:
    first = replace(project.workflows[0], happened_at=since, recorded_at=since)
    return replace(project, recorded_since=since, workflows=(first,))

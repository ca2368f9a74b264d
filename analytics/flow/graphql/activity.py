"""Activity feed: an audit trail in which each row is a readable sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import strawberry

from analytics.engine.graphql.actors import ERASED, Actor, actors_by_id
from analytics.engine.graphql.projects import Project, projects_by_id
from analytics.flow.figures.workflow import StateDefinition, Workflows
from analytics.flow.graphql.changed import ExplainedChange
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from analytics.flow.replay import sentences
from analytics.flow.replay.activity import DEFINED, Feed, FeedRow, definition_changes, facts_before, words_of
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.task_names import ItemName, names_of
from tasks_app.graphql.asking import Info
from tasks_app.http.connections import Connection, PageArgs
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import Node
from tasks_app.models import STATE_KINDS, Kind
from tasks_app.tenancy import TenantFacts

BY_POSITION = Keyset(columns=(Column("seq", "desc"),))
COLUMNS = {"seq": "l.seq"}

ActivityKind = strawberry.enum(
    Kind,
    name="ActivityKind",
    description="What a ledger row says. DEFINED is about a project or a state, all others about a task.",
)


@strawberry.type(description="One field that changed. The words of erased people are gone, the fact stays.")
class Change:
    field: str = strawberry.field(description="Which field.")
    old: str | None = strawberry.field(description="What it was; null where it was nothing, or its words were erased.")
    new: str | None = strawberry.field(description="What it became; null where it is nothing, or was erased.")


@dataclass
class ActivityBatch:
    """The ledger rows of one answer, and what turns their ids into words, read once for all of them."""

    tenant_id: int
    rows: Sequence[FeedRow]

    @cached_property
    def projects(self) -> Mapping[int, Project]:
        """Their projects, by id."""
        return projects_by_id(tenant_id=self.tenant_id, ids=[row.project_id for row in self.rows])

    @cached_property
    def actors(self) -> Mapping[int, Actor]:
        """Who made the changes, by actor id."""
        return actors_by_id(tenant_id=self.tenant_id, ids=[row.actor_id for row in self.rows])

    @cached_property
    def names(self) -> Mapping[int, ItemName]:
        """What the tasks are called, by task id."""
        return names_of(tenant_id=self.tenant_id, task_ids=sorted({row.task_id for row in self.rows if row.task_id}))

    @cached_property
    def workflows(self) -> Workflows:
        """The states of the tenant's projects."""
        return workflows(tenant_id=self.tenant_id, project_ids=None)

    @cached_property
    def before(self) -> Mapping[int, tuple[int, datetime]]:
        """By seq: what the fact before set, and when."""
        return facts_before(tenant_id=self.tenant_id, rows=[row for row in self.rows if row.kind != DEFINED])

    @cached_property
    def definitions(self) -> Mapping[int, list[tuple[str, str | None, str]]]:
        """By seq: what a definition changed."""
        seqs = [row.seq for row in self.rows if row.kind == DEFINED]
        return definition_changes(tenant_id=self.tenant_id, seqs=seqs) if seqs else {}

    @cached_property
    def words(self) -> Mapping[tuple[str, int], str]:
        """People's words and actors' names that the rows point to."""
        renames = [row for row in self.rows if row.kind == Kind.RENAMED]
        assigned = [row.to_id for row in self.rows if row.kind == Kind.ASSIGNED]
        earlier = [self.before[row.seq][0] for row in self.rows if row.kind == Kind.ASSIGNED and row.seq in self.before]
        return words_of(
            tenant_id=self.tenant_id,
            words=[number for row in renames for number in (row.from_id, row.to_id)],
            seqs=[row.seq for row in self.rows],
            actors=[*assigned, *earlier],
        )

    def state(self, state_id: int, *, at: datetime) -> StateDefinition | None:
        """The state as defined at the instant; None for off the board."""
        return self.workflows.at(at).get(state_id) or self.workflows.ever(state_id)

    def definition_name(self, row: FeedRow) -> str:
        """What a definition row is about."""
        project = self.projects[row.project_id].key
        if not row.state_id:
            return f"the project {project}"
        state = self.state(row.state_id, at=row.happened_at)
        return f"the state {state.name if state else row.state_id} of {project}"


@strawberry.type(description="One immutable ledger row: who changed what, and when.")
class Activity(Node):
    row: strawberry.Private[FeedRow]
    batch: strawberry.Private[ActivityBatch]

    @strawberry.field(description="Order of recording, a decimal string; breaks ties of happenedAt.")
    def position(self) -> str:
        return str(self.row.seq)

    @strawberry.field(description="What sort of change it is.")
    def kind(self) -> ActivityKind:  # type: ignore[valid-type]
        return Kind(self.row.kind)

    @strawberry.field(description="The task's key; null where the change is not of a task.")
    def task_key(self) -> str | None:
        name = self.batch.names.get(self.row.task_id)
        return name.key if name else None

    @strawberry.field(description="The project that the change happened in.")
    def project(self) -> Project | None:
        return self.batch.projects.get(self.row.project_id)

    @strawberry.field(
        description="The state before, by the order of the task's history; null when it arrives, or no state changed."
    )
    def from_state(self) -> WorkflowState | None:
        state = self._old_state
        return state_node(state) if state else None

    @strawberry.field(description="The state after; null when the task leaves, or no state is set.")
    def to_state(self) -> WorkflowState | None:
        state = self._new_state
        return state_node(state) if state else None

    @strawberry.field(description="How long the task had been in fromState, in elapsed seconds.")
    def seconds_in_from_state(self) -> float | None:
        before = self.batch.before.get(self.row.seq)
        if before is None or self._old_state is None:
            return None
        return (self.row.happened_at - before[1]).total_seconds()

    @strawberry.field(description="Who made the change.")
    def actor(self) -> Actor:
        return self.batch.actors[self.row.actor_id]

    @strawberry.field(description="The same for all changes of one operation, a decimal string.")
    def correlation_id(self) -> str | None:
        return str(self.row.correlation)

    @strawberry.field(description="When it was true, UTC.")
    def happened_at(self) -> datetime:
        return self.row.happened_at

    @strawberry.field(description="When the system learned it, UTC.")
    def recorded_at(self) -> datetime:
        return self.row.recorded_at

    @strawberry.field(description="Which fields changed, each with its old and new value.")
    def changes(self) -> list[Change]:
        note = self.batch.words.get(("note", self.row.seq))
        told = [Change(field=field, old=old, new=new) for field, old, new in self._changes()]
        return [*told, Change(field="note", old=None, new=note)] if note else told

    @strawberry.field(description='The change as a sentence: "Ada moved VINST-12 from In Progress to Done".')
    def sentence(self) -> str:
        actor = self.batch.actors.get(self.row.actor_id)
        who = actor.name if actor else ERASED
        if self.row.kind == DEFINED:
            changes = self.batch.definitions.get(self.row.seq, [])
            first = all(old is None for _, old, _ in changes) and bool(changes)
            what = self.batch.definition_name(self.row)
            return sentences.of_definition(who=who, what=what, changes=changes, first=first)
        what = self.task_key() or f"task {self.row.task_id}"
        return self._told(who=who, what=what)

    def _told(self, *, who: str, what: str) -> str:
        if self.row.kind == Kind.RENAMED:
            old, new = self._words
            return sentences.of_title(who=who, what=what, old=old, new=new)
        if self.row.kind == Kind.ASSIGNED:
            old, new = self._assignees
            return sentences.of_assignee(who=who, what=what, old=old, new=new)
        project = self.batch.projects.get(self.row.project_id)
        return sentences.of_state(
            kind=Kind(self.row.kind).name,
            who=who,
            what=what,
            old=self._old_state.name if self._old_state else None,
            new=self._new_state.name if self._new_state else None,
            project=project.key if project else "",
        )

    def _changes(self) -> list[tuple[str, str | None, str | None]]:
        if self.row.kind == DEFINED:
            return [*self.batch.definitions.get(self.row.seq, [])]
        if self.row.kind == Kind.RENAMED:
            return [("title", *self._words)]
        if self.row.kind == Kind.ASSIGNED:
            return [("assignee", *self._assignees)]
        if self.row.kind == Kind.VALIDATED:
            return []
        old, new = self._old_state, self._new_state
        return [("state", old.name if old else None, new.name if new else None)]

    @property
    def _old_state(self) -> StateDefinition | None:
        if self.row.kind not in STATE_KINDS:
            return None
        before = self.batch.before.get(self.row.seq)
        return self.batch.state(before[0], at=self.row.happened_at) if before and before[0] else None

    @property
    def _new_state(self) -> StateDefinition | None:
        if self.row.kind not in (*STATE_KINDS, Kind.VALIDATED) or self.row.kind == Kind.DISCARDED:
            return None
        return self.batch.state(self.row.to_id, at=self.row.happened_at)

    @property
    def _words(self) -> tuple[str | None, str | None]:
        return self.batch.words.get(("words", self.row.from_id)), self.batch.words.get(("words", self.row.to_id))

    @property
    def _assignees(self) -> tuple[str | None, str | None]:
        before = self.batch.before.get(self.row.seq)
        old = self.batch.words.get(("actor", before[0])) if before else None
        return old, self.batch.words.get(("actor", self.row.to_id))


@strawberry.type(name="ActivityConnection", description="One page of a list, always in the list's own order.")
class ActivityConnection(Connection[Activity]):
    change: ExplainedChange | None = strawberry.field(
        default=None, description="Of `explainChange`: the number that the rows changed. Null in every other list."
    )


def activity_connection(
    *, tenant: TenantFacts, filters: dict[str, Any], args: PageArgs, change: ExplainedChange | None = None
) -> ActivityConnection:
    """One page of the feed; `filters` are those of analytics.flow.replay.activity.CONDITIONS."""
    bounds = args.checked(BY_POSITION)
    where = bounds.where(columns=COLUMNS)
    feed = Feed(tenant_id=tenant.id, filters=filters)
    direction = "ASC" if bounds.backwards else "DESC"
    rows = feed.read(where=where.text, params=where.params, direction=direction, limit=bounds.fetch)
    page = bounds.page(rows, count=feed.count)
    batch = ActivityBatch(tenant_id=tenant.id, rows=page.rows)
    shown = page.connection(node=lambda row: Activity(pk=row.seq, row=row, batch=batch))
    return ActivityConnection(edges=shown.edges, page_info=shown.page_info, count=shown.count, change=change)


def load_activity(info: Info, pk: int) -> Node | None:
    """For `node(id)`."""
    args = PageArgs(first=1)
    found = activity_connection(tenant=info.context.tenant, filters={"seqs": [pk]}, args=args)
    return found.edges[0].node if found.edges else None

"""What the oracle reads: projects with their definitions, and the facts of their items. Plain values only."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What a fact says happened."""

    CREATED = "CREATED"
    MOVED = "MOVED"
    TRANSFERRED = "TRANSFERRED"
    DISCARDED = "DISCARDED"
    RESTORED = "RESTORED"
    VALIDATED = "VALIDATED"
    ASSIGNED = "ASSIGNED"
    RENAMED = "RENAMED"


ARRIVING_KINDS = frozenset({Kind.CREATED, Kind.MOVED, Kind.TRANSFERRED, Kind.RESTORED})
STATE_KINDS = ARRIVING_KINDS | {Kind.DISCARDED}


class Category(StrEnum):
    """What a state means for the flow."""

    TODO = "TODO"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One ledger row. `seq` is its place in the order of recording. The state it came from follows from the order."""

    seq: int
    happened_at: datetime
    recorded_at: datetime
    item: str
    project: str  # where it is afterwards; of no meaning for a kind that names no state
    kind: Kind
    state: str = ""  # the slug it goes to; empty for a kind that names no state
    detail: str = ""  # the assignee, or the new title
    actor: str = ""


@dataclass(frozen=True, kw_only=True)
class StateDefinition:
    """One state in one version of a workflow. The slug is its identity and outlives its name."""

    slug: str
    name: str
    category: Category
    waiting: bool = False
    needs_validation: bool = False
    archived: bool = False


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """A version of a project's states, in order, in force from `happened_at`. Archived states keep their place."""

    happened_at: datetime
    recorded_at: datetime
    states: tuple[StateDefinition, ...]


@dataclass(frozen=True, kw_only=True)
class Project:
    """A project and the versions of its workflow. Before `recorded_since` nothing is known; None: nothing ever was."""

    key: str
    zone: str
    recorded_since: datetime | None
    workflows: tuple[Workflow, ...]


@dataclass(frozen=True, kw_only=True)
class History:
    """All that one tenant has recorded, facts in the order of recording."""

    projects: tuple[Project, ...]
    facts: tuple[Fact, ...]

    def project(self, key: str) -> Project:
        """The project of that key; KeyError names one that is not there."""
        found = {project.key: project for project in self.projects}
        return found[key]

    def items(self) -> tuple[str, ...]:
        """Every item with a fact, in the order of their first recording."""
        return tuple(dict.fromkeys(fact.item for fact in self.facts))

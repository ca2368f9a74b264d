"""Workflows: how the states of a board were defined at any instant."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

CANCELLED = "CANCELLED"
IN_PROGRESS = "IN_PROGRESS"
DONE = "DONE"

# Of the clock that instants are told by: between one and the next nothing can happen.
MOMENT = timedelta(microseconds=1)
EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDefinition:
    """One state as it was defined from `since` on, until its next definition."""

    state_id: int
    project_id: int
    slug: str
    name: str
    category: str
    position: int
    waiting: bool
    needs_validation: bool
    archived: bool
    since: datetime

    @property
    def on_board(self) -> bool:
        """Whether its items are on the board: cancelled ones are not."""
        return self.category != CANCELLED


@dataclass(frozen=True, slots=True, kw_only=True)
class StateOrder:
    """The places of one project's states, from `begin` until `end`."""

    project_id: int
    places: Mapping[int, int]
    begin: datetime
    end: datetime


class Workflows:
    """The states of some projects through time.

    With `frozen` every instant is answered with the latest definitions: names, order and categories as they are now.
    """

    def __init__(self, definitions: Iterable[StateDefinition], *, frozen: bool = False) -> None:
        self._recorded: dict[int, list[StateDefinition]] = {}
        for definition in definitions:
            self._recorded.setdefault(definition.state_id, []).append(definition)
        self._versions = {state: versions[-1:] if frozen else versions for state, versions in self._recorded.items()}
        self._frozen = frozen
        self._since = {state: [version.since for version in versions] for state, versions in self._versions.items()}
        self._beginnings = _beginnings(self._recorded.values())

    def as_recorded(self) -> "Workflows":
        """The same states, through time."""
        return Workflows(self._definitions)

    def of(self, project_ids: Collection[int]) -> "Workflows":
        """The states of these projects alone."""
        return Workflows((each for each in self._definitions if each.project_id in project_ids), frozen=self._frozen)

    @property
    def _definitions(self) -> Iterable[StateDefinition]:
        return (definition for versions in self._recorded.values() for definition in versions)

    @property
    def state_ids(self) -> Sequence[int]:
        """Every state that ever was."""
        return list(self._versions)

    def changes(self, *, after: datetime, before: datetime) -> list[datetime]:
        """The instants, strictly between the two, at which answers change with a definition, in order."""
        if self._frozen:
            return []
        return [instant for instant in self._redefined if after < instant < before]

    def redefinitions(self, *, start: datetime, end: datetime) -> list[datetime]:
        """The instants of [start, end) at which a state was changed or added, frozen or not, in order.

        Neither a project's first states count, nor a definition that repeats the one before it.
        """
        return [instant for instant in self._redefined if start <= instant < end]

    @cached_property
    def _redefined(self) -> list[datetime]:
        return sorted({instant for instants in self.redefined_in.values() for instant in instants})

    @cached_property
    def redefined_in(self) -> Mapping[int, Sequence[datetime]]:
        """By project: all instants at which one of its states was changed or added, in order."""
        found: dict[int, set[datetime]] = {}
        for versions in self._recorded.values():
            for earlier, later in zip([None, *versions], versions, strict=False):
                if self._is_added(later) if earlier is None else _content(earlier) != _content(later):
                    found.setdefault(later.project_id, set()).add(later.since)
        return {project: sorted(instants) for project, instants in found.items()}

    def _is_added(self, first: StateDefinition) -> bool:
        return first.since > self._beginnings[first.project_id]

    def at(self, instant: datetime) -> Mapping[int, StateDefinition]:
        """Each state as defined at that instant, by state id; a state that did not exist yet is missing."""
        found = {}
        for state, versions in self._versions.items():
            place = len(versions) if self._frozen else bisect_right(self._since[state], instant)
            if place:
                found[state] = versions[place - 1]
        return found

    def in_force(self, instant: datetime) -> Mapping[int, StateDefinition]:
        """As `at`; a project's first states hold before its beginning, too."""
        beginnings = {
            versions[0].state_id: versions[0] for versions in self._versions.values() if self._is_old(versions)
        }
        return {**beginnings, **self.at(instant)}

    def before(self, instant: datetime) -> Mapping[int, StateDefinition]:
        """As `in_force`, but without what was defined at that very instant: so a bucket sees it that ends there."""
        return self.in_force(instant - MOMENT)

    def _is_old(self, versions: Sequence[StateDefinition]) -> bool:
        return versions[0].since <= self._beginnings[versions[0].project_id]

    def ever(self, state_id: int) -> StateDefinition | None:
        """The latest definition of a state; None for a state of another project."""
        versions = self._versions.get(state_id)
        return versions[-1] if versions else None

    def latest(self, state_id: int) -> StateDefinition:
        """The latest definition of a state that is known to exist."""
        return self._versions[state_id][-1]

    def first(self, state_id: int) -> StateDefinition:
        """The earliest definition of a state."""
        return self._versions[state_id][0]

    def orders(self, *, before: datetime) -> list[StateOrder]:
        """Each project's orders up to an instant, in turn. What changes no state's place begins no new order."""
        found: dict[int, list[StateOrder]] = {}
        for instant in (EVER, *self.changes(after=EVER, before=before)):
            for project, states in by_project(self.in_force(instant).values()).items():
                its_places, orders = places(states), found.setdefault(project, [])
                if orders and orders[-1].places == its_places:
                    continue
                if orders:
                    orders[-1] = replace(orders[-1], end=instant)
                orders.append(StateOrder(project_id=project, places=its_places, begin=instant, end=before))
        return [order for orders in found.values() for order in orders]


def in_order(definitions: Iterable[StateDefinition]) -> list[StateDefinition]:
    """By project, position, and for archived states after the active one whose position they share."""
    return sorted(definitions, key=lambda each: (each.project_id, each.position, each.archived, each.state_id))


def by_slug(states: Iterable[StateDefinition]) -> list[list[StateDefinition]]:
    """The states of each slug, in their order; the slugs as their first states stand."""
    found: dict[str, list[StateDefinition]] = {}
    for state in states:
        found.setdefault(state.slug, []).append(state)
    return sorted(found.values(), key=lambda group: (group[0].position, group[0].archived, group[0].project_id))


def by_project(definitions: Iterable[StateDefinition]) -> Mapping[int, list[StateDefinition]]:
    """The states of each project."""
    found: dict[int, list[StateDefinition]] = {}
    for definition in definitions:
        found.setdefault(definition.project_id, []).append(definition)
    return found


def places(states: Iterable[StateDefinition]) -> Mapping[int, int]:
    """Each state's place in its project's order, by state id; cancelled states have none.

    Positions count cancelled states, too; places do not. An archived state shares the place of the active one before
    it, -1 where there is none.
    """
    found = {}
    for its_states in by_project(states).values():
        active = sorted(each.position for each in its_states if each.on_board and not each.archived)
        for each in its_states:
            if each.on_board:
                found[each.state_id] = bisect_right(active, each.position) - 1
    return found


def lowest(states: Iterable[StateDefinition], *, category: str) -> StateDefinition | None:
    """The first active state of that category in the order of one project."""
    active = [each for each in states if each.category == category and not each.archived]
    return min(active, key=lambda each: each.position, default=None)


def _beginnings(states: Iterable[Sequence[StateDefinition]]) -> Mapping[int, datetime]:
    found: dict[int, datetime] = {}
    for versions in states:
        first = versions[0]
        found[first.project_id] = min(first.since, found.get(first.project_id, first.since))
    return found


def _content(definition: StateDefinition) -> tuple[object, ...]:
    return (
        definition.name,
        definition.slug,
        definition.category,
        definition.position,
        definition.waiting,
        definition.needs_validation,
        definition.archived,
    )

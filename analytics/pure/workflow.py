"""How the states of a board were defined at any instant."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

CANCELLED = "CANCELLED"
IN_PROGRESS = "IN_PROGRESS"
DONE = "DONE"


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


class Workflows:
    """The states of some projects through time.

    With `frozen` every instant is answered with the latest definitions: names, order and categories as they are now.
    """

    def __init__(self, definitions: Iterable[StateDefinition], *, frozen: bool = False) -> None:
        self._versions: dict[int, list[StateDefinition]] = {}
        for definition in definitions:
            self._versions.setdefault(definition.state_id, []).append(definition)
        if frozen:
            self._versions = {state: versions[-1:] for state, versions in self._versions.items()}
        self._frozen = frozen
        self._since = {state: [version.since for version in versions] for state, versions in self._versions.items()}

    @property
    def state_ids(self) -> Sequence[int]:
        """Every state that ever was."""
        return list(self._versions)

    def changes(self, *, after: datetime, before: datetime) -> list[datetime]:
        """The instants, strictly between the two, at which a definition became another one, in order."""
        if self._frozen:
            return []
        instants = {
            later.since
            for versions in self._versions.values()
            for earlier, later in zip([None, *versions], versions, strict=False)
            if earlier is None or _differs(earlier, later)
        }
        return sorted(instant for instant in instants if after < instant < before)

    def at(self, instant: datetime) -> Mapping[int, StateDefinition]:
        """Each state as defined at that instant, by state id; a state that did not exist yet is missing."""
        found = {}
        for state, versions in self._versions.items():
            place = len(versions) if self._frozen else bisect_right(self._since[state], instant)
            if place:
                found[state] = versions[place - 1]
        return found

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

    def project_of(self, state_id: int) -> int | None:
        """The project whose state it is."""
        versions = self._versions.get(state_id)
        return versions[0].project_id if versions else None

    def intervals(self) -> Iterable[tuple[StateDefinition, datetime | None, datetime | None]]:
        """Each definition with the half-open span in which it held; the earliest holds before, too."""
        for versions in self._versions.values():
            for number, version in enumerate(versions):
                begin = version.since if number else None
                end = versions[number + 1].since if number + 1 < len(versions) else None
                yield version, begin, end


def in_order(definitions: Iterable[StateDefinition]) -> list[StateDefinition]:
    """By project, position, and for archived states after the active one whose position they share."""
    return sorted(definitions, key=lambda each: (each.project_id, each.position, each.archived, each.state_id))


def first_position(definitions: Iterable[StateDefinition], *, category: str) -> int | None:
    """The lowest position of an active state of that category."""
    positions = [each.position for each in definitions if each.category == category and not each.archived]
    return min(positions, default=None)


def _differs(earlier: StateDefinition, later: StateDefinition) -> bool:
    return _content(earlier) != _content(later)


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

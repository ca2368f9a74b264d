"""Explained change of a number: the items that it counts otherwise since, and the rows recorded in between that made it so.

The number is taken apart by the items that it counts, as drill-downs do. A row explains the change when it was recorded in
between and belongs to an item that the number counts otherwise since. Definitions explain it where without them the
number would be another one. Take all those rows away, and what is left gives the number as it was.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from analytics.engine.reading.knowledge import Knowledge, KnownDefinitions

# By item: how often the number counts it.
Counts = Mapping[int, int]

# More operations than that on definitions between two instants are shown as they are.
MOST_OPERATIONS: Final = 20


class NoSuchNumber(ValueError):
    """A number that is not there to be asked for: `argument` names what is at fault, the text says why."""

    def __init__(self, argument: str, sentence: str) -> None:
        super().__init__(sentence)
        self.argument = argument


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The items whose rows explain a change, and the rows of definitions that do, by their seq."""

    items: AbstractSet[int]
    definitions: AbstractSet[int]


@dataclass(frozen=True, kw_only=True)
class ExplainedNumber:
    """One number as known at `known_from` and at `known_to`.

    `counted` is the wing's: the number by item as of some knowledge, None where nothing is known of it, NoSuchNumber where
    there is none. `defined_between` has the rows of definitions that were recorded between the two instants, those of one
    operation together. With `snapshot` only facts that were visible in it had been known at `known_from`. To be used in one
    read-only transaction; each reading is counted at most once.
    """

    counted: Callable[[Knowledge], Counts | None]
    defined_between: Callable[[], Sequence[Sequence[int]]]
    known_from: datetime
    known_to: datetime
    snapshot: str | None = None

    @property
    def before(self) -> int | None:
        """The number as known at `known_from`; None where it was not known."""
        return _total(self._before)

    @property
    def after(self) -> int | None:
        """The number as known at `known_to`; None where it is not known. NoSuchNumber where it makes no sense."""
        return _total(self._after)

    def contributions(self) -> dict[int, tuple[int, int]]:
        """By item, how often it was and is counted, where the two differ: `after` - `before` is the sum of differences."""
        before, after = self._before or {}, self._after or {}
        return {item: (before.get(item, 0), after.get(item, 0)) for item in _unlike(before, after)}

    @cached_property
    def explanation(self) -> Explanation:
        """What made the number another one."""
        before, after, operations = self._before or {}, self._after or {}, self.defined_between()
        changed = _unlike(before, after)
        if not operations:
            return Explanation(items=changed, definitions=frozenset())
        every = frozenset(seq for operation in operations for seq in operation)
        as_defined_before = (before, self._with_facts_of_now(every))
        if as_defined_before == (self._with_facts_of_then(frozenset()), after):
            return Explanation(items=changed, definitions=frozenset())
        return Explanation(
            items=changed | _unlike(*as_defined_before),
            definitions=self._needed(every, operations, as_defined_before),
        )

    @cached_property
    def _after(self) -> Counts | None:
        return self.counted(_knowing(self.known_to, defined_at=self.known_to))

    @cached_property
    def _before(self) -> Counts | None:
        _ = self._after  # A question that makes no sense makes none of now.
        try:
            return self.counted(_knowing(self.known_from, defined_at=self.known_from, snapshot=self.snapshot))
        except NoSuchNumber:
            return None

    def _needed(
        self, every: frozenset[int], operations: Sequence[Sequence[int]], wanted: tuple[Counts, Counts]
    ) -> frozenset[int]:
        """Those of the definitions that cannot stay if the number is to be counted as before them."""
        if len(operations) > MOST_OPERATIONS:
            return every
        needed = every
        for operation in operations:
            fewer = needed - frozenset(operation)
            if (self._with_facts_of_then(fewer), self._with_facts_of_now(fewer)) == wanted:
                needed = fewer
        return needed

    def _with_facts_of_then(self, without: frozenset[int]) -> Counts:
        return self._supposed(
            _knowing(self.known_from, defined_at=self.known_to, without=without, snapshot=self.snapshot)
        )

    def _with_facts_of_now(self, without: frozenset[int]) -> Counts:
        return self._supposed(_knowing(self.known_to, defined_at=self.known_to, without=without))

    def _supposed(self, knowledge: Knowledge) -> Counts:
        try:
            return self.counted(knowledge) or {}
        except NoSuchNumber:
            return {}


def _knowing(
    facts_at: datetime, *, defined_at: datetime, without: frozenset[int] = frozenset(), snapshot: str | None = None
) -> Knowledge:
    """Facts up to one instant, and with `snapshot` visible in it; definitions up to another, whatever was visible."""
    defined = KnownDefinitions(known_at=defined_at, without=without)
    return Knowledge(known_at=facts_at, snapshot=snapshot, defined=defined)


def _total(counts: Counts | None) -> int | None:
    return None if counts is None else sum(counts.values())


def _unlike(one: Counts, other: Counts) -> frozenset[int]:
    return frozenset(item for item in one.keys() | other.keys() if one.get(item, 0) != other.get(item, 0))

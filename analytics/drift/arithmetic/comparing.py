"""Comparison of two answers of one shape, field by field. No verdict: only what differs, where, and in which way.

An answer is JSON. Each field has a comparator of its own, so a shape is data. null, 0 and a field that is not there are
three different things everywhere.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from hashlib import sha256
from math import inf, isfinite
from typing import Any, Final, NamedTuple, Protocol

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")


class Kind(StrEnum):
    """How two values differ. MISSING: we lack what the older answer has. EXTRA: we have what it lacks."""

    VALUE = "VALUE"
    NULL = "NULL"
    MISSING = "MISSING"
    EXTRA = "EXTRA"
    TYPE = "TYPE"
    NOT_FINITE = "NOT_FINITE"
    ORDER = "ORDER"
    LENGTH = "LENGTH"
    DOUBLE = "DOUBLE"


class Absent:
    """The value of a field that is not there."""

    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = Absent()


class Difference(NamedTuple):
    """One place in which the answers differ.

    `path` is the place (`days[2026-03-01].todo`), `field` the same without its keys (`days[].todo`), `element` the key of
    the list's element it is in, "" where it is in none.
    """

    path: str
    field: str
    element: str
    kind: Kind
    ours: Any
    theirs: Any

    @property
    def by(self) -> float | None:
        """Ours less theirs; None where one of them is no number. Beyond what a float holds it is infinite."""
        if self.kind is not Kind.VALUE or not (_is_number(self.ours) and _is_number(self.theirs)):
            return None
        try:
            return float(self.ours - self.theirs)
        except OverflowError:
            return inf if self.ours > self.theirs else -inf


class Place(NamedTuple):
    """Where a comparator stands."""

    path: str = ""
    field: str = ""
    element: str = ""

    def into(self, name: str) -> "Place":
        """A field of an object."""
        dot = "." if self.path else ""
        return Place(f"{self.path}{dot}{name}", f"{self.field}{dot}{name}", self.element)

    def at(self, key: str) -> "Place":
        """An element of a list. The outermost list's key names the element."""
        return Place(f"{self.path}[{key}]", f"{self.field}[]", self.element or key)

    def differs(self, kind: Kind, ours: Any, theirs: Any) -> Difference:
        """Said of this place."""
        return Difference(self.path, self.field, self.element, kind, ours, theirs)


class Comparator(Protocol):
    """How values of one field are compared."""

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterable[Difference]:
        """Every place in which they differ, in the order of the answer; nothing where they are the same."""


@dataclass(frozen=True, slots=True)
class Exact:
    """The same value of the same type: counts, ids, dates, names."""

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterable[Difference]:
        """See Comparator."""
        if kind := _unlike(ours, theirs):
            return (place.differs(kind, ours, theirs),)
        return () if _same(ours, theirs) else (place.differs(Kind.VALUE, ours, theirs),)


@dataclass(frozen=True, slots=True)
class Numeric:
    """Numbers that may differ by `absolute`, or by the share `relative` of the larger one: whichever allows more."""

    absolute: float = 0.0
    relative: float = 0.0

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterator[Difference]:
        """See Comparator."""
        if kind := _unlike(ours, theirs, numbers=True):
            yield place.differs(kind, ours, theirs)
        elif ours is not None:
            # As fractions: there is no whole number that they cannot hold, and no difference that they round away.
            mine, other = Fraction(ours), Fraction(theirs)
            allowed = max(Fraction(self.absolute), Fraction(self.relative) * max(abs(mine), abs(other)))
            if abs(mine - other) > allowed:
                yield place.differs(Kind.VALUE, ours, theirs)


@dataclass(frozen=True, slots=True)
class Ratio:
    """An object with a numerator and a denominator, each compared by itself: equal quotients may hide unequal parts."""

    numerator: str = "numerator"
    denominator: str = "denominator"

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterator[Difference]:
        """See Comparator."""
        parts: dict[str, Comparator] = {self.numerator: Exact(), self.denominator: Exact()}
        yield from Fields(parts, others=True).differences(ours, theirs, place)


@dataclass(frozen=True, slots=True)
class Fields:
    """An object. A field that is not named is a difference, unless `others` are let pass."""

    of: Mapping[str, Comparator]
    others: bool = False

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterator[Difference]:
        """See Comparator."""
        if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
            yield from _not_of(ours, theirs, place)
            return
        for name, comparator in self.of.items():
            mine, other = ours.get(name, ABSENT), theirs.get(name, ABSENT)
            if not _plainly_same(comparator, mine, other):
                yield from _present(comparator, mine, other, place.into(name))
        if not self.others:
            yield from self._unnamed(ours, theirs, place)

    def _unnamed(self, ours: Mapping[str, Any], theirs: Mapping[str, Any], place: Place) -> Iterator[Difference]:
        if ours.keys() == theirs.keys() == self.of.keys():
            return
        for name in sorted((ours.keys() | theirs.keys()) - self.of.keys()):
            mine, other = ours.get(name, ABSENT), theirs.get(name, ABSENT)
            yield from _present(Exact(), mine, other, place.into(_plain(name)))


def _plain(name: str) -> str:
    """A name that is like a field's; anything else may be as long as it likes, or somebody's words, and becomes a digest."""
    return name if NAME.fullmatch(name) else sha256(name.encode(errors="surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A list of objects, told apart by `key`. With `in_order` it matters how they stand."""

    key: str
    each: Comparator
    in_order: bool = True

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterator[Difference]:
        """See Comparator."""
        if not _are_lists(ours, theirs):
            yield from _not_of(ours, theirs, place)
            return
        mine, others = self._by_key(ours), self._by_key(theirs)
        if any(len(each) != len(others[name]) for name, each in mine.items() if name in others):
            yield place.differs(Kind.DOUBLE, len(ours) - len(mine), len(theirs) - len(others))
        for name in (*others, *(each for each in mine if each not in others)):
            yield from self._of_key(mine.get(name, LACKING), others.get(name, LACKING), place.at(name))
        if self.in_order and not _same_order(mine, others):
            yield place.differs(Kind.ORDER, list(mine)[:10], list(others)[:10])

    def _of_key(self, ours: Sequence[Any], theirs: Sequence[Any], place: Place) -> Iterator[Difference]:
        """Elements of one key, which mostly is one of each side; further ones are compared in their order."""
        for mine, other in zip(ours, theirs, strict=False):
            yield from _present(self.each, mine, other, place)

    def _by_key(self, elements: Sequence[Any]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for number, element in enumerate(elements):
            name = element.get(self.key) if isinstance(element, Mapping) else None
            found.setdefault(f"#{number}" if name is None else str(name), []).append(element)
        return found


@dataclass(frozen=True, slots=True)
class Listed:
    """A list without keys, compared place by place."""

    each: Comparator

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterator[Difference]:
        """See Comparator."""
        if not _are_lists(ours, theirs):
            yield from _not_of(ours, theirs, place)
            return
        if len(ours) != len(theirs):
            yield place.differs(Kind.LENGTH, len(ours), len(theirs))
        for number, (mine, other) in enumerate(zip(ours, theirs, strict=False)):
            if not _plainly_same(self.each, mine, other):
                yield from self.each.differences(mine, other, place.at(str(number)))


@dataclass(frozen=True, slots=True)
class Distribution:
    """Quantiles by name (`p50`, `p85`): each may differ by so many of its unit; the number of observations by none."""

    tolerance: float
    count: str = "count"

    def differences(self, ours: Any, theirs: Any, place: Place, /) -> Iterator[Difference]:
        """See Comparator."""
        if not isinstance(ours, Mapping) or not isinstance(theirs, Mapping):
            yield from _not_of(ours, theirs, place)
            return
        within = Numeric(absolute=self.tolerance)
        names = dict.fromkeys((*theirs, *ours))
        by_name: dict[str, Comparator] = {name: Exact() if name == self.count else within for name in names}
        yield from Fields(by_name).differences(ours, theirs, place)


PLAIN = (int, str, float, bool, type(None))
LACKING: Final = (ABSENT,)
# Most values are equal. Of these types equal ones are the same for these comparators; an infinite float is not even that.
PLAINLY_SAME: Final[Mapping[type, frozenset[type]]] = {
    Exact: frozenset({int, str, bool, type(None)}),
    Numeric: frozenset({int, type(None)}),
}
NO_TYPES: Final[frozenset[type]] = frozenset()


def compare(*, ours: Any, theirs: Any, by: Comparator) -> list[Difference]:
    """All differences, in the order of the older answer."""
    return list(by.differences(ours, theirs, Place()))


def _plainly_same(comparator: Comparator, ours: Any, theirs: Any) -> bool:
    of = type(ours)
    return of is type(theirs) and of in PLAINLY_SAME.get(type(comparator), NO_TYPES) and bool(ours == theirs)


def _present(comparator: Comparator, ours: Any, theirs: Any, place: Place) -> Iterable[Difference]:
    if ours is ABSENT:
        return (place.differs(Kind.MISSING, None, None if theirs is ABSENT else theirs),)
    if theirs is ABSENT:
        return (place.differs(Kind.EXTRA, ours, None),)
    return comparator.differences(ours, theirs, place)


def _same(ours: Any, theirs: Any) -> bool:
    """Also inside of lists and objects, where Python would take true for 1."""
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(map(_alike, ours, theirs))
    if isinstance(ours, Mapping):
        return ours.keys() == theirs.keys() and all(_alike(ours[name], theirs[name]) for name in ours)
    return bool(ours == theirs)


def _alike(ours: Any, theirs: Any) -> bool:
    return _unlike(ours, theirs) is None and _same(ours, theirs)


def _unlike(ours: Any, theirs: Any, *, numbers: bool = False) -> Kind | None:
    """How two values cannot even be compared; None when they can. In JSON 1 and 1.0 are one number, and true is none."""
    if type(ours) is type(theirs) is int:
        return None
    if (ours is None) != (theirs is None):
        return Kind.NULL
    if ours is None:
        return None
    are_numbers = _is_number(ours), _is_number(theirs)
    if are_numbers == (True, True):
        return None if _is_finite(ours) and _is_finite(theirs) else Kind.NOT_FINITE
    if numbers or True in are_numbers or type(ours) is not type(theirs):
        return Kind.TYPE
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_finite(value: int | float) -> bool:
    return isinstance(value, int) or isfinite(value)


def _are_lists(ours: Any, theirs: Any) -> bool:
    return isinstance(ours, list | tuple) and isinstance(theirs, list | tuple)


def _not_of(ours: Any, theirs: Any, place: Place) -> Iterator[Difference]:
    """Of two values of which at least one is not what the shape says. Two nulls are the same."""
    if ours is None and theirs is None:
        return
    kind = Kind.NULL if ours is None or theirs is None else Kind.TYPE
    yield place.differs(kind, _short(ours), _short(theirs))


def _short(value: Any) -> Any:
    return value if isinstance(value, PLAIN) else type(value).__name__


def _same_order(mine: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    return [each for each in mine if each in others] == [each for each in others if each in mine]

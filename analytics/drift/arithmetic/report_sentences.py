"""Report sentences on a dual run: nights that were made up, slept through, or counted again since.

A night is the midnight at which the day of its date begins. Numbers are told as the older side has them: too many, too few.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, pairwise
from typing import Final

from analytics.drift.arithmetic.comparing import Kind
from analytics.pure.zones import ONE_DAY

Board = Mapping[str, int]
# The kind of comparison that nobody asked for: what the older side has stored, element by element.
AT_REST: Final = "AT_REST"
# Whoever wants all of them looks at the picture.
MOST_NAMED: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """A night in which the older side is not what the ledger says.

    `gains` are theirs less ours, by field, where both are numbers; `kinds` how the others differ. `theirs` is their whole
    board, None where it is not known. `board_of`: the older side says itself that it made the night up, from the board of
    that date. `changes`: how often the board changed in the day that ended with the night; None: nobody counted.
    """

    day: date
    gains: Board = field(default_factory=dict)
    kinds: frozenset[Kind] = frozenset()
    theirs: Board | None = None
    board_of: date | None = None
    changes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restatement:
    """A night whose figures would be others today: by field, how much they gained."""

    day: date
    gains: Board


HOW: Final[Mapping[Kind, str]] = {
    Kind.VALUE: "has other numbers",
    Kind.NULL: "has a number where ours has none, or none where ours has one",
    Kind.MISSING: "has something that ours lacks",
    Kind.EXTRA: "lacks something that ours has",
    Kind.TYPE: "has something else than a number",
    Kind.NOT_FINITE: "has something that is no finite number",
    Kind.ORDER: "has another order",
    Kind.LENGTH: "has more or fewer of them",
    Kind.DOUBLE: "has one of them twice",
}


def comparisons_of(stratum: str) -> str:
    """What a kind of comparison compares: `answers of up to 31 days`, `answers of more than 92 days`, `stored nights`."""
    if stratum == AT_REST:
        return "stored nights"
    for sign, words in (("days<=", "up to"), ("days>", "more than")):
        if stratum.startswith(sign):
            return f"answers of {words} {stratum.removeprefix(sign)} days"
    return stratum


def drift_sentence(nights: Sequence[Night], *, boards: Mapping[date, Board]) -> str:
    """One sentence for a cause of drift. `boards` are the older side's boards of other nights, to find what was repeated.

    "" without any night.
    """
    parts = [_drifted(group, origin=origin, boards=boards) for origin, group in _by_origin(nights)]
    first, *others = parts or [""]
    return first and f"{'; '.join((first, *(each[0].lower() + each[1:] for each in others)))}."


def whole_sentence(kinds: Collection[Kind]) -> str:
    """One sentence for answers that differ otherwise than in single nights. "" without any kind."""
    told = " and ".join(HOW[kind] for kind in Kind if kind in kinds)
    return f"The answers differ as a whole: the older side {told}." if told else ""


def slept_sentence(nights: Sequence[Night], *, filled: bool) -> str:
    """One sentence for nights that the older side has not, or `filled` in later. "" without any night."""
    if not nights:
        return ""
    subject, one = _named([each.day for each in nights]), len(nights) == 1
    said = f"{subject} {'was' if one else 'were'} slept through"
    if filled:
        return f"{said}, and filled in later."
    return f"{said}: the older side has nothing for {'it' if one else 'them'}{_changed(nights)}."


def assumed_sentence(*, assumed: int, of: int) -> str:
    """One sentence for comparisons whose cut-off nobody told. "" without any."""
    if not assumed:
        return ""
    one = assumed == 1
    return (
        f"{assumed:,} of {of:,} conclusive comparisons {'assumes' if one else 'assume'} when the older side counted, which"
        f" does not say so: {'it opens' if one else 'they open'} no gate."
    )


def late_sentence(restated: Sequence[Restatement]) -> str:
    """One sentence for nights that late facts made others since they were counted. "" without any."""
    if not restated:
        return ""
    by_night = [each.gains for each in restated]
    changes = ", ".join(f"{gain:+,} {_words(name)}" for name, gain in _largest(by_night).items())
    upto = "up to " if _differ(by_night) else ""
    was, has = ("was", "has") if len(restated) == 1 else ("were", "have")
    return (
        f"{_named([each.day for each in restated])} {was} counted as the ledger was then, and {has} other figures today"
        f" ({upto}{changes}): facts were reported late, which is no drift."
    )


def _by_origin(nights: Sequence[Night]) -> Iterable[tuple[date | None, list[Night]]]:
    """What was made up from the same board together; what was not made up comes last."""

    def origin(night: Night) -> date:
        return night.board_of or date.max

    for found, group in groupby(sorted(nights, key=lambda each: (origin(each), each.day)), key=origin):
        yield (None if found == date.max else found), list(group)


def _drifted(nights: Sequence[Night], *, origin: date | None, boards: Mapping[date, Board]) -> str:
    subject, gains = _named([each.day for each in nights]), _gains(nights)
    what = _repeating(nights, origin=origin, boards=boards)
    if what:
        return f"{subject} {what}{f' ({gains})' if gains else ''}{_changed(nights)}"
    kinds = _otherwise(nights, also=bool(gains))
    how = " and ".join(each for each in (gains and f"has {gains}", kinds) if each)
    return f"{subject} {'differs' if len(nights) == 1 else 'differ'} from the ledger: the older side {how}{_changed(nights)}"


def _repeating(nights: Sequence[Night], *, origin: date | None, boards: Mapping[date, Board]) -> str:
    """What they show instead of their own board; "" where they show nothing that is known from elsewhere."""
    one = len(nights) == 1
    if origin is not None:
        return f"{'was invented: it' if one else 'were invented: each'} repeats the board of {origin}"
    board = nights[0].theirs
    if board is None or any(each.theirs != board for each in nights):
        return ""
    like = sorted(day for day, other in boards.items() if other == board)
    if like:
        nearest = next((day for day in reversed(like) if day < nights[0].day), like[0])
        return f"{'repeats' if one else 'repeat'} the board of {nearest}"
    return "" if one else "show one and the same board"


def _gains(nights: Sequence[Night]) -> str:
    """`up to 4 todo too few, 2 done too many`; "" where no number differs."""
    by_night = [each.gains for each in nights]
    told = [
        f"{abs(gain):,} {_words(name)} too {'many' if gain > 0 else 'few'}"
        for name, gain in _largest(by_night).items()
        if gain
    ]
    return f"{'up to ' if told and _differ(by_night) else ''}{', '.join(told)}"


def _otherwise(nights: Sequence[Night], *, also: bool) -> str:
    kinds = {kind for each in nights for kind in each.kinds} - ({Kind.VALUE} if also else set())
    return " and ".join(HOW[kind] for kind in Kind if kind in kinds)


def _changed(nights: Sequence[Night]) -> str:
    """What the ledger knows of the days before them."""
    counted = [each.changes for each in nights if each.changes is not None]
    if len(counted) < len(nights):
        return ""
    number = sum(counted)
    changes = "no change" if not number else "1 change" if number == 1 else f"{number:,} changes"
    days = "the day that ended with it" if len(nights) == 1 else "the days that ended with them"
    return f"; the ledger has {changes} in {days}"


def _largest(by_night: Sequence[Board]) -> dict[str, int]:
    """By field, the change that is furthest from 0."""
    names = dict.fromkeys(name for each in by_night for name in each)
    return {name: max((each.get(name, 0) for each in by_night), key=abs) for name in names}


def _words(name: str) -> str:
    return name.replace("_", " ")


def _differ(by_night: Sequence[Board]) -> bool:
    return any(dict(each) != dict(by_night[0]) for each in by_night)


def _named(days: Sequence[date]) -> str:
    """`The night of 2026-03-01`, `3 nights from 2026-03-01 to 2026-03-03`, `2 nights, 2026-03-01 and 2026-03-05`."""
    days = sorted(set(days))
    if len(days) == 1:
        return f"The night of {days[0]}"
    if all(later - earlier == ONE_DAY for earlier, later in pairwise(days)):
        return f"{len(days)} nights from {days[0]} to {days[-1]}"
    if len(days) > MOST_NAMED:
        return f"{len(days)} nights between {days[0]} and {days[-1]}"
    return f"{len(days)} nights ({', '.join(str(day) for day in days)})"

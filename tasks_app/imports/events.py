"""Events on their way in: one list per column, and what is wrong with some of them."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import compress

# An index entry holds about 2,700 bytes, and what is reported is looked up by an index.
MOST_BYTES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Events in the order in which they came. All filled columns have one length.

    `places` are line numbers of a file or positions in a list; `instants` microseconds since 1970; an empty text in
    `actors`, `titles` or `event_ids` means that none was given. `rows` are the rows as they stood in the file.
    """

    places: list[int]
    cases: list[str]
    instants: list[int]
    states: list[str]
    actors: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    event_ids: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def without(self, left_out: Collection[int]) -> "Events":
        """The same events but for those at these indices."""
        if not left_out:
            return self
        keep = [index not in left_out for index in range(len(self.places))]
        return replace(self, **{each.name: list(compress(getattr(self, each.name), keep)) for each in fields(self)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """Why an event cannot be taken: its place, the column that is wrong, the reason without a full stop."""

    place: int
    column: str
    reason: str
    row: Sequence[str] = ()


# Index of an event: the column that is wrong and why.
BadEvents = dict[int, tuple[str, str]]

# Hears of an event that cannot be taken: refuses everything by raising Refused, or puts it aside and returns.
OnBad = Callable[[Bad], None]


def sifted(*, events: Events, bad: BadEvents, on_bad: OnBad) -> Events:
    """The events without the bad ones, once `on_bad` has heard of each in order."""
    for index in sorted(bad):
        column, reason = bad[index]
        row = events.rows[index] if events.rows else ()
        on_bad(Bad(place=events.places[index], column=column, reason=reason, row=row))
    return events.without(bad.keys())

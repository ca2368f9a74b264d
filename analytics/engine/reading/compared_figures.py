"""Compared figures of a wing: its own numbers as of an older system's cut-offs, and the ledger rows that made them others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from analytics.pure.cutoffs import Cutoff

Figures = Mapping[str, Any]


class AsOfCutoffs(Protocol):
    """Figures by key as of each cut-off."""

    def __call__(
        self, *, tenant_id: int, zone: str, cutoffs: Mapping[str, Cutoff], now: datetime
    ) -> Mapping[str, Figures]:
        """To be used in one read-only transaction."""


class AroundCutoff(Protocol):
    """Figures at every instant that lies as near to the cut-off as that, without repeats in a row."""

    def __call__(
        self, *, tenant_id: int, zone: str, cutoff: Cutoff, uncertain_by: timedelta, now: datetime
    ) -> Sequence[Figures]:
        """To be used in one read-only transaction."""


class LearnedSince(Protocol):
    """Ledger rows learned after the cut-off that had happened before it, the oldest first, at most so many."""

    def __call__(self, *, tenant_id: int, cutoff: Cutoff, most: int) -> "Sequence[LearnedRow]":
        """To be used inside `entered(...)`."""


class ChangesWithin(Protocol):
    """By key: how many facts happened in the half-open stretch."""

    def __call__(self, *, tenant_id: int, stretches: Mapping[Any, tuple[datetime, datetime]]) -> Mapping[Any, int]:
        """To be used inside `entered(...)`."""


class RestatedPeriod(Protocol):
    """What a period came to by what was known at the cut-off, and what it comes to now."""

    def __call__(
        self, *, tenant_id: int, zone: str, period: "Period", stocks: bool, now: datetime, most: int
    ) -> "Restated":
        """With `stocks` also what was where at the cut-off. At most so many rows. In one read-only transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From `begin` to `end`, half-open, as it was published by a figure with that cut-off."""

    begin: datetime
    end: datetime
    cutoff: Cutoff


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRow:
    """One ledger row that was recorded after a figure that it bears on had been counted."""

    seq: int
    item_id: int
    kind: int
    happened_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number by its name: as it was known at the cut-off, and as it is known now. None: it is not known."""

    name: str
    then: int | None
    today: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """A ledger row that was learned since: of an item by its `key`, or of a definition by its slug (kind 9).

    `explains` are the names of the numbers that it makes others.
    """

    seq: int
    key: str
    kind: int
    happened_at: datetime
    recorded_at: datetime
    explains: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """A period's totals, its stocks that changed, and the rows that explain what changed of both, the newest first."""

    totals: Sequence[Number]
    stocks: Sequence[Number]
    rows: Sequence[Because]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFigures:
    """What a wing declares of figures that an older system tells, too. `names` are those figures, each a count."""

    names: Sequence[str]
    as_of_cutoffs: AsOfCutoffs
    around_cutoff: AroundCutoff
    learned_since: LearnedSince
    changes_within: ChangesWithin
    restated: RestatedPeriod

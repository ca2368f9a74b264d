"""Validation waits: how long items waited for their validation. No clock, no database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from analytics.flow.figures.workflow import StateDefinition


class Waits(NamedTuple):
    """The waits of a group of states, those that one actor ended by a validation, or with `validator` 0 all of them."""

    group: int
    validator: int
    validated: int
    unapproved: int
    waiting: int
    p50: timedelta | None
    p85: timedelta | None
    microseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationWait:
    """The waits of one state. `validator` None: of all; `total` is that of those that ended, approved or not."""

    state: StateDefinition
    validator: int | None
    validated: int
    unapproved: int
    waiting: int
    p50: timedelta | None
    p85: timedelta | None
    total: timedelta


def validation_waits(*, groups: Sequence[Sequence[StateDefinition]], rows: Iterable[Waits]) -> list[ValidationWait]:
    """By state in the order of the groups, all of them first, then by validator."""
    return [
        ValidationWait(
            state=groups[row.group - 1][0],
            validator=row.validator or None,
            validated=row.validated,
            unapproved=row.unapproved,
            waiting=row.waiting,
            p50=row.p50,
            p85=row.p85,
            total=timedelta(microseconds=row.microseconds),
        )
        for row in sorted(rows, key=lambda row: (row.group, row.validator))
    ]

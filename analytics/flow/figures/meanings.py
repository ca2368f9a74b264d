"""Meanings of states through time: category, place, and whether they wait for a validation."""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from analytics.flow.figures.workflow import EVER, StateDefinition, Workflows, places


class Meaning(NamedTuple):
    """From `begin` until `end` the state was this. `place` is None for a state that the order of that time does not have."""

    state_id: int
    project_id: int
    category: str
    place: int | None
    needs_validation: bool
    begin: datetime
    end: datetime


def meanings(*, workflows: Workflows, before: datetime) -> list[Meaning]:
    """For every state that ever was, all time up to `before` without a gap. It is as first defined before it was defined."""
    first = {state: workflows.first(state) for state in workflows.state_ids}
    found: dict[int, list[Meaning]] = {state: [] for state in first}
    instants = [EVER, *workflows.changes(after=EVER, before=before), before]
    for begin, end in pairwise(instants):
        defined = workflows.in_force(begin)
        order = places(defined.values())
        for state, versions in found.items():
            _go_on(versions, _meaning(defined.get(state) or first[state], order=order, begin=begin, end=end))
    return [version for versions in found.values() for version in versions]


def _meaning(state: StateDefinition, *, order: Mapping[int, int], begin: datetime, end: datetime) -> Meaning:
    return Meaning(
        state_id=state.state_id,
        project_id=state.project_id,
        category=state.category,
        place=order.get(state.state_id),
        needs_validation=state.needs_validation,
        begin=begin,
        end=end,
    )


def _go_on(versions: list[Meaning], later: Meaning) -> None:
    """The later meaning is added, or, where it is the same as before, the one before goes on."""
    if versions and versions[-1][:5] == later[:5]:
        versions[-1] = versions[-1]._replace(end=later.end)
    else:
        versions.append(later)

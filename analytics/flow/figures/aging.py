"""Aging: how old work in progress is, and how many finished items took less time. No clock, no database."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.figures.workflow import IN_PROGRESS, MOMENT, StateDefinition
from analytics.pure.zones import MICROSECOND, local_date

# Finished items of this long before the instant asked are what ages are compared with.
COMPARED = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Started:
    """An item in progress, its state, and when it was started."""

    task_id: int
    state_id: int
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """How old an item is. Of `compared` items finished in its project lately, `shorter` had a shorter cycle time."""

    task_id: int
    state: StateDefinition
    started_at: datetime
    age: timedelta
    days: int
    shorter: int
    compared: int


def working_states(frame: Frame) -> list[int]:
    """The states that are IN_PROGRESS at the window's end."""
    last = frame.last_piece[-1]
    return [state for state in frame.first if frame.category_of(state, piece=last) == IN_PROGRESS]


def ages(
    *, frame: Frame, started: Sequence[Started], cycle_times: Mapping[int, Sequence[int]], at: datetime
) -> list[Age]:
    """The items' ages at that instant. `cycle_times` has those of each project in microseconds, in order."""
    defined = frame.definitions_of(frame.last_piece[-1])
    found = []
    for each in started:
        state, age = defined.get(each.state_id) or frame.first[each.state_id], at - each.started_at
        finished = cycle_times.get(state.project_id, ())
        found.append(
            Age(
                task_id=each.task_id,
                state=state,
                started_at=each.started_at,
                age=age,
                days=_days(each.started_at, at, zone=frame.window.zone),
                shorter=bisect_left(finished, age // MICROSECOND),
                compared=len(finished),
            )
        )
    return found


def _days(start: datetime, at: datetime, *, zone: str) -> int:
    """Local dates touched, as cycle times count them: an item that is asked for at midnight has not seen the new day."""
    last = local_date(instant=max(start, at - MOMENT), zone_name=zone)
    return (last - local_date(instant=start, zone_name=zone)).days + 1

"""Item figures (churn, sizes, ages, waits): single items followed through a window, from whichever source is read."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from analytics.flow.figures.aging import COMPARED, Age, working_states
from analytics.flow.figures.aging import ages as ages_of
from analytics.flow.figures.churn import ChurnCounts
from analytics.flow.figures.completion import done_states
from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.figures.identities import Sizes
from analytics.flow.figures.meanings import meanings
from analytics.flow.figures.validation import Waits
from analytics.flow.figures.workflow import Workflows
from analytics.flow.reading.sources import Source
from analytics.flow.replay import aging
from analytics.flow.replay import churn as churn_replay
from analytics.flow.replay.churn import Judging
from analytics.flow.replay.flow import Scope
from analytics.flow.replay.identities import IDENTITIES, identity_values
from analytics.flow.replay.identities import sizes as sizes_told
from analytics.flow.replay.task_names import ItemName
from analytics.flow.replay.validation import VALIDATION, validation_values, waits


def churn(
    *,
    source: Source,
    scope: Scope,
    frame: Frame,
    known: Workflows,
    groups: Mapping[int, int],
    within: timedelta,
    as_of: datetime,
) -> ChurnCounts:
    """What is counted of churn. What comes back after the window's end counts too, as far as it is known at `as_of`."""
    longer, values = churn_asked(scope=scope, frame=frame, known=known, groups=groups, within=within, as_of=as_of)
    rows = source.rows(churn_replay.CHURN, values=values, scope=longer, touched_since=frame.window.start)
    return churn_replay.churn_counts(rows)


def churn_asked(
    *, scope: Scope, frame: Frame, known: Workflows, groups: Mapping[int, int], within: timedelta, as_of: datetime
) -> tuple[Scope, dict[str, Any]]:
    """Which facts churn is counted from, and the parameters of CHURN."""
    window = frame.window
    longer = replace(scope, until=window.end + within)
    values = churn_replay.churn_values(
        judging=Judging(begin=window.start, end=window.end, within=within, judged_until=as_of - within),
        edges=frame.edges,
        done=done_states(frame),
        meanings=meanings(workflows=known, before=longer.until),
        groups=groups,
    )
    return longer, values


def sizes(*, source: Source, scope: Scope, frame: Frame, known: Workflows, until: datetime) -> Sizes:
    """What the items come to, for the identities; time is counted up to `until`."""
    values = identity_values(
        begin=frame.window.start,
        end=until,
        edges=frame.edges,
        states=list(frame.first),
        meanings=meanings(workflows=known, before=frame.window.end),
    )
    return sizes_told(source.rows(IDENTITIES, values=values, scope=scope))


def ages(
    *, source: Source, scope: Scope, frame: Frame, everywhere: Workflows, at: datetime
) -> tuple[list[Age], dict[int, ItemName]]:
    """How old the items are that are in progress at the window's end, and their names.

    The clock of an item runs on wherever it is and whoever holds it, and so `everywhere` has the states of all projects;
    finished items are those of whole projects.
    """
    working = working_states(frame)
    held = None
    if scope.assignee_id is not None:
        held = dict(source.rows(aging.IN_PROGRESS, values={"working": working}, scope=scope))
    done = {state: frame.first[state].project_id for state in done_states(frame)}
    values = {
        **aging.start_values(tasks=held, meanings=meanings(workflows=everywhere, before=scope.until)),
        **aging.finish_values(working=working, done=done, compared_since=at - COMPARED),
    }
    rows = source.rows(aging.AGING, values=values, scope=replace(scope, assignee_id=None))
    started, names, cycle_times = aging.started_and_finished(rows)
    return ages_of(frame=frame, started=started, cycle_times=cycle_times, at=at), names


def validation_waits(
    *, source: Source, scope: Scope, frame: Frame, known: Workflows, groups: Mapping[int, int]
) -> tuple[list[Waits], int]:
    """The waits for a validation, and how many ledger rows were read for it beside the moves."""
    values = validation_values(
        begin=frame.window.start,
        states=list(frame.first),
        meanings=meanings(workflows=known, before=frame.window.end),
        groups=groups,
    )
    return waits(source.rows(VALIDATION, values=values, scope=scope))

"""Random histories whose states are changed after all that is asked about: every figure stays what it was, to the byte."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.flow.catalogue import FIGURES
from analytics.flow.figures.durations import Policy
from analytics.flow.graphql.forecast import arguments_of
from analytics.flow.reading.durations import Clip
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.results import FlowMode
from analytics.pure.canonical import digest
from analytics.pure.local_days import Calendar
from tasks_app.errors import ApiError
from tests.flow.loading import seeded
from tests.flow.random_boards import EXTRA, NAMES, boards, questions, redefined
from tests.flow.test_replay_properties import undone
from tests.oracle.facts import History, Workflow
from tests.oracle.questions import AsOf, Question
from tests.properties import some
from tests.spec.postgres import FoldedEngine, HalfFoldedEngine, PostgresEngine, fold_some
from tests.spec.random_histories import DAWN, DAYS, told

pytestmark = pytest.mark.django_db

# The longest delay of a fact, and the longest time in which figures look for what followed, lie before it.
LATER = DAWN + timedelta(days=DAYS + 20)
PAIRS = ((None, None), ("doing", "done"), ("review", None))
# Each figure's arguments, where it has other ones than those that it is asked for without any.
VARIANTS: Mapping[str, list[dict[str, Any]]] = {
    "cumulativeFlow": [{"mode": mode.value} for mode in FlowMode],
    "churn": [{"reopenWithinDays": days} for days in (1, 14)],
    "forecast": [dict(arguments_of({"items": 3, "seed": 1, "trials": 9}))],
    "timeInState": [{"clip": clip.value} for clip in Clip],
    "cycleTime": [
        {"policy": policy.value, "start": start, "finish": finish, "calendar": calendar.value}
        for policy, (start, finish), calendar in product(Policy, PAIRS, Calendar)
    ],
    "leadTime": [{"calendar": calendar.value} for calendar in Calendar],
}


def every_figure(reading: FlowReading) -> Iterator[tuple[str, str]]:
    """Each figure that an answer can have with its arguments, and the digest of its canonical form."""
    for figure in FIGURES:
        for arguments in VARIANTS.get(figure.name, [dict(figure.defaults)]):
            try:
                found = figure.hashed(reading, arguments)
            except ApiError as error:
                found = str(error)
            yield f"{figure.name} {arguments}", digest([found])


def figures(engine: PostgresEngine, question: Question) -> dict[str, str]:
    """Those of one question."""
    with engine._reading_ledger():
        return dict(every_figure(engine.reading(question)))


@st.composite
def redefined_later(draw: st.DrawFn, history: History) -> History:
    """The same history, the states of both projects otherwise defined after all of it."""
    projects = []
    for project in history.projects:
        states = project.workflows[-1].states
        more = () if EXTRA.slug in {state.slug for state in states} or draw(st.booleans()) else (EXTRA,)
        last = draw(redefined(tuple(replace(state, name=draw(NAMES)) for state in (*states, *more))))
        version = Workflow(happened_at=LATER, recorded_at=LATER, states=last)
        projects.append(replace(project, workflows=(*project.workflows, version)))
    return replace(history, projects=tuple(projects))


def engines(history: History) -> list[PostgresEngine]:
    """The history read from the ledger, from rollups and the tail, and from rollups alone."""
    half, folded = HalfFoldedEngine(seeded(history)), FoldedEngine()
    fold_some(tenant_id=half.told.tenant_id, facts=max(len(history.facts) // 2, 1))
    folded.load(history=history)
    return [PostgresEngine(half.told), half, folded]


@some
@given(data=st.data(), history=boards(), asked=questions())
def test_later_definitions_change_no_figure_of_then(data: st.DataObject, history: History, asked: Question) -> None:
    """P2, P27, P28: renamed, reordered, recategorised, added, archived, waiting or not; two states of one name."""
    changed = data.draw(redefined_later(history))
    asked = replace(asked, as_of=AsOf.THEN)
    note(f"{told(changed)}\n{asked}")
    with undone():
        before, after = engines(history), engines(changed)
        wanted = figures(before[0], asked)
        for engine in [*before[1:], *after]:
            assert figures(engine, asked) == wanted

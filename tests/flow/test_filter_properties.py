"""Random histories and filters: the figures of some items are those of a history that has no others."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.rollups.compact import compact
from tests.flow.loading import seeded
from tests.flow.random_boards import boards, questions
from tests.flow.test_replay_properties import WEEK, undone, unlike_forecast, unlike_in_window
from tests.oracle.facts import History
from tests.oracle.filters import ItemFilter, satisfying
from tests.oracle.questions import Question
from tests.properties import some
from tests.spec.postgres import FoldedEngine, PostgresEngine
from tests.spec.random_histories import DAWN, DAYS, OPS_STATES, PEOPLE, WEB_STATES, told
from tests.spec.runner import LONG_AFTER

pytestmark = pytest.mark.django_db

PLACES = [("WEB", state.slug) for state in WEB_STATES] + [("OPS", state.slug) for state in OPS_STATES]
places = st.one_of(st.none(), st.lists(st.sampled_from(PLACES), max_size=5).map(tuple))
instants = st.one_of(st.none(), st.integers(0, DAYS * 8).map(lambda number: DAWN + timedelta(hours=3 * number)))
somebody = st.sampled_from([None, None, *PEOPLE])


@st.composite
def filters(draw: st.DrawFn) -> ItemFilter:
    """One to three conditions."""
    held = draw(places)
    found = {
        "project": draw(st.sampled_from([None, "WEB", "OPS"])),
        "states": draw(places),
        "assignee": draw(somebody),
        "search": draw(st.sampled_from([None, "WEB", "-1"])),
        "was_ever": draw(places),
        "held": held,
        "changed_by": draw(somebody),
    }
    kept = draw(st.lists(st.sampled_from(sorted(found)), min_size=1, max_size=3, unique=True))
    return ItemFilter(
        was_ever_from=draw(instants),
        was_ever_to=draw(instants),
        held_since=draw(instants.filter(bool)),
        as_of_now=draw(st.booleans()),
        **{name: value for name, value in found.items() if name in kept},  # type: ignore[arg-type]
    )


def unlike_of_some(engine: PostgresEngine, history: History, question: Question) -> list[str]:
    """What differs from the figures of the chosen items alone. Who is chosen depends on when a window ends: that of a
    forecast, which is of whole days, ends elsewhere.
    """

    def theirs(asked: Question) -> History:
        chosen = engine.chosen
        return satisfying(history=history, question=asked, chosen=chosen) if chosen and engine.filters else history

    with engine._reading_ledger():
        of_window = unlike_in_window(engine, theirs(question), question)
        return of_window + unlike_forecast(engine, theirs(replace(question, buckets=WEEK)), question)


@some
@given(history=boards(), asked=questions(), chosen=filters())
def test_figures_of_some_items_are_those_of_their_own_history(
    history: History, asked: Question, chosen: ItemFilter
) -> None:
    """P8, P14: with their whole past, on whatever board, in whosever hands, known then or now."""
    note(f"{told(history)}\n{asked}\n{chosen}")
    with undone():
        engine = PostgresEngine(seeded(history))
        engine.chosen = chosen
        for question in (asked, replace(asked, assignee="Ada", actor=None), replace(asked, actor="Ada", assignee=None)):
            assert unlike_of_some(engine, history, question) == []


@some
@given(history=boards(), asked=questions(), chosen=filters())
def test_what_is_folded_is_read_from_the_ledger(history: History, asked: Question, chosen: ItemFilter) -> None:
    """Rollups have no single items; the receipt says so."""
    note(f"{told(history)}\n{asked}\n{chosen}")
    asked = replace(asked, now=LONG_AFTER, known_at=None)
    with undone():
        engine = FoldedEngine(seeded(history))
        compact(now=LONG_AFTER, tenant_id=engine.told.tenant_id)
        engine.chosen = chosen
        if not engine.filters:
            return
        assert unlike_of_some(engine, history, asked) == []
        with engine._reading_ledger():
            reading = engine.reading(asked)
            assert reading.fallback == "Rollups have no single items to filter, so the ledger was read."
            assert reading.read_from is ReadFrom.RAW

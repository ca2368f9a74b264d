"""Laws that the oracle keeps on random histories."""

from dataclasses import replace
from datetime import timedelta
from random import Random

from hypothesis import given, note
from hypothesis import strategies as st

from tests.oracle.boards import category_before, places
from tests.oracle.completion import finished_at, state_graph, throughput
from tests.oracle.definitions import Definitions
from tests.oracle.facts import Category, Fact, History
from tests.oracle.flow import cumulative_flow
from tests.oracle.identities import broken_identities
from tests.oracle.items import place_at, visits
from tests.oracle.questions import AsOf, Mode, Question, local_days
from tests.spec.random_histories import DAWN, DAYS, as_history, fact_lists, histories, steady_histories, told
from tests.spec.runner import LONG_AFTER

WEEK = local_days(first=DAWN.date(), count=DAYS, zone="UTC")
questions = st.builds(
    Question,
    buckets=st.just(WEEK),
    now=st.sampled_from([LONG_AFTER, DAWN + timedelta(days=3, hours=7)]),
    project=st.sampled_from(["WEB", "OPS", None]),
    as_of=st.sampled_from(AsOf),
    known_at=st.sampled_from([None, DAWN + timedelta(days=4)]),
)


@given(history=histories, question=questions)
def test_identities_hold(history: History, question: Question) -> None:
    """Bands, flows, work in progress and lines, whatever was reordered, recategorised or learned late."""
    note(told(history))
    assert broken_identities(history=history, question=question) == []


@given(history=histories, question=questions, cut=st.integers(min_value=1, max_value=DAYS - 1))
def test_sub_ranges_show_the_same(history: History, question: Question, cut: int) -> None:
    """P5: each series of a later part of the window is the later part of the series."""
    note(told(history))
    later = replace(question, buckets=question.buckets[cut:])
    whole = cumulative_flow(history=history, question=question, mode=Mode.CUMULATIVE)
    part = cumulative_flow(history=history, question=later, mode=Mode.CUMULATIVE)
    assert part.series == {state: values[cut:] for state, values in whole.series.items()}
    assert (part.arrivals, part.departures) == (whole.arrivals[cut:], whole.departures[cut:])
    assert part.difference == whole.difference[cut:]


@given(found=fact_lists, shuffle=st.randoms(use_true_random=False), question=questions)
def test_the_order_of_recording_matters_for_ties_alone(found: list[Fact], shuffle: Random, question: Question) -> None:
    """P56: without equal instants, any order of recording gives one answer."""
    apart = [
        replace(f, happened_at=f.happened_at + timedelta(seconds=n), recorded_at=DAWN) for n, f in enumerate(found)
    ]
    shuffled = list(apart)
    shuffle.shuffle(shuffled)
    one, other = as_history(apart, []), as_history(shuffled, [])
    asked = replace(question, known_at=None)
    for mode in Mode:
        flow = cumulative_flow(history=one, question=asked, mode=mode)
        assert flow == cumulative_flow(history=other, question=asked, mode=mode)
    assert throughput(history=one, question=asked) == throughput(history=other, question=asked)
    assert state_graph(history=one, question=asked) == state_graph(history=other, question=asked)


@given(history=steady_histories, question=questions)
def test_later_knowledge_takes_nothing_out_of_a_line(history: History, question: Question) -> None:
    """P56: a late fact adds visits to the past; none disappears."""
    note(told(history))
    known_early, known_late = (replace(question, known_at=at) for at in (DAWN + timedelta(days=2), LONG_AFTER))
    early = cumulative_flow(history=history, question=known_early, mode=Mode.CUMULATIVE).series
    late = cumulative_flow(history=history, question=known_late, mode=Mode.CUMULATIVE).series
    points = [pair for state in early for pair in zip(early[state], late[state], strict=True)]
    assert [(a, b) for a, b in points if a is not None and b is not None and b < a] == []


@given(history=histories, hour=st.integers(min_value=0, max_value=DAYS * 24))
def test_visits_tell_where_an_item_is(history: History, hour: int) -> None:
    """P20: visits never overlap, and the one that covers an instant is the item's place just before it."""
    note(told(history))
    at = DAWN + timedelta(hours=hour)
    for item in history.items():
        stays = visits(history=history, item=item, known_at=LONG_AFTER)
        covering = [v for v in stays if v.entered_at < at and (v.left_at is None or v.left_at >= at)]
        place = place_at(history=history, item=item, at=at, known_at=LONG_AFTER)
        assert [(visit.project, visit.state) for visit in covering] == (
            [] if place is None else [(place.project, place.state)]
        )


@given(history=histories, question=questions)
def test_finished_items_are_done_at_the_end(history: History, question: Question) -> None:
    """P24: each item that is DONE at the horizon was finished once, no other item was."""
    note(told(history))
    definitions = Definitions(history=history, question=question)
    done = [
        item
        for item, place in places(history=history, question=question, at=question.horizon).items()
        if category_before(definitions=definitions, place=place, end=question.horizon) is Category.DONE
    ]
    finished = [
        item for item in history.items() if finished_at(history=history, question=question, item=item) is not None
    ]
    assert sorted(finished) == sorted(done)

"""Random histories with all that boards go through, and random questions about them.

Beside the moves of tests.spec.random_histories: states that are added, archived, renamed and recategorised, a project
that comes late, and windows whose edges are the very instants of facts.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from hypothesis import strategies as st

from tests.oracle.facts import ARRIVING_KINDS, Category, Fact, History, Kind, Project, StateDefinition, Workflow
from tests.oracle.questions import AsOf, Buckets, Question, local_days
from tests.spec.random_histories import (
    DAWN,
    DAYS,
    OPS_STATES,
    PEOPLE,
    WEB_STATES,
    as_history,
    delays,
    facts,
    in_order_of_recording,
    instants,
    states,
)
from tests.spec.runner import LONG_AFTER

ZONES = ("UTC", "Europe/Stockholm", "Asia/Kathmandu", "America/New_York")
(EXTRA,) = states("Extra:in_progress")
NAMES = st.sampled_from(["Todo", "Doing", "Review", "Other"])
States = tuple[StateDefinition, ...]


@st.composite
def redefined(draw: st.DrawFn, states: States) -> States:
    """The states in another order, up to two of them changed."""
    order = list(draw(st.permutations(states)) if draw(st.booleans()) else states)
    for place in draw(st.lists(st.integers(0, len(order) - 1), max_size=2)):
        order[place] = replace(
            order[place],
            name=draw(NAMES),
            category=draw(st.sampled_from(Category)),
            archived=draw(st.booleans()),
            waiting=draw(st.booleans()),
            needs_validation=draw(st.booleans()),
        )
    return told_by_positions(order)


def told_by_positions(order: list[StateDefinition]) -> States:
    """Archived states that stand together have one position, so their order among themselves is none."""
    runs = [list(run) for _, run in groupby(order, key=lambda state: state.archived)]
    return tuple(state for run in runs for state in (sorted(run, key=lambda s: s.slug) if run[0].archived else run))


@st.composite
def workflows(draw: st.DrawFn, states: States) -> tuple[Workflow, ...]:
    """Up to three versions after the first, perhaps with one more state from some version on."""
    since = draw(st.one_of(st.just(DAWN), st.just(DAWN), instants))
    found = [Workflow(happened_at=since, recorded_at=since, states=states)]
    for at in sorted(draw(st.lists(instants, max_size=3))):
        if at <= since:
            continue
        before = found[-1].states
        grown = (*before, EXTRA) if EXTRA.slug not in {s.slug for s in before} and draw(st.booleans()) else before
        version = draw(redefined(grown))
        found.append(Workflow(happened_at=at, recorded_at=at + draw(delays), states=version))
    return tuple(found)


def first_known(versions: tuple[Workflow, ...]) -> dict[str, datetime]:
    """When each state was first known: nothing can be recorded of it earlier."""
    found: dict[str, datetime] = {}
    for version in versions:
        for state in version.states:
            found[state.slug] = min(version.recorded_at, found.get(state.slug, version.recorded_at))
    return found


@st.composite
def boards(draw: st.DrawFn, *, fewest: int = 0) -> History:
    """Two projects, each with a life of its own, and the facts of three items, at least so many."""
    web, ops = draw(workflows(WEB_STATES)), draw(workflows(OPS_STATES))
    known_since = {"WEB": first_known(web), "OPS": first_known(ops)}
    found = []
    # The number first: among all that is drawn here, lists without a number of their own mostly come out empty.
    count = draw(st.integers(fewest, 14))
    for fact in draw(st.lists(facts(), min_size=count, max_size=count)):
        project = draw(st.sampled_from(["WEB", "OPS"])) if draw(st.integers(0, 3)) == 0 else fact.project
        state = draw(st.sampled_from(sorted(known_since[project]))) if fact.kind in ARRIVING_KINDS else ""
        recorded_at = max(fact.recorded_at, known_since[project].get(state, DAWN))
        found.append(replace(fact, project=project, state=state, recorded_at=recorded_at))
    projects = tuple(
        Project(key=key, zone="UTC", recorded_since=versions[0].happened_at, workflows=versions)
        for key, versions in (("WEB", web), ("OPS", ops))
    )
    return History(projects=projects, facts=in_order_of_recording(found))


@st.composite
def any_buckets(draw: st.DrawFn) -> Buckets:
    """Local days of some zone, or pieces between instants at which facts may lie."""
    if draw(st.booleans()):
        first = DAWN.date() + timedelta(days=draw(st.integers(-2, DAYS - 1)))
        return local_days(first=first, count=draw(st.integers(1, DAYS + 2)), zone=draw(st.sampled_from(ZONES)))
    return tuple(pairwise(sorted(draw(st.lists(instants, min_size=2, max_size=8, unique=True)))))


# The assignee and the actor of a question: half of them are of everybody.
EVERYBODY: tuple[str | None, str | None] = (None, None)
persons = st.sampled_from([EVERYBODY] * 4 + [(name, None) for name in PEOPLE] + [(None, name) for name in PEOPLE])


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Any board, both definitions; now is after everything or in the middle of it, between two facts."""
    now = draw(st.sampled_from([LONG_AFTER, LONG_AFTER, DAWN + timedelta(days=3, hours=7)]))
    known_at = draw(st.one_of(st.none(), instants))
    assignee, actor = draw(persons)
    return Question(
        buckets=draw(any_buckets()),
        now=now,
        project=draw(st.sampled_from(["WEB", "OPS", None])),
        as_of=draw(st.sampled_from(AsOf)),
        known_at=None if known_at is None else min(known_at, now),
        assignee=assignee,
        actor=actor,
    )


@st.composite
def reports(draw: st.DrawFn) -> History:
    """Facts as the doors let them in: each item is created first; what happens later may lie before that."""
    found: dict[str, list[Fact]] = {}
    for fact in draw(st.lists(facts(), min_size=1, max_size=14)):
        told = found.setdefault(fact.item, [])
        if not told:
            home = fact.item.partition("-")[0]
            told.append(replace(fact, kind=Kind.CREATED, project=home, state="todo", detail=""))
        elif fact.kind not in (Kind.CREATED, Kind.RENAMED):
            told.append(fact)
    mixed = draw(st.permutations([item for item, facts in found.items() for _ in facts]))
    in_turn = [replace(found[item].pop(0), recorded_at=DAWN) for item in mixed]
    return as_history(in_turn, [])

"""Random histories for property tests: few items and few instants, so that ties, late facts and returns are common."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from tests.facts_as_text import formatted, parse
from tests.oracle.facts import ARRIVING_KINDS, Category, Fact, History, Kind, Project, StateDefinition, Workflow

DAWN = datetime(2025, 3, 27, tzinfo=UTC)  # the clocks of Europe change on the 30th
DAYS = 6
ITEMS = ("WEB-1", "WEB-2", "OPS-1")
PEOPLE = ("Ada", "Grace")


def states(*labels: str) -> tuple[StateDefinition, ...]:
    """The states of labels such as `Doing:in_progress`."""
    found = parse(f"project ANY since=2026-03-01\nstates {' '.join(labels)}")
    return found.projects[0].workflows[0].states


WEB_STATES = states(
    "Todo:todo",
    "Doing:in_progress:needs_validation",
    "Review:in_progress:waiting:needs_validation",
    "Done:done",
    "Cancelled:cancelled",
)
OPS_STATES = states("Todo:todo", "Doing:in_progress", "Done:done")
STATES_OF = {"WEB": WEB_STATES, "OPS": OPS_STATES}

instants = st.integers(min_value=0, max_value=DAYS * 8 - 1).map(lambda number: DAWN + timedelta(hours=3 * number))
delays = st.sampled_from([timedelta(0), timedelta(0), timedelta(hours=5), timedelta(days=2)])


@st.composite
def facts(draw: st.DrawFn) -> Fact:
    """One fact of some item, its seq not yet given."""
    happened_at = draw(instants)
    kind = draw(st.sampled_from([Kind.MOVED, Kind.MOVED, Kind.ASSIGNED, *Kind]))
    item = draw(st.sampled_from(ITEMS))
    home = item.partition("-")[0]
    project = draw(st.sampled_from(sorted(STATES_OF))) if kind is Kind.TRANSFERRED else home
    arriving = kind in ARRIVING_KINDS
    return Fact(
        seq=0,
        happened_at=happened_at,
        recorded_at=happened_at + draw(delays),
        item=item,
        project=project,
        kind=kind,
        state=draw(st.sampled_from([state.slug for state in STATES_OF[project]])) if arriving else "",
        detail=draw(st.sampled_from([*PEOPLE, *PEOPLE, ""])) if kind in (Kind.ASSIGNED, Kind.RENAMED) else "",
        actor=draw(st.sampled_from(["", *PEOPLE])),
    )


@st.composite
def redefinitions(draw: st.DrawFn) -> Workflow:
    """The WEB project's states in another order, one of them perhaps recategorised or archived."""
    order = list(draw(st.permutations(WEB_STATES)))
    chosen = order.pop()
    category = draw(st.sampled_from(Category))
    archived = draw(st.booleans())
    changed = StateDefinition(slug=chosen.slug, name=chosen.name, category=category, archived=archived)
    at = draw(instants)
    return Workflow(happened_at=at, recorded_at=at + draw(delays), states=(changed, *order))


def in_order_of_recording(found: list[Fact]) -> tuple[Fact, ...]:
    """The facts with their seqs, by recording instant and then as they come."""
    ordered = sorted(found, key=lambda fact: fact.recorded_at)
    return tuple(Fact(**{**vars(fact), "seq": seq}) for seq, fact in enumerate(ordered, start=1))


def as_history(found: list[Fact], redefined: list[Workflow]) -> History:
    """A history of both projects."""
    later = tuple(sorted(redefined, key=lambda workflow: workflow.happened_at))
    web = Workflow(happened_at=DAWN, recorded_at=DAWN, states=WEB_STATES)
    ops = Workflow(happened_at=DAWN, recorded_at=DAWN, states=OPS_STATES)
    return History(
        projects=(
            Project(key="WEB", zone="UTC", recorded_since=DAWN, workflows=(web, *later)),
            Project(key="OPS", zone="UTC", recorded_since=DAWN, workflows=(ops,)),
        ),
        facts=in_order_of_recording(found),
    )


def told(history: History) -> str:
    """The history as a table, for the note of a failing example: `note(told(history))`."""
    return f"\n{formatted(history)}"


fact_lists = st.lists(facts(), max_size=12)
steady_histories = st.builds(as_history, fact_lists, st.just([]))
histories = st.builds(as_history, fact_lists, st.lists(redefinitions(), max_size=2))

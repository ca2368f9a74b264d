"""Time in state chart: where the time of a project's items went, worked on, waiting, not begun."""

from collections.abc import Sequence
from typing import Final

from analytics.engine.pages.chart import ChartKind, Choice, Named, Sheet
from analytics.flow.admin.question import Question
from analytics.flow.admin.warnings import doubts
from analytics.flow.figures.workflow import DONE, IN_PROGRESS, StateDefinition
from analytics.flow.reading.durations import Clip, TimeInState
from analytics.pictures.bars import Bar, Bars, bars_svg, shares
from tasks_app.admin.downloads import Cell
from tasks_app.admin.visits import Visit

CLIP: Final = Choice(name="clip", label="Time in state", values=[clip.value for clip in Clip])
WAITING, WORKED, TO_DO, FINISHED = "Waiting", "In progress", "To do", "Done (no waiting: numbers alone)"
GROUPS: Final = (WAITING, WORKED, TO_DO, FINISHED)
HEADER: Final = (
    "state",
    "state_slug",
    "category",
    "waiting",
    "visits",
    "total_seconds",
    "mean_seconds",
    "p50_seconds",
    "p85_seconds",
    "p95_seconds",
    "max_seconds",
    "ongoing_visits",
    "ongoing_seconds",
)


def _figures(visit: Visit) -> Sequence[Named]:
    return [("timeInState", {"clip": CLIP.asked(visit)})]


def _found(question: Question) -> Sequence[TimeInState]:
    found: Sequence[TimeInState] = question.figure(*_figures(question.visit)[0])
    return found


def group_of(state: StateDefinition) -> str:
    """Under which heading a state stands: one that is marked as waiting is so whatever its category is."""
    if state.category == DONE:
        return FINISHED
    if state.waiting:
        return WAITING
    return WORKED if state.category == IN_PROGRESS else TO_DO


def _bars(question: Question) -> list[Bar]:
    """In their groups, within each in the order of the workflow."""
    bars = [_bar(each) for each in _found(question)]
    return sorted(bars, key=lambda bar: GROUPS.index(bar.group))


def _bar(each: TimeInState) -> Bar:
    return Bar(
        name=each.state.name,
        group=group_of(each.state),
        closed=each.total.total_seconds(),
        ongoing=each.ongoing.total_seconds(),
        visits=each.visits,
        median=None if each.p50 is None else each.p50.total_seconds(),
        p85=None if each.p85 is None else each.p85.total_seconds(),
        drawn=each.state.category != DONE,
    )


def _picture(question: Question) -> str:
    told = ", ".join(f"{words} {number}" for words, number in _headline(question))
    return bars_svg(
        Bars(
            title=f"Time in state of {question.project.key}: {question.project.name}",
            description=f"{question.in_words()} Of the time of all items, without what is done: {told or 'nothing'}.",
            bars=_bars(question),
        )
    )


def _sheet(question: Question) -> Sheet:
    return Sheet(header=HEADER, things=_found(question), line=_line)


def _line(each: TimeInState) -> list[Cell]:
    lengths = (each.total, each.mean, each.p50, each.p85, each.p95, each.longest)
    seconds = [None if length is None else length.total_seconds() for length in lengths]
    state = each.state
    about: list[Cell] = [state.name, state.slug, state.category, state.waiting, each.visits]
    return [*about, *seconds, each.ongoing_visits, each.ongoing.total_seconds()]


def _headline(question: Question) -> Sequence[tuple[str, str]]:
    """The share of each group, then the state with most time."""
    bars = _bars(question)
    paired = [(bar, share) for bar, share in zip(bars, shares(bars), strict=True) if share is not None]
    groups = [(name, sum(share for bar, share in paired if bar.group == name)) for name in GROUPS]
    told = [(name.lower(), f"{share:.0%}") for name, share in groups if any(bar.group == name for bar, _ in paired)]
    most = max(paired, key=lambda pair: pair[1], default=None)
    return [*told, (f"most: {most[0].name}", f"{most[1]:.0%}")] if most else told


TIME_IN_STATE: Final = ChartKind[Question](
    slug="time-in-state",
    title="Time in state",
    sentence="The time of all items together, by state: visits that ended in the window, and hatched what lasts at its "
    "end. Where an item waits nobody works on it. Time in a state that is done is no waiting, and has no bar.",
    figures=_figures,
    picture=_picture,
    sheet=_sheet,
    headline=_headline,
    # A state that was skipped has no visit, one at the same instant as the next a visit of no length.
    doubts=doubts("SKIPPED_STATE", "EQUAL_TIMESTAMPS", "CREATED_BEYOND_FIRST", "BACKWARD_MOVE"),
    choices=(CLIP,),
)

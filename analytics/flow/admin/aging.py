"""Aging chart of a project: the age of work in progress, state by state, beside the time that finished items took."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from analytics.engine.pages.chart import ChartKind, Named, Sheet
from analytics.flow.admin.question import Question
from analytics.flow.admin.scatter import LEVELS, LINKS, levels, percentiles
from analytics.flow.admin.warnings import doubts
from analytics.flow.figures.churn import rate
from analytics.flow.figures.durations import Policy
from analytics.flow.figures.workflow import IN_PROGRESS, StateDefinition
from analytics.flow.reading.durations import DurationSummary
from analytics.flow.reading.results import AgingItem
from analytics.pictures.aging import Aged, Aging, Row, aging_svg
from tasks_app.admin.downloads import Cell

# Age counts from the first start, so it is compared with times that do.
FIGURES: Final[Sequence[Named]] = (
    ("aging", {}),
    ("cycleTime", {"policy": Policy.FIRST_START_LAST_FINISH.value}),
)
HEADER: Final = ("task", "state", "state_slug", "started_at", "age_seconds", "age_days", "percentile")


def _items(question: Question) -> Sequence[AgingItem]:
    found: Sequence[AgingItem] = question.figure(*FIGURES[0])
    return found


def _compared(question: Question) -> DurationSummary:
    found: DurationSummary = question.figure(*FIGURES[1])
    return found


def _picture(question: Question) -> str:
    told = ", ".join(f"{words} {number}" for words, number in _headline(question))
    return aging_svg(
        Aging(
            title=f"Age of work in progress of {question.project.key}: {question.project.name}",
            description=f"{question.in_words()} At its end, or now: {told}.",
            rows=_rows_drawn(question),
            levels=levels(_compared(question)),
        )
    )


def _rows_drawn(question: Question) -> list[Row]:
    """The states in progress, in the order of the workflow, those without an item too."""
    by_state: dict[str, list[Aged]] = {}
    states: dict[str, StateDefinition] = {
        state.slug: state for state in question.reading.states() if state.category == IN_PROGRESS and not state.archived
    }
    for each in _items(question):
        states.setdefault(each.age.state.slug, each.age.state)
        by_state.setdefault(each.age.state.slug, []).append(
            Aged(name=each.item.key, seconds=each.age.age.total_seconds())
        )
    ordered = sorted(states.values(), key=lambda state: state.position)
    return [
        Row(name=state.name, note="waiting" if state.waiting else "", items=by_state.get(state.slug, ()))
        for state in ordered
    ]


def _sheet(question: Question) -> Sheet:
    line = partial(_line, of_finished=percentiles(_compared(question)))
    return Sheet(header=[*HEADER, *LEVELS], things=_items(question), line=line, links=LINKS)


def _line(each: AgingItem, *, of_finished: Sequence[float | None]) -> list[Cell]:
    age = each.age
    about: list[Cell] = [each.item.key, age.state.name, age.state.slug, age.started_at]
    return [*about, age.age.total_seconds(), age.days, rate(age.shorter, age.compared), *of_finished]


def _headline(question: Question) -> Sequence[tuple[str, str]]:
    ages = [each.age.age.total_seconds() for each in _items(question)]
    beyond = [
        (f"older than p{level.percent}", f"{sum(age > level.seconds for age in ages):,}")
        for level in levels(_compared(question))
    ]
    return [("in progress", f"{len(ages):,}"), *beyond]


AGING: Final = ChartKind[Question](
    slug="aging",
    title="Age of work in progress",
    sentence="A point is an item in progress at the window's end, or now, by the time since its first start. The bands end "
    "at what 50, 85 and 95 % of the items finished in the window took at most; the oldest of each state has its key.",
    figures=lambda visit: FIGURES,
    picture=_picture,
    sheet=_sheet,
    headline=_headline,
    # An age counts from the first start, whatever was done since.
    doubts=doubts("CHANGE_AFTER_DONE", "CREATED_BEYOND_FIRST", "BACKWARD_MOVE"),
)

"""Scatter chart of cycle times: how long each item took that a project finished, with percentiles."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from analytics.engine.pages.chart import ChartKind, Choice, Named, Sheet
from analytics.flow.admin.question import Question
from analytics.flow.admin.warnings import doubts
from analytics.flow.figures.durations import Policy
from analytics.flow.reading.durations import DurationSummary, Point
from analytics.pictures.scatter import Dot, Level, Scatter, scatter_svg
from analytics.pure.lengths import duration_text
from analytics.pure.local_days import Calendar
from analytics.pure.zones import from_microseconds
from tasks_app.admin.downloads import Cell
from tasks_app.admin.visits import Visit

POLICY: Final = Choice(name="policy", label="Cycle time", values=[policy.value for policy in Policy])
CALENDAR: Final = Choice(name="calendar", label="Calendar", values=[calendar.value for calendar in Calendar])
PERCENTS: Final = (50, 85, 95)
# A page about each item.
LINKS: Final = {"task": "admin:task"}
MICROSECONDS: Final = 1_000_000
HEADER: Final = ("task", "started_at", "finished_at", "cycle_seconds", "days", "episodes", "flags")
LEVELS: Final = tuple(f"p{percent}_seconds" for percent in PERCENTS)


def percentiles(found: DurationSummary) -> list[float | None]:
    """Of all items, in seconds; None where there are none."""
    lengths = [found.percentile(percent) for percent in PERCENTS]
    return [None if length is None else length.total_seconds() for length in lengths]


def levels(found: DurationSummary) -> list[Level]:
    """The percentiles that there are, as lines of a picture."""
    pairs = zip(PERCENTS, percentiles(found), strict=True)
    return [Level(percent=percent, seconds=seconds) for percent, seconds in pairs if seconds is not None]


def _figures(visit: Visit) -> Sequence[Named]:
    return [("cycleTime", {"policy": POLICY.asked(visit), "calendar": CALENDAR.asked(visit)})]


def _found(question: Question) -> DurationSummary:
    found: DurationSummary = question.figure(*_figures(question.visit)[0])
    return found


def _picture(question: Question) -> str:
    found = _found(question)
    told = ", ".join(f"{words} {number}" for words, number in _headline(question))
    return scatter_svg(
        Scatter(
            title=f"Cycle time of {question.project.key}: {question.project.name}",
            description=f"{question.in_words()} Of the items finished in it: {told}.",
            zone=question.window.zone,
            start=question.window.start,
            end=question.window.end,
            dots=[_dot(point) for point in found.points()],
            levels=levels(found),
            now=question.visit.now,
        )
    )


def _dot(point: Point) -> Dot:
    return Dot(
        name=point.key,
        at=from_microseconds(point.finished_at),
        seconds=point.length / MICROSECONDS,
        hollow=bool(point.flags),
    )


def _sheet(question: Question) -> Sheet:
    """An item a line; a file has no place for what is of all of them, so each line repeats it."""
    found = _found(question)
    of_all = percentiles(found)
    line = partial(_line, of_all=of_all)
    return Sheet(header=[*HEADER, *LEVELS], things=found.points(), line=line, by_time=True, links=LINKS)


def _line(point: Point, *, of_all: Sequence[float | None]) -> list[Cell]:
    begin, end = from_microseconds(point.started_at), from_microseconds(point.finished_at)
    flags = " ".join(point.flags)
    return [point.key, begin, end, point.length / MICROSECONDS, point.days, point.episodes, flags, *of_all]


def _headline(question: Question) -> Sequence[tuple[str, str]]:
    found = _found(question)
    told = [(f"p{level.percent}", duration_text(level.seconds)) for level in levels(found)]
    counts = (("items", found.items), ("never started", found.never_started), ("only seen done", found.inferred))
    return [*told, *((words, f"{count:,}") for words, count in counts)]


SCATTER: Final = ChartKind[Question](
    slug="cycle-time",
    title="Cycle time",
    sentence="A point is an item at its finish, as high as the time it took. 85 % of the items took no longer than the "
    "line p85, which is the time of one of them.",
    figures=_figures,
    picture=_picture,
    sheet=_sheet,
    headline=_headline,
    # A start that nobody saw has no time; what went back has more than work in it.
    doubts=doubts(
        "FINISH_WITHOUT_START", "CREATED_BEYOND_FIRST", "CHANGE_AFTER_DONE", "BACKWARD_MOVE", "EQUAL_TIMESTAMPS"
    ),
    choices=(POLICY, CALENDAR),
)

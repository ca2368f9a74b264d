"""Throughput chart: what a project finished and cancelled, bucket by bucket."""

from collections.abc import Sequence
from typing import Final

from analytics.engine.pages.chart import ChartKind, Named, Sheet
from analytics.engine.pages.question import check_drawable
from analytics.flow.admin.question import Question
from analytics.flow.admin.warnings import doubts
from analytics.flow.reading.results import Throughput
from analytics.pictures.columns import Columns, columns_svg, total

FIGURE: Final[Named] = ("throughput", {})


def _found(question: Question) -> Throughput:
    found: Throughput = question.figure(*FIGURE)
    return found


def _picture(question: Question) -> str:
    check_drawable(question.window)
    found = _found(question)
    told = ", ".join(f"{words} {number}" for words, number in _headline(question))
    return columns_svg(
        Columns(
            title=f"Throughput of {question.project.key}: {question.project.name}",
            description=f"{question.in_words()} In all: {told}.",
            zone=question.window.zone,
            edges=question.window.edges,
            finished=found.finished,
            finish_events=found.finish_events,
            cancelled=found.cancelled,
            now=question.visit.now,
        )
    )


def _sheet(question: Question) -> Sheet:
    found, window = _found(question), question.window
    columns = (window.starts, window.ends, window.complete, found.finished, found.finish_events, found.cancelled)
    return Sheet(
        header=["bucket_start", "bucket_end", "complete", "finished", "finish_events", "cancelled"],
        things=list(zip(*columns, strict=True)),
        by_time=True,
    )


def _headline(question: Question) -> Sequence[tuple[str, str]]:
    found = _found(question)
    columns = (("finished", found.finished), ("finish events", found.finish_events), ("cancelled", found.cancelled))
    return [(words, f"{total(counts):,}") for words, counts in columns]


THROUGHPUT: Final = ChartKind[Question](
    slug="throughput",
    title="Throughput",
    sentence="Each item counts once, in the bucket in which it was finished for good. A finish that was undone later "
    "stands upon it, empty; what was cancelled hangs below, and is no finish.",
    figures=lambda visit: [FIGURE],
    picture=_picture,
    sheet=_sheet,
    headline=_headline,
    # A finish that was undone moves to another bucket, or to none.
    doubts=doubts("CHANGE_AFTER_DONE", "FINISH_WITHOUT_START"),
)

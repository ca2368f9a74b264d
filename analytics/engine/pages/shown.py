"""Chart on a page: picture, what to see at once, what to doubt, the numbers, and the proof of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from analytics.engine.pages.chart import ChartKind, Sheet, Warned
from analytics.engine.pages.question import ChartQuestion
from analytics.engine.reading.receipts import Receipt
from analytics.pure.lengths import duration_text
from tasks_app.admin.downloads import Cell

Q = TypeVar("Q", bound=ChartQuestion)
MOST_TABLED: Final = 200
SECONDS: Final = "_seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownChart:
    """All of one chart on a page. `rows` is HTML, of so many of the `count` lines that the file has."""

    kind: ChartKind[Any]
    picture: SafeString
    headline: Sequence[tuple[str, str]]
    warnings: Sequence[Warned]
    header: Sequence[tuple[str, bool]]
    rows: SafeString
    tabled: int
    count: int
    newest_first: bool
    receipt: Receipt


def shown_chart(question: Q, kind: ChartKind[Q]) -> ShownChart:
    """The chart, with its warnings; Refused for a window that no picture can show."""
    # Every text in the picture has been escaped by analytics.pictures.svg.
    picture = mark_safe(kind.picture(question))  # noqa: S308
    # Before the checks: what they read of the ledger is no part of this.
    receipt = question.receipt(kind.figures(question.visit))
    sheet = kind.sheet(question)
    rows = sheet.first_rows(MOST_TABLED)
    return ShownChart(
        kind=kind,
        picture=picture,
        headline=kind.headline(question),
        warnings=kind.doubts(question),
        header=[(_heading(name), _is_number(place, rows)) for place, name in enumerate(sheet.header)],
        rows=_table(question, sheet, rows),
        tabled=len(rows),
        count=len(sheet.things),
        newest_first=sheet.by_time,
        receipt=receipt,
    )


def _heading(name: str) -> str:
    return name.removesuffix(SECONDS).replace("_", " ")


def _is_number(place: int, rows: Sequence[Sequence[Cell]]) -> bool:
    found = next((row[place] for row in rows if row[place] is not None), None)
    return isinstance(found, int | float) and not isinstance(found, bool)


def _table(question: ChartQuestion, sheet: Sheet, rows: Sequence[Sequence[Cell]]) -> SafeString:
    lines = ((_line(question, sheet, row),) for row in rows)
    return format_html_join("\n", "<tr>{}</tr>", lines)


def _line(question: ChartQuestion, sheet: Sheet, row: Sequence[Cell]) -> SafeString:
    return format_html_join("", '<td class="{}">{}</td>', _cells(question, sheet, row))


def _cells(question: ChartQuestion, sheet: Sheet, row: Sequence[Cell]) -> Iterator[tuple[str, Any]]:
    for name, value in zip(sheet.header, row, strict=True):
        if page := sheet.links.get(name):
            yield "key", format_html('<a href="{}">{}</a>', reverse(page, kwargs={"key": value}), value)
        else:
            yield _cell(question, name, value)


def _cell(question: ChartQuestion, name: str, value: Cell) -> tuple[str, str]:
    if value is None:
        return "number", ""
    if isinstance(value, bool):
        return "", "yes" if value else "no"
    if isinstance(value, datetime):
        return "instant", question.local(value)
    if isinstance(value, int | float):
        return "number", _number(name, value)
    return "words", value


def _number(name: str, value: float) -> str:
    if name.endswith(SECONDS):
        return duration_text(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"

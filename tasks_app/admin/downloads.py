"""CSV files for people: streamed, in UTF-8, and with nothing in a cell that a spreadsheet would run."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

Cell = str | int | float | datetime | bool | None
# A spreadsheet takes a text that begins so for a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
ROWS_AT_ONCE = 500


def csv_response(
    *, name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], digest: str | None = None
) -> StreamingHttpResponse:
    """The file, as a download; the header X-Flowledger-Digest carries the `digest`, if there is one.

    `rows` are drawn while it is sent, after the view has returned: those that read the database open a transaction.
    """
    response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.csv") or ""
    if digest is not None:
        response["X-Flowledger-Digest"] = digest
    return response


def instant_text(instant: datetime) -> str:
    """ISO 8601 in UTC, to the microsecond where there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def safe_cell(value: Cell) -> str:
    """The cell's text. A text that a spreadsheet would take for a formula gets an apostrophe; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Echo:
    """A file that hands back what is written to it: csv needs a file, a stream needs the text."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """The file in pieces of some hundred lines, each cell made safe."""
    writer = csv.writer(_Echo())
    waiting = [writer.writerow([safe_cell(name) for name in header])]
    for row in rows:
        waiting.append(writer.writerow([safe_cell(cell) for cell in row]))
        if len(waiting) >= ROWS_AT_ONCE:
            yield "".join(waiting)
            waiting = []
    yield "".join(waiting)

"""Columns of a file: which column is which, whether each value can be read, and the events that rows become."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks_app.imports.events import MOST_BYTES, BadEvents, Events, OnBad, sifted
from tasks_app.imports.reading import Rows
from tasks_app.refusals import Refused

NEEDED = ("case_id", "timestamp", "state")
TAKEN = ("actor", "title", "event_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Where each column stands in a row; those in TAKEN may be missing."""

    width: int
    place: dict[str, int]


def columns_of(*, header: Sequence[str], name: str) -> Columns:
    """The columns that an import needs and takes. Refused when one that it needs is missing."""
    for title in NEEDED:
        if title not in header:
            there = ", ".join(filter(None, header))[:200]
            raise Refused(f"{name}, line 1: the column {title} is missing; the header has {there}.")
    place = {title: header.index(title) for title in (*NEEDED, *TAKEN) if title in header}
    return Columns(width=len(header), place=place)


def events_of(*, rows: Rows, columns: Columns, read_timestamp: Callable[[str], int], on_bad: OnBad) -> Events:
    """The rows as events; `on_bad` hears of those that cannot be read."""
    rows = _of_one_width(rows, columns, on_bad)
    texts = [list(column) for column in zip(*rows.rows, strict=True)] or [[] for _ in range(columns.width)]
    column = {title: texts[index] for title, index in columns.place.items()}
    bad: BadEvents = {}
    for title in (*TAKEN, "state", "case_id"):
        bad |= _unfit(title, column.get(title, []), needed=title in NEEDED)
    instants = _instants(column["timestamp"], read_timestamp, bad)
    events = Events(
        places=rows.lines,
        cases=column["case_id"],
        instants=instants,
        states=column["state"],
        actors=column.get("actor", []),
        titles=column.get("title", []),
        event_ids=column.get("event_id", []),
        rows=rows.rows,
    )
    return sifted(events=events, bad=bad, on_bad=on_bad)


def _of_one_width(rows: Rows, columns: Columns, on_bad: OnBad) -> Rows:
    if set(map(len, rows.rows)) <= {columns.width}:
        return rows
    events = Events(places=rows.lines, cases=[], instants=[], states=[], rows=rows.rows)
    bad = {
        index: (
            "",
            f"the row has {len(row)} values and the header {columns.width}; is a comma or a quotation mark amiss",
        )
        for index, row in enumerate(rows.rows)
        if len(row) != columns.width
    }
    kept = [index for index in range(len(rows.rows)) if index not in bad]
    sifted(events=events, bad=bad, on_bad=on_bad)
    return Rows(lines=[rows.lines[index] for index in kept], rows=[rows.rows[index] for index in kept])


def _unfit(title: str, texts: list[str], *, needed: bool) -> BadEvents:
    """The texts that are too long, or empty where one is needed. Each distinct text is looked at once."""
    distinct = set(texts)
    unfit = {
        text: f"the value is longer than {MOST_BYTES:,} bytes"
        for text in distinct
        if len(text) * 4 > MOST_BYTES and len(text.encode(errors="surrogatepass")) > MOST_BYTES
    }
    if needed:
        unfit |= {text: "the value is empty; every row needs one" for text in distinct if not text.strip()}
    if not unfit:
        return {}
    return {index: (title, unfit[text]) for index, text in enumerate(texts) if text in unfit}


def _instants(texts: list[str], read: Callable[[str], int], bad: BadEvents) -> list[int]:
    """All instants at once; one by one only when one of them cannot be read, which then goes to `bad`."""
    try:
        return list(map(read, texts))
    except ValueError:
        instants: list[int] = []
    for index, text in enumerate(texts):
        try:
            instants.append(read(text))
        except ValueError as error:
            instants.append(0)
            bad[index] = ("timestamp", str(error))
    return instants

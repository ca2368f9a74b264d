"""CSV reading, plain or gzipped, in pieces: whatever the file's size, a piece of it is in memory.

What makes a file unreadable is refused here with the file and the line.
"""

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from tasks_app.refusals import Refused

if TYPE_CHECKING:
    from _csv import Reader

PIECE = 1 << 20
LONGEST_LINE = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of a file, each with the number of the line that it begins on."""

    lines: list[int]
    rows: list[list[str]]


@dataclass(frozen=True, kw_only=True)
class Table:
    """An open file: the header, and the rows below it, which can be read once."""

    name: str
    header: list[str]
    batches: Iterator[Rows]


@contextmanager
def opened(*, path: Path, batch_rows: int) -> Iterator[Table]:
    """The file as a table whose rows come `batch_rows` at a time. Blank lines are left out."""
    name = path.name
    try:
        raw = path.open("rb")
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from None
    with raw:
        zipped = raw.read(2) == GZIP_MAGIC
        if path.suffix == ".gz" and not zipped:
            raise Refused(f"{name} is no gzip file, although its name says so.")
        raw.seek(0)
        with gzip.open(raw) if zipped else raw as stream:
            reader = csv.reader(_lines(stream, name=name), strict=True)
            header = _header(reader, name=name)
            yield Table(name=name, header=header, batches=_batches(reader, name=name, size=batch_rows))


def _header(reader: "Reader", *, name: str) -> list[str]:
    """The names of the columns, as they are compared: in lower case, without spaces around them."""
    try:
        header = [title.strip().lower() for title in next(reader, [])]
    except csv.Error as error:
        raise Refused(f"{name}, line 1: the header is no CSV ({error}).") from None
    if not any(header):
        raise Refused(f"{name}, line 1: the file is empty; it needs a header and rows.")
    for title in header:
        if title and header.count(title) > 1:
            raise Refused(f"{name}, line 1, column {title}: the header names this column twice; rename one of the two.")
    return header


def _batches(reader: "Reader", *, name: str, size: int) -> Iterator[Rows]:
    lines: list[int] = []
    rows: list[list[str]] = []
    begins = reader.line_num + 1
    try:
        for row in reader:
            if row:
                lines.append(begins)
                rows.append(row)
            begins = reader.line_num + 1
            if len(rows) == size:
                yield Rows(lines=lines, rows=rows)
                lines, rows = [], []
    except csv.Error as error:
        raise Refused(f"{name}, line {begins}: the row is no CSV ({error}).") from None
    if rows:
        yield Rows(lines=lines, rows=rows)


def _lines(stream: BinaryIO | gzip.GzipFile, *, name: str) -> Iterator[str]:
    """The file's lines with their ends. Only whole lines are decoded, so no character is ever cut in two."""
    number = 0
    rest = b""
    for piece in _pieces(stream, name=name):
        block = rest + piece
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        for line in _decoded(block[:end], name=name, after=number):
            number += 1
            yield line
        if len(rest) > LONGEST_LINE:
            raise Refused(f"{name}, line {number + 1}: the line is longer than 1 MB; is a quotation mark missing?")
    yield from _decoded(rest, name=name, after=number)


def _decoded(block: bytes, *, name: str, after: int) -> list[str]:
    try:
        text = block.decode()
    except UnicodeDecodeError as error:
        line = after + 1 + block.count(b"\n", 0, error.start)
        raise Refused(f"{name}, line {line}: the text is not UTF-8; save the file as UTF-8.") from None
    if "\x00" in text:
        line = after + 1 + text.count("\n", 0, text.index("\x00"))
        raise Refused(f"{name}, line {line}: there is a NUL character in the text; remove it.")
    lines = text.split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([last] if last else [])


def _pieces(stream: BinaryIO | gzip.GzipFile, *, name: str) -> Iterator[bytes]:
    """The file's bytes without a byte order mark."""
    first = True
    while True:
        try:
            piece = stream.read(PIECE)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise Refused(f"{name} is damaged or cut off: its gzip data does not end as it should.") from None
        if not piece:
            return
        yield piece.removeprefix(BYTE_ORDER_MARK) if first else piece
        first = False

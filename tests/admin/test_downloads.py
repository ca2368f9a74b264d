"""Cells of CSV files."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import cast

import pytest

from tasks_app.admin.downloads import Cell, csv_response, safe_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_would_be_a_formula_is_made_none(start: str) -> None:
    """A spreadsheet runs what begins so."""
    assert safe_cell(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (True, "true"),
        ("a=b", "a=b"),
        ("", ""),
        ("Größe ✓", "Größe ✓"),
        (datetime(2024, 3, 6, 10, tzinfo=timezone(timedelta(hours=1))), "2024-03-06T09:00:00Z"),
        (datetime(2024, 3, 6, 9, 0, 0, 12, tzinfo=UTC), "2024-03-06T09:00:00.000012Z"),
    ],
)
def test_other_values_are_told_as_they_are(value: Cell, expected: str) -> None:
    """Numbers stay numbers, below zero too; instants are ISO 8601 in UTC."""
    assert safe_cell(value) == expected


def test_a_file_is_streamed_in_utf_8_with_its_name_and_digest() -> None:
    """Headers are guarded as cells are; a comma or a quotation mark stays in its cell."""
    rows: list[list[Cell]] = [['say "ö", please', number] for number in range(1000)]
    response = csv_response(name="acme-ledger", header=["=words", "number"], rows=rows, digest="abc")
    assert response.streaming
    chunks = list(cast(Iterable[bytes], response.streaming_content))
    assert len(chunks) == 3
    lines = b"".join(chunks).decode("utf-8").split("\r\n")
    assert lines[:2] == ["'=words,number", '"say ""ö"", please",0']
    assert len(lines) == 1002
    assert response["Content-Disposition"] == 'attachment; filename="acme-ledger.csv"'
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["X-Flowledger-Digest"] == "abc"

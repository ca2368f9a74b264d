"""The board as of any instant."""

import re

import pytest
from django.test import Client

from tests.admin.scene import table, text

COLUMN = re.compile(r"<header><h2>(.*?)</h2><b>(.*?)</b></header>")
DIGEST = re.compile(r"digest <code>(\w{64})</code>")


def columns(page: str) -> dict[str, int]:
    """States that hold tasks, with their counts."""
    return {name: int(count) for name, count in COLUMN.findall(page) if count != "0"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"To do": 1, "Done": 1}),
        ("at=2024-03-05", {"To do": 1}),
        # "As of" is before the instant: what happened at nine is there a second later.
        ("at=2024-03-05+09:00", {"To do": 1}),
        ("at=2024-03-05+09:00:01", {"To do": 1, "Doing": 1}),
        ("at=2024-03-05+14:45:01&timezone=Asia/Kathmandu", {"To do": 1, "Doing": 1}),
        ("at=2024-03-06+12:00", {"To do": 1, "Doing": 1, "Done": 1}),
        ("at=2024-03-08", {"To do": 1, "Done": 1}),
        ("at=2024-03-08&knownAt=2024-03-08", {}),
        ("at=2024-03-01", {}),
    ],
)
def test_as_of_an_instant_as_known_at_another(audrey: Client, query: str, expected: dict[str, int]) -> None:
    """Counts per state; all was recorded long after it happened, so an earlier knowledge is empty."""
    page = text(audrey.get(f"/admin/projects/WEB/board/?{query}"))
    assert columns(page) == expected
    assert f"<strong>{sum(expected.values())}</strong> tasks" in page


def test_the_file_has_the_tasks_of_the_page_and_its_digest(audrey: Client) -> None:
    """One line per task; a title that is a formula is none in the file."""
    query = "at=2024-03-06+12:00"
    file = audrey.get(f"/admin/projects/WEB/board.csv?{query}")
    assert file["X-Flowledger-Digest"] == DIGEST.findall(text(audrey.get(f"/admin/projects/WEB/board/?{query}")))[0]
    rows = table(file)
    assert [(row["task"], row["state"], row["category"], row["title"], row["at"]) for row in rows] == [
        ("WEB-3", "To do", "TODO", "Third", "2024-03-06T12:00:00Z"),
        ("WEB-2", "Doing", "IN_PROGRESS", "'@Second", "2024-03-06T12:00:00Z"),
        ("WEB-1", "Done", "DONE", "'=1+1", "2024-03-06T12:00:00Z"),
    ]


def test_the_question_is_echoed(audrey: Client) -> None:
    """Both instants and the zone, by its clock."""
    page = text(audrey.get("/admin/projects/WEB/board/?at=2024-07-01&timezone=Europe/Stockholm"))
    assert "2024-07-01 00:00:00+02:00" in page
    assert "Europe/Stockholm" in page


def test_a_bad_instant_is_refused_with_the_form(audrey: Client) -> None:
    """One sentence that names the field."""
    answer = audrey.get("/admin/projects/WEB/board/?at=2024-13-01")
    assert answer.status_code == 400
    assert "As of: &#x27;2024-13-01&#x27; is not a time" in text(answer)

"""The cumulative flow diagram: the page, the picture and the file tell the same figures."""

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from django.test import Client

from analytics.engine.rollups.compact import compact
from tests.admin.scene import rename_state, signed_in, table, text
from tests.cast import Cast
from tests.tasks_app.recording import as_owner

WINDOW = "from=2024-03-03&to=2024-03-09&bucket=DAY"
DIGEST = re.compile(r"digest <code>(\w{64})</code>")
STATES = ("todo", "doing", "waiting", "review", "done")


def numbers(client: Client, query: str) -> list[tuple[str, ...]]:
    """Per bucket, the count of each state."""
    rows = table(client.get(f"/admin/projects/WEB/flow.csv?{query}"))
    return [tuple(row[state] for state in STATES) for row in rows]


def test_occupancy(audrey: Client) -> None:
    """Nothing is known of the day before the first fact; then the count at each day's end."""
    assert numbers(audrey, f"{WINDOW}&mode=OCCUPANCY") == [
        ("", "", "", "", ""),
        ("1", "0", "0", "0", "0"),
        ("1", "1", "0", "0", "0"),
        ("1", "1", "0", "0", "1"),
        ("1", "0", "0", "0", "1"),
        ("1", "0", "0", "0", "1"),
    ]


def test_the_flows_of_the_file(audrey: Client) -> None:
    """Arrivals, departures and the window's edges, as instants in UTC."""
    rows = table(audrey.get(f"/admin/projects/WEB/flow.csv?{WINDOW}"))
    assert [(row["arrivals"], row["departures"], row["discarded"]) for row in rows] == [
        ("", "", ""),
        ("1", "0", "0"),
        ("1", "0", "0"),
        ("1", "0", "0"),
        ("0", "1", "1"),
        ("0", "0", "0"),
    ]
    assert (rows[0]["bucket_start"], rows[0]["bucket_end"], rows[0]["complete"]) == (
        "2024-03-03T00:00:00Z",
        "2024-03-04T00:00:00Z",
        "true",
    )


def test_days_are_those_of_the_zone(audrey: Client) -> None:
    """A day in Kathmandu begins at 18:15 UTC."""
    rows = table(audrey.get(f"/admin/projects/WEB/flow.csv?{WINDOW}&timezone=Asia/Kathmandu"))
    assert [row["bucket_start"] for row in rows][:2] == ["2024-03-02T18:15:00Z", "2024-03-03T18:15:00Z"]


@pytest.mark.parametrize("mode", ["OCCUPANCY", "CUMULATIVE"])
def test_page_picture_and_file_have_one_digest(audrey: Client, mode: str) -> None:
    """It is that of the API's answer for the diagram alone."""
    query = f"{WINDOW}&mode={mode}"
    page = text(audrey.get(f"/admin/projects/WEB/flow/?{query}"))
    file = audrey.get(f"/admin/projects/WEB/flow.csv?{query}")
    picture = audrey.get(f"/admin/projects/WEB/flow.svg?{query}")
    asked = (
        '{ analytics(project: "WEB", bucket: DAY, window: {between: {from: "2024-03-03T00:00:00Z", '
        f'to: "2024-03-09T00:00:00Z"}}}}) {{ cumulativeFlow(mode: {mode}) {{ arrivals }} receipt {{ digest }} }} }}'
    )
    answer = audrey.post("/graphql", {"query": asked}, content_type="application/json").json()
    digest = answer["data"]["analytics"]["receipt"]["digest"]
    assert DIGEST.findall(page) == [digest]
    assert [file["X-Flowledger-Digest"], picture["X-Flowledger-Digest"]] == [digest, digest]


def test_the_two_modes_differ_in_their_digest(audrey: Client) -> None:
    """A digest is of figures with their arguments."""
    digests = {
        audrey.get(f"/admin/projects/WEB/flow.csv?{WINDOW}&mode={mode}")["X-Flowledger-Digest"]
        for mode in ("OCCUPANCY", "CUMULATIVE")
    }
    assert len(digests) == 2


def test_the_picture_is_xml_and_says_what_it_shows(audrey: Client) -> None:
    """A title and a description for who cannot see it; no script."""
    answer = audrey.get(f"/admin/projects/WEB/flow.svg?{WINDOW}&mode=OCCUPANCY")
    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    root = ElementTree.fromstring(text(answer))
    name = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{name}title") == "Cumulative flow of WEB: WEB board"
    assert "Last known: To do 1, Doing 0, Waiting 0, Review 0, Done 1." in (root.findtext(f"{name}desc") or "")
    assert not list(root.iter(f"{name}script"))


def test_correction_windows_and_definition_changes_are_listed(people: Cast) -> None:
    """WEB-2 went back on the seventh; a state was renamed today."""
    with as_owner():
        rename_state(people.acme, "review", "Looking")
    client = signed_in(people.audrey)
    page = text(client.get(f"/admin/projects/WEB/flow/?{WINDOW}"))
    assert re.search(
        r">WEB-2</a></td><td class=\"instant\">2024-03-07 09:00:00\+00:00</td><td class=\"instant\">open", page
    )
    assert "Definition changes" not in page
    assert "Definition changes" in text(client.get("/admin/projects/WEB/flow/?from=2024-03-03&bucket=MONTH"))


def test_without_a_window_it_is_the_last_ninety_days(audrey: Client) -> None:
    """Of which the last is running."""
    rows = table(audrey.get("/admin/projects/WEB/flow.csv"))
    assert [row["complete"] for row in rows] == ["true"] * 89 + ["false"]


def test_a_log_of_years_ago_is_one_click_away(audrey: Client) -> None:
    """The page offers the days up to what was recorded last: WEB-3's discard on the seventh."""
    page = text(audrey.get("/admin/projects/WEB/flow/"))
    assert "from=2023-12-09&amp;to=2024-03-08" in page


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("mode=PIE", "Lines: &#x27;PIE&#x27; is none of CUMULATIVE, OCCUPANCY."),
        ("bucket=DECADE", "Bucket: &#x27;DECADE&#x27; is none of AUTO, MINUTE"),
        ("definitions=SOON", "Definitions: &#x27;SOON&#x27; is none of THEN, NOW."),
        ("days=0", "A rolling window counts at least 1 DAY, not 0."),
        ("days=99999999", "Last days: &#x27;99999999&#x27; is not a whole number from 0 to 100,000."),
        ("days=5&from=2024-01-01", "Last days: give either a beginning or the last days, not both."),
        ("to=2024-01-01", "From: a window that has an end needs a beginning"),
        ("from=2024-02-01&to=2024-01-01", "The window must end after it starts"),
        ("from=2024-01-01&to=2024-03-01&bucket=MINUTE", "an answer has at most 50,000"),
        ("from=2024-01-01&to=2024-01-31&bucket=MINUTE", "a picture has at most 2,000"),
    ],
)
def test_a_bad_question_is_refused_with_the_form(audrey: Client, query: str, sentence: str) -> None:
    """One sentence that names the field."""
    answer = audrey.get(f"/admin/projects/WEB/flow/?{query}")
    assert answer.status_code == 400
    assert sentence in text(answer)


def test_a_project_without_history_has_a_diagram(audrey: Client) -> None:
    """Its states are there, with nothing in them, once other projects' facts have left the tail."""
    compact(now=datetime.now(UTC))  # noqa: TID251 - the test is the edge
    answer = audrey.get("/admin/projects/OPS/flow/?days=7")
    assert answer.status_code == 200
    assert "0 ledger rows read" in text(answer)

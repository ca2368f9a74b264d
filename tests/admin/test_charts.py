"""A project's page: five charts, each as picture, table and file, from the figures of the API."""

import re
from collections import Counter
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.flow.admin.charts import KINDS
from analytics.flow.admin.warnings import ANY_CHART, DID, Doubts
from analytics.flow.replay.quality import CHECKS
from tests.admin.scene import table, text

WINDOW = "from=2024-03-03&to=2024-03-09&bucket=DAY"
DIGEST = re.compile(r"digest <code>(\w{64})</code>")
BETWEEN = '{between: {from: "2024-03-03T00:00:00Z", to: "2024-03-09T00:00:00Z"}}'
# The same question to the API, by the slug of the chart.
ASKED = {
    "flow": "cumulativeFlow { arrivals }",
    "throughput": "throughput { finished }",
    "cycle-time": "cycleTime { items }",
    "time-in-state": "timeInState { visits }",
    "aging": "aging(first: 5) { totalCount } cycleTime { items }",
}
SLUGS = [kind.slug for kind in KINDS]


def rows(client: Client, chart: str, query: str = WINDOW) -> list[dict[str, str]]:
    """The lines of the chart's file."""
    return table(client.get(f"/admin/projects/WEB/{chart}.csv?{query}"))


@pytest.mark.parametrize("chart", SLUGS)
def test_page_picture_and_file_have_the_digest_of_the_api(audrey: Client, chart: str) -> None:
    """P4: chart, table and CSV of one query are one answer, that of the API."""
    page = text(audrey.get(f"/admin/projects/WEB/?{WINDOW}"))
    file = audrey.get(f"/admin/projects/WEB/{chart}.csv?{WINDOW}")
    picture = audrey.get(f"/admin/projects/WEB/{chart}.svg?{WINDOW}")
    query = f'{{ analytics(project: "WEB", bucket: DAY, window: {BETWEEN}) {{ {ASKED[chart]} receipt {{ digest }} }} }}'
    answer = audrey.post("/graphql", {"query": query}, content_type="application/json").json()
    digest = answer["data"]["analytics"]["receipt"]["digest"]
    assert DIGEST.findall(page)[SLUGS.index(chart)] == digest
    assert [file["X-Flowledger-Digest"], picture["X-Flowledger-Digest"]] == [digest, digest]
    assert f'filename="acme-WEB-{chart}-{digest[:12]}.csv"' in file["Content-Disposition"]


@pytest.mark.parametrize(
    ("chart", "chosen", "figure"),
    [
        ("flow", "mode=OCCUPANCY", "cumulativeFlow(mode: OCCUPANCY) { arrivals }"),
        (
            "cycle-time",
            "policy=ERASE_BACKFLOW&calendar=WORKING",
            "cycleTime(policy: ERASE_BACKFLOW, calendar: WORKING) { items }",
        ),
        ("time-in-state", "clip=FULL", "timeInState(clip: FULL) { visits }"),
        ("aging", "policy=ERASE_BACKFLOW", "aging(first: 5) { totalCount } cycleTime { items }"),
    ],
)
def test_every_choice_of_the_form_is_one_of_the_api(audrey: Client, chart: str, chosen: str, figure: str) -> None:
    """P4: with a zone, definitions and an instant of knowledge of its own, too."""
    start, end = '"2024-03-02T18:15:00Z"', '"2024-03-08T18:15:00Z"'
    known = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: TID251 - what was recorded is of the real clock
    file = audrey.get(
        f"/admin/projects/WEB/{chart}.csv?{WINDOW}&{chosen}&timezone=Asia/Kathmandu&definitions=NOW&knownAt={known}"
    )
    asked = (
        f'project: "WEB", bucket: DAY, window: {{between: {{from: {start}, to: {end}}}}}, timezone: "Asia/Kathmandu", '
        f'definitionAsOf: NOW, knownAt: "{known}"'
    )
    query = f"{{ analytics({asked}) {{ {figure} receipt {{ digest }} }} }}"
    answer = audrey.post("/graphql", {"query": query}, content_type="application/json").json()
    assert file["X-Flowledger-Digest"] == answer["data"]["analytics"]["receipt"]["digest"]
    # At the window's end nothing is in progress; all else has lines.
    assert bool(table(file)) is (chart != "aging")


@pytest.mark.parametrize("chart", SLUGS)
def test_the_table_of_the_page_has_the_lines_of_the_file(audrey: Client, chart: str) -> None:
    """P4: none is left out, whatever the window is."""
    page = text(audrey.get(f"/admin/projects/WEB/?{WINDOW}"))
    section = page.split(f'<section class="figure" id="{chart}"')[1].split("</section>")[0]
    body = section.split("<tbody>")[1]
    assert body.count("<tr>") == len(rows(audrey, chart))
    header = re.findall(r"<th [^>]*>([^<]*)</th>", section)
    file = audrey.get(f"/admin/projects/WEB/{chart}.csv?{WINDOW}")
    assert header == [
        name.removesuffix("_seconds").replace("_", " ") for name in text(file).split("\r\n")[0].split(",")
    ]


def test_throughput(audrey: Client) -> None:
    """WEB-1 was finished on the sixth; nothing is known of the third."""
    found = [(row["finished"], row["finish_events"], row["cancelled"]) for row in rows(audrey, "throughput")]
    assert found == [("", "", ""), *[("0", "0", "0")] * 2, ("1", "1", "0"), *[("0", "0", "0")] * 2]


def test_cycle_times(audrey: Client) -> None:
    """WEB-1 was in progress for a day; it is every percentile."""
    (row,) = rows(audrey, "cycle-time")
    assert (row["task"], row["started_at"], row["finished_at"]) == (
        "WEB-1",
        "2024-03-05T09:00:00Z",
        "2024-03-06T09:00:00Z",
    )
    assert [row[name] for name in ("cycle_seconds", "days", "episodes", "p50_seconds", "p95_seconds")] == [
        "86400.0",
        "2",
        "1",
        "86400.0",
        "86400.0",
    ]


def test_time_in_state(audrey: Client) -> None:
    """Two visits to doing of a day each; WEB-2 is in todo since the seventh, WEB-3 was there for a day."""
    found = {row["state_slug"]: row for row in rows(audrey, "time-in-state")}
    doing, todo, waiting = found["doing"], found["todo"], found["waiting"]
    assert (doing["visits"], doing["total_seconds"], doing["ongoing_visits"]) == ("2", "172800.0", "0")
    assert (todo["visits"], todo["ongoing_visits"], todo["ongoing_seconds"]) == ("3", "1", str(39 * 3600.0))
    assert (waiting["waiting"], waiting["visits"], waiting["p50_seconds"]) == ("true", "0", "")


def test_aging_compares_with_what_was_finished(audrey: Client) -> None:
    """At the end of the sixth WEB-2 is in progress for half a day; WEB-1 took a whole one."""
    (row,) = rows(audrey, "aging", "from=2024-03-03&to=2024-03-07T00:00")
    assert (row["task"], row["state_slug"], row["age_seconds"], row["percentile"]) == (
        "WEB-2",
        "doing",
        "54000.0",
        "0.0",
    )
    assert row["p85_seconds"] == "86400.0"
    assert rows(audrey, "aging") == []


@pytest.mark.parametrize("chart", SLUGS)
def test_pictures_are_xml_and_say_what_they_show(audrey: Client, chart: str) -> None:
    """A title and a description for who cannot see them; no script."""
    answer = audrey.get(f"/admin/projects/WEB/{chart}.svg?{WINDOW}")
    assert answer["Content-Type"] == "image/svg+xml; charset=utf-8"
    root = ElementTree.fromstring(text(answer))
    name = "{http://www.w3.org/2000/svg}"
    assert "WEB: WEB board" in (root.findtext(f"{name}title") or "")
    assert "2024-03-03 00:00:00+00:00" in (root.findtext(f"{name}desc") or "")
    assert not list(root.iter(f"{name}script"))


def test_ids_of_the_page_are_given_once(audrey: Client) -> None:
    """Five pictures stand on it, each with a title that is referred to."""
    ids = re.findall(r'\bid="([^"]+)"', text(audrey.get(f"/admin/projects/WEB/?{WINDOW}")))
    assert len(ids) == len(set(ids))


def test_what_the_data_lacks_stands_beside_the_charts_it_touches(audrey: Client) -> None:
    """WEB-2 moved back; WEB-1 skipped two states on its way to done. Neither changes what was finished."""
    page = text(audrey.get(f"/admin/projects/WEB/?{WINDOW}"))
    found = {
        slug: re.sub(r"<[^>]+>", "", page.split(f'id="{slug}"')[1].split("</section>")[0].split("<details")[0])
        for slug in SLUGS
    }
    assert [slug for slug in SLUGS if "1 item moved back: WEB-2" in found[slug]] == [
        "flow",
        "cycle-time",
        "time-in-state",
        "aging",
    ]
    assert [slug for slug in SLUGS if "1 item skipped a state: WEB-1" in found[slug]] == ["flow", "time-in-state"]


def test_every_check_touches_a_chart_and_has_words() -> None:
    """A check that is added must be put beside what it makes doubtful."""
    codes = {check.code for check in CHECKS}
    touching = [kind.doubts.codes for kind in KINDS if isinstance(kind.doubts, Doubts)]
    assert len(touching) == len(KINDS)
    assert set(DID) == codes == {code for each in touching for code in each}
    assert all(set(ANY_CHART) <= set(each) for each in touching)


def test_a_project_without_an_item_says_what_to_do(audrey: Client) -> None:
    """No chart of nothing."""
    page = text(audrey.get("/admin/projects/OPS/"))
    assert "Nothing has happened in this project yet" in page
    assert "import_transitions log.csv --tenant acme --project OPS" in page
    assert "figure" not in page


def test_a_log_of_years_ago_is_one_click_away(audrey: Client) -> None:
    """The page says that it lies before the usual window."""
    page = text(audrey.get("/admin/projects/WEB/"))
    assert "recorded last happened on 2024-03-07, before this window" in page
    assert "from=2023-12-09&amp;to=2024-03-08" in page
    assert "before this window" not in text(audrey.get(f"/admin/projects/WEB/?{WINDOW}"))


def test_the_form_keeps_what_was_asked(audrey: Client) -> None:
    """And the links to files ask the same."""
    page = text(audrey.get(f"/admin/projects/WEB/?{WINDOW}&policy=SUM_OF_EPISODES&clip=FULL&mode=OCCUPANCY"))
    for value in ("SUM_OF_EPISODES", "FULL", "OCCUPANCY", "DAY"):
        assert f'<option value="{value}" selected>' in page
    assert "/admin/projects/WEB/cycle-time.csv?from=2024-03-03&amp;to=2024-03-09" in page
    assert "local time of UTC" in page


@pytest.mark.parametrize("query", ["from=2024-03-06&to=2024-03-07", "from=2024-03-06T08:59&to=2024-03-06T09:01"])
def test_a_window_of_one_bucket_is_drawn(audrey: Client, query: str) -> None:
    page = audrey.get(f"/admin/projects/WEB/?{query}&bucket=DAY")
    assert page.status_code == 200
    assert text(page).count('<section class="figure"') == len(SLUGS)
    assert "1 bucket of one day" in text(page)


def test_the_charts_of_a_page_share_what_they_read(audrey: Client) -> None:
    """No statement is run twice, though percentiles, checks and movements are in more than one chart."""
    address = f"/admin/projects/WEB/?{WINDOW}"
    audrey.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert audrey.get(address).status_code == 200
    named = Counter(each["sql"] for each in captured if each["sql"].startswith("/* "))
    assert named
    assert max(named.values()) == 1
    assert len(captured) <= 40


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("policy=PIE", "Cycle time: &#x27;PIE&#x27; is none of FIRST_START_LAST_FINISH"),
        ("clip=HALF", "Time in state: &#x27;HALF&#x27; is none of CLIP, FULL."),
        ("timezone=Mars/Base", "Mars/Base"),
        ("from=2024-01-01&to=2024-01-31&bucket=MINUTE", "a picture has at most 2,000"),
    ],
)
def test_a_bad_question_is_refused_with_the_form(audrey: Client, query: str, sentence: str) -> None:
    """One sentence that names the field."""
    answer = audrey.get(f"/admin/projects/WEB/?{query}")
    assert answer.status_code == 400
    assert sentence in text(answer)


def test_waiting_states_stand_apart(audrey: Client) -> None:
    """Under a heading of their own, before what is worked on."""
    picture = text(audrey.get(f"/admin/projects/WEB/time-in-state.svg?{WINDOW}"))
    order = [picture.index(f">{words}<") for words in ("Waiting", "In progress", "Doing", "To do", "Done")]
    assert order[0] < order[1] < order[2]

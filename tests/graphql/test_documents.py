"""The shipped documents: by id over GraphQL, and as plain endpoints in JSON and CSV."""

import csv
import io
import json
from typing import Any

import pytest
from graphql import parse, validate

from analytics.engine.documents.document import Document
from analytics.engine.documents.tables import Table
from analytics.engine.wing import Wing
from analytics.graphql.documents.catalogue import DOCUMENTS, documents_of
from analytics.graphql.documents.parameters import meaning, parameter_names
from config.schema import schema
from tasks_app.models import Scope
from tests.cast import Cast, cast
from tests.graphql.client import Asker, new_key, with_key, with_session
from tests.graphql.proofs import board_of_march, late_move

pytestmark = pytest.mark.django_db(transaction=True)

MARCH = {"project": "WEB", "from": "2026-03-01T00:00:00Z", "to": "2026-03-10T00:00:00Z", "bucket": "DAY"}
# What a document cannot do without, beside the window.
NEEDED = {"forecast": {"items": "3", "seed": "1"}, "drilldown": {"metric": "FINISHED"}}
# Of which no figure is in a digest.
UNPROVEN = ("activity", "job", "drilldown")
WITHOUT_WINDOW = {"activity": {}, "job": {"id": "none"}}
# Of three tasks nothing can be foretold, nobody validated any, and there is no job.
EMPTY = ("forecast", "validation", "job")


@pytest.fixture
def people(db: Any) -> Cast:
    found = cast()
    board_of_march(found)
    return found


@pytest.fixture
def key(people: Cast) -> Asker:
    return with_key(new_key(tenant_id=people.acme.tenant.id))


def get(asker: Asker, name: str, *, accept: str | None = None, **parameters: str) -> Any:
    """The HTTP response."""
    headers = {**asker.headers, **({"Accept": accept} if accept else {})}
    return asker.client.get(f"/api/v2/analytics/{name}", parameters, headers=headers)


def of_march(name: str) -> dict[str, str]:
    """The parameters of a document's question about March."""
    return WITHOUT_WINDOW.get(name) or {**({} if name in WITHOUT_WINDOW else MARCH), **NEEDED.get(name, {})}


def table(response: Any) -> list[dict[str, str]]:
    """The rows of a CSV answer, by the header's names."""
    assert response["Content-Type"] == "text/csv; charset=utf-8", response.content
    return list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode())))


def refusal(response: Any) -> tuple[int, str, str]:
    """Status, code and message of the only error."""
    (error,) = json.loads(response.content)["errors"]
    return response.status_code, error["extensions"]["code"], error["message"]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_document_is_valid_and_explained(name: str) -> None:
    document = DOCUMENTS[name]
    assert validate(schema._schema, parse(document.text)) == []
    assert document.text.startswith("# ")
    assert document.sentence.endswith(".")
    assert [each for each in parameter_names(document) if not meaning(document, each).endswith((".", "?"))] == []


def test_the_pages_inside_a_jobs_answer_are_none_of_the_documents() -> None:
    """The answer of a job may be of any shape: only what the document selects is looked for."""
    answer = {"data": {"tasks": {"pageInfo": {"hasNextPage": True, "endCursor": "x"}}, "receipt": {"digest": "0"}}}
    data = {"analyticsJob": {"result": answer}}
    assert DOCUMENTS["job"].object_with("pageInfo", data) is None
    assert DOCUMENTS["job"].object_with("receipt", data) is None
    page = {"totalCount": 0, "pageInfo": {}, "edges": []}
    assert DOCUMENTS["aging"].object_with("pageInfo", {"analytics": {"aging": page}}) is page
    assert DOCUMENTS["aging"].object_with("pageInfo", {"analytics": None}) is None


def test_a_document_that_cannot_be_served_is_refused_at_start() -> None:
    """P4: its sentence, the meaning of each parameter, and a name of its own."""

    def wing(*documents: Document) -> Wing:
        return Wing(name="shop", families=(), documents=documents)

    def sold(text: str = "# What was sold.\nquery Sold($shelf: String) { __typename }", **given: Any) -> Document:
        return Document(name="sold", text=text, table=lambda data: Table(header=[], rows=[]), **given)

    explained = sold(meanings={"shelf": "The number of a shelf."})
    assert list(documents_of([wing(explained)])) == ["job", "sold"]
    with pytest.raises(ValueError, match="The document 'sold' does not say what 'shelf' means; add it to its meanings"):
        documents_of([wing(sold())])
    with pytest.raises(ValueError, match="There are two documents of the name 'sold'; give one of them another name"):
        documents_of([wing(explained, explained)])
    with pytest.raises(ValueError, match="The document 'sold' does not begin with its sentence"):
        sold("query Sold { __typename }")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_json_csv_and_graphql_have_the_same_figures(key: Asker, name: str) -> None:
    """P4, P40: one digest for all of them; the CSV has a row for each bucket, state, item or event."""
    found = get(key, name, **of_march(name))
    assert found.status_code == 200, found.content
    asked = {"window": {"between": {"from": MARCH["from"], "to": MARCH["to"]}}, "project": "WEB", "bucket": "DAY"}
    of_window = {**asked, **{k: int(v) if v.isdecimal() else v for k, v in NEEDED.get(name, {}).items()}}
    variables = WITHOUT_WINDOW.get(name, of_window)
    content = json.dumps({"documentId": DOCUMENTS[name].id, "variables": variables})
    posted = key.client.post("/graphql", data=content, content_type="application/json", headers=key.headers).json()
    assert posted.get("errors") is None, posted
    text = get(key, name, accept="text/csv", **of_march(name))
    assert table(text) or name in EMPTY
    if name not in UNPROVEN:
        digest = found.json()["data"]["analytics"]["receipt"]["digest"]
        assert posted["data"]["analytics"]["receipt"]["digest"] == digest == text["X-Flowledger-Digest"]


def test_the_diagram_as_a_table(key: Asker) -> None:
    """A column for each state; null is an empty cell."""
    rows = table(get(key, "cumulative-flow", format="csv", mode="OCCUPANCY", **MARCH))
    assert [row["start"] for row in rows][:2] == ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"]
    assert [row["workInProgress"] for row in rows] == ["", "0", "1", "2", "1", "1", "2", "1", "1"]
    assert [row["doing"] for row in rows] == [row["workInProgress"] for row in rows]


def test_a_number_is_drilled_into(key: Asker) -> None:
    """P40: as many rows as the number says, each with its ledger row."""
    counts = {row["start"]: row["arrivals"] for row in table(get(key, "cumulative-flow", format="csv", **MARCH))}
    for start, count in counts.items():
        if count:
            asked = {"metric": "ARRIVALS", "bucketStart": start, "format": "csv"}
            rows = table(get(key, "drilldown", **asked, **MARCH))
            assert (len(rows), all(row["ledgerId"] for row in rows)) == (int(count), True), start
    refused = get(key, "drilldown", metric="ARRIVALS", bucketStart="2026-03-02T01:00:00Z", **MARCH)
    assert refusal(refused)[:2] == (400, "BAD_USER_INPUT")


def test_a_summary_is_eight_figures(key: Asker) -> None:
    rows = {row["figure"]: row["value"] for row in table(get(key, "summary", format="csv", **MARCH))}
    assert {name.partition(".")[0] for name in rows} == {
        *("workInProgress", "throughput", "cycleTime", "leadTime"),
        *("flowEfficiency", "churn", "bottlenecks", "aging"),
    }
    assert (rows["workInProgress"], rows["throughput.finished"], rows["aging.items"]) == ("1", "1", "1")


def test_figures_that_a_caller_has_are_not_sent_again(people: Cast, key: Asker) -> None:
    """The ETag stays while the figures do, in each format; a late fact changes it."""
    first = get(key, "throughput", **MARCH)
    assert first["Cache-Control"] == "private, max-age=0, must-revalidate"
    key.headers["If-None-Match"] = first["ETag"]
    again = get(key, "throughput", **MARCH)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert get(key, "throughput", format="csv", **MARCH).status_code == 200
    late_move(people, "WEB-2", to="done")
    changed = get(key, "throughput", **MARCH)
    assert (changed.status_code, changed["ETag"] == first["ETag"]) == (200, False)


def test_a_running_window_is_not_kept(key: Asker) -> None:
    assert get(key, "throughput", project="WEB", rolling="30d")["Cache-Control"] == "private, no-cache"


def test_long_lists_go_on(key: Asker) -> None:
    """The link names the next page, with the same question."""
    first = get(key, "activity", format="csv", first="2", project="WEB")
    rows, link = table(first), first["Link"]
    assert link.endswith('>; rel="next"')
    following = key.client.get(link[1 : link.index(">")], headers=key.headers)
    positions = [int(row["position"]) for row in rows + table(following)]
    assert len(positions) == 4
    assert positions == sorted(positions, reverse=True)


def test_what_there_is_is_listed(key: Asker) -> None:
    found = key.client.get("/api/v2/analytics", headers=key.headers).json()["documents"]
    assert [each["name"] for each in found] == list(DOCUMENTS)
    summary = next(each for each in found if each["name"] == "summary")
    assert summary["url"] == "/api/v2/analytics/summary"
    assert {each["name"] for each in summary["parameters"]} >= {
        "rolling",
        "from",
        "to",
        "project",
        "assignee",
        "format",
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "window: give `rolling`, such as rolling=30d, or both `from` and `to`."),
        ({"rolling": "30"}, "rolling: '30' is no window; write 90min, 24h, 30d, 12w, 6mo or 4q."),
        (
            {"rolling": "30d", "from": MARCH["from"]},
            "window: give `rolling`, such as rolling=30d, or both `from` and `to`.",
        ),
        ({"rolling": "0d"}, "window.rolling.count: A rolling window counts at least 1 DAY, not 0."),
        ({"rolling": "30d", "clip": "NO"}, "'$clip' has invalid value: Value 'NO' does not exist"),
        ({"rolling": "30d", "days": "3"}, "days: time-in-state has no such parameter; it has project, "),
        ({"rolling": "30d", "filter": "[]"}, "filter: it must be a JSON object such as "),
        ({"rolling": "30d", "timezone": "Mars/Olympus"}, "timezone: "),
        ({"rolling": "30d", "format": "xml"}, "format: 'xml' is not served; write json or csv."),
        ({"rolling": "30d", "project": "WEB\0"}, "project: there is a NUL character in it; leave it out."),
    ],
)
def test_what_is_wrong_is_named(key: Asker, parameters: dict[str, str], message: str) -> None:
    status, code, found = refusal(get(key, "time-in-state", **parameters))
    assert (status, code) == (400, "BAD_USER_INPUT")
    assert message in found


def test_parameters_that_are_there_twice(key: Asker) -> None:
    response = key.client.get("/api/v2/analytics/summary?rolling=30d&rolling=2d", headers=key.headers)
    assert refusal(response) == (400, "BAD_USER_INPUT", "rolling: it is there 2 times; give it once.")


def test_who_may_ask(people: Cast, key: Asker) -> None:
    """As over GraphQL: a key, or a session without any token, for nothing is changed; nobody without one."""
    assert refusal(get(Asker(), "summary", **MARCH))[:2] == (401, "UNAUTHENTICATED")
    assert refusal(Asker().client.get("/api/v2/analytics"))[:2] == (401, "UNAUTHENTICATED")
    narrow = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=[Scope.TASKS_READ]))
    assert refusal(get(narrow, "summary", **MARCH))[:2] == (403, "FORBIDDEN")
    assert get(with_session(people.bob.user), "summary", **MARCH).status_code == 200
    foreign = {**MARCH, "project": "GLOBE"}
    assert refusal(get(key, "summary", **foreign))[:2] == (404, "NOT_FOUND")


def test_a_document_that_is_not_there(key: Asker) -> None:
    status, code, message = refusal(get(key, "nothing"))
    assert (status, code) == (404, "NOT_FOUND")
    assert message.startswith("There is no document 'nothing'; GET /api/v2/analytics lists them: activity, aging")
    content = json.dumps({"documentId": "sha256:00"})
    posted = key.client.post("/graphql", data=content, content_type="application/json", headers=key.headers)
    assert refusal(posted)[:2] == (404, "NOT_FOUND")
    assert refusal(key.client.post("/api/v2/analytics/summary", headers=key.headers))[0] == 405

"""The ledger's pages and its file: all rows, as sentences, page by page at the same cost."""

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analytics.flow.admin import ledger as pages
from analytics.flow.admin import lines
from tests.admin.scene import ledger_size, rename_state, scene, signed_in, table, text
from tests.cast import Cast, tasks
from tests.tasks_app.recording import as_owner, sql

POSITION = re.compile(r'title="Position (\d+):')
OLDER = re.compile(r'href="([^"]*older=\d+[^"]*)">Older')
NEWER = re.compile(r'href="([^"]*newer=\d+[^"]*)">\u2039 Newer')


def positions(page: str) -> list[int]:
    """The rows of a page, as it shows them."""
    return [int(number) for number in POSITION.findall(page)]


def sentences(client: Client, query: str) -> list[str]:
    """What the file says for that query, newest recording first."""
    return [line["sentence"] for line in table(client.get(f"/admin/ledger.csv?{query}"))]


def follow(client: Client, link: re.Pattern[str], path: str) -> Iterator[list[int]]:
    """The pages from that one on, by their links."""
    while True:
        page = text(client.get(path))
        yield positions(page)
        found = link.search(page)
        if found is None:
            return
        path = "/admin/ledger/" + found[1].replace("&amp;", "&")


def test_every_row_of_both_ledgers_is_there(people: Cast, audrey: Client) -> None:
    """P44: what no web request made, such as a definition or a change by SQL, is shown like all else."""
    rows = table(audrey.get("/admin/ledger.csv"))
    with as_owner():
        size = ledger_size(people.acme)
    assert len(rows) == size
    assert len({row["position"] for row in rows}) == size
    assert {row["kind"] for row in rows} == {"DEFINED", "CREATED", "MOVED", "DISCARDED", "RENAMED"}
    assert f"<strong>{size}</strong> match" in text(audrey.get("/admin/ledger/?count=1"))


def test_rows_are_sentences_with_old_and_new(audrey: Client) -> None:
    """The words of the activity feed, newest recording first."""
    assert sentences(audrey, "project=WEB&kind=MOVED") == [
        "Alice moved WEB-2 from Doing to To do",
        "Alice moved WEB-2 from To do to Doing",
        "Alice moved WEB-1 from Doing to Done",
        "Alice moved WEB-1 from To do to Doing",
    ]
    moved = table(audrey.get("/admin/ledger.csv?project=WEB&kind=MOVED"))[2]
    assert {
        name: moved[name] for name in ("task", "project", "fields", "old", "new", "happened_at", "actor", "actor_kind")
    } == {
        "task": "WEB-1",
        "project": "WEB",
        "fields": "state",
        "old": "Doing",
        "new": "Done",
        "happened_at": "2024-03-06T09:00:00Z",
        "actor": "Alice",
        "actor_kind": "USER",
    }
    assert float(moved["seconds_in_from_state"]) == 86_400
    page = text(audrey.get("/admin/ledger/?project=WEB&kind=MOVED"))
    assert "<del>Doing</del> → <ins>Done</ins>" in page
    assert "2024-03-06 09:00:00+00:00" in page


def test_a_note_and_a_rename_are_told(audrey: Client) -> None:
    """Words of people come from their erasable tables."""
    discarded = table(audrey.get("/admin/ledger.csv?kind=DISCARDED"))
    assert [(row["fields"], row["old"], row["new"]) for row in discarded] == [
        ("state; note", "To do; ", "; a duplicate")
    ]
    assert sentences(audrey, "kind=RENAMED") == ["Alice renamed WEB-2 from “Second” to “@Second”"]


def test_a_change_of_definition_is_told(people: Cast) -> None:
    """A renamed state is a row with the old name and the new one, its actor the login that did it."""
    with as_owner():
        rename_state(people.acme, "doing", "At work")
    newest = table(signed_in(people.audrey).get("/admin/ledger.csv?kind=DEFINED"))[0]
    assert (newest["fields"], newest["old"], newest["new"], newest["task"]) == ("name", "Doing", "At work", "")
    assert newest["actor_kind"] == "SQL"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("task=WEB-1", 3),
        ("task=WEB-2", 4),
        ("project=OPS&kind=CREATED", 0),
        ("kind=CREATED", 3),
        ("actor=alice&kind=MOVED", 4),
        ("kind=MOVED&from=2024-03-06&to=2024-03-07", 2),
        ("kind=MOVED&from=2024-03-06T09:00&to=2024-03-06T09:00:01", 2),
        ("kind=MOVED&from=2024-03-06T10:00%2B01:00&to=2024-03-06T09:00", 0),
        # Midnight in Kathmandu is 18:15 of the day before in UTC.
        ("kind=MOVED&timezone=Asia/Kathmandu&from=2024-03-05+14:45&to=2024-03-05+14:46", 1),
    ],
)
def test_filters(audrey: Client, query: str, count: int) -> None:
    """Task, project, actor, kind and half-open time ranges by happened_at, in the zone that is asked for."""
    assert len(sentences(audrey, query)) == count
    assert len(positions(text(audrey.get(f"/admin/ledger/?{query}")))) == count


def test_an_operation_is_shown_whole(audrey: Client) -> None:
    """P43: the correlation id finds all rows of one operation and no others."""
    rows = table(audrey.get("/admin/ledger.csv?kind=CREATED"))
    operation = rows[0]["correlation_id"]
    expected = [row["position"] for row in table(audrey.get("/admin/ledger.csv")) if row["correlation_id"] == operation]
    assert [row["position"] for row in table(audrey.get(f"/admin/ledger.csv?correlation={operation}"))] == expected


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("kind=FLOWN", "Kind: there is no kind &#x27;FLOWN&#x27;; the kinds are CREATED, MOVED"),
        ("from=yesterday", "Happened from: &#x27;yesterday&#x27; is not a time; give one such as 2026-05-03"),
        ("to=0016-01-01", "Happened before: give a time in the years 1900 to 2200."),
        ("from=9999-12-31T23:59:59-12:00", "Happened from: give a time in the years 1900 to 2200."),
        ("correlation=-1", "Operation: &#x27;-1&#x27; is not a whole number from 0 to"),
        ("correlation=99999999999999999999", "is not a whole number from 0 to"),
        ("older=x", "Older than: &#x27;x&#x27; is not a whole number"),
        ("timezone=Mars/Base", "The time zone &#x27;Mars/Base&#x27; is not known"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(audrey: Client, query: str, sentence: str) -> None:
    """The form comes back as it was sent, with one sentence; so does the file's address."""
    answer = audrey.get(f"/admin/ledger/?{query}")
    assert answer.status_code == 400
    assert sentence in text(answer)
    if not query.startswith("older"):
        assert audrey.get(f"/admin/ledger.csv?{query}").status_code == 400


def test_an_actor_whose_name_another_has_is_named_by_number(people: Cast) -> None:
    """Both numbers are told; with its number the actor is found."""
    with as_owner():
        sql("INSERT INTO actor (tenant_id, kind, name) VALUES (%s, 'IMPORT', 'Alice')", [people.acme.tenant.id])
    client = signed_in(people.audrey)
    refused = client.get("/admin/ledger/?actor=Alice")
    assert refused.status_code == 400
    assert f"#{people.alice.actor.id} (USER)" in text(refused)
    assert len(sentences(client, f"actor=%23{people.alice.actor.id}&kind=MOVED")) == 4


def test_pages_follow_each_other_without_gap_or_repeat(audrey: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """By position, from the newest to the oldest and back; no page is counted."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 4)
    everything = [int(row["position"]) for row in table(audrey.get("/admin/ledger.csv"))]
    with CaptureQueriesContext(connection) as captured:
        forth = list(follow(audrey, OLDER, "/admin/ledger/"))
        back = list(follow(audrey, NEWER, "/admin/ledger/?newer=0"))
    assert [seq for page in forth for seq in page] == everything
    assert [seq for page in reversed(back) for seq in page] == everything
    assert {len(page) for page in forth[:-1]} == {4}
    assert not [query["sql"] for query in captured if "count_feed" in query["sql"]]


def test_a_page_asks_the_database_as_often_for_many_rows_as_for_few(people: Cast) -> None:
    """P45: a constant number of statements."""
    client = signed_in(people.audrey)
    client.get("/admin/ledger/")
    with CaptureQueriesContext(connection) as few:
        assert len(positions(text(client.get("/admin/ledger/?kind=CREATED")))) == 3
    with as_owner():
        tasks(board=people.acme.board, count=150)
    with CaptureQueriesContext(connection) as many:
        assert len(positions(text(client.get("/admin/ledger/?kind=CREATED")))) == 100
    assert len(many) == len(few)


def test_a_file_is_read_in_pages(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than are read at once come whole, each once."""
    whole = table(signed_in(people.audrey).get("/admin/ledger.csv"))
    monkeypatch.setattr(lines, "ROWS_AT_ONCE", 5)
    assert table(signed_in(people.audrey).get("/admin/ledger.csv")) == whole


def test_an_empty_ledger_has_a_page(db: None) -> None:
    """A page without rows, and a file with its header alone."""
    people = scene()
    client = signed_in(people.audrey)
    page = text(client.get("/admin/ledger/?kind=TRANSFERRED"))
    assert "No rows match." in page
    assert OLDER.search(page) is None
    assert text(client.get("/admin/ledger.csv?kind=TRANSFERRED")).count("\r\n") == 1

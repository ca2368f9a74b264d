"""One task's page: its stays and every row about it."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.admin.scene import at, signed_in, table, text
from tests.cast import Cast
from tests.tasks_app.recording import as_owner, sql


def test_stays_have_their_durations(audrey: Client) -> None:
    """By the clock of the zone that is asked for; the last stay goes on."""
    page = text(audrey.get("/admin/tasks/WEB-2/?timezone=Asia/Kathmandu"))
    for cell in (
        "2024-03-05 14:45:00+05:45",
        "2024-03-06 14:45:00+05:45",
        "2024-03-07 14:45:00+05:45",
        ">1 d<",
        "still there",
    ):
        assert cell in page, cell
    assert page.count(">1 d<") == 2


def test_the_file_has_every_row_in_the_order_of_happening(audrey: Client) -> None:
    """State changes and others alike."""
    rows = table(audrey.get("/admin/tasks/WEB-2.csv"))
    assert [(row["kind"], row["old"], row["new"]) for row in rows] == [
        ("CREATED", "", "To do"),
        ("MOVED", "To do", "Doing"),
        ("MOVED", "Doing", "To do"),
        ("RENAMED", "Second", "'@Second"),
    ]
    assert rows[1]["happened_at"] == f"{at(6):%Y-%m-%dT%H:%M:%S}Z"


def test_a_discarded_task_keeps_its_page(audrey: Client) -> None:
    """Its last stay is off the board."""
    page = text(audrey.get("/admin/tasks/WEB-3/"))
    assert "off the board" in page
    assert "a duplicate" in page


def test_a_task_whose_row_sql_deleted_keeps_its_page(people: Cast) -> None:
    """P46: deleted rows stay reachable by their key."""
    with as_owner():
        sql("DELETE FROM task WHERE tenant_id = %s AND key = 'WEB-1'", [people.acme.tenant.id])
    client = signed_in(people.audrey)
    page = text(client.get("/admin/tasks/WEB-1/"))
    assert "Its row was deleted by SQL" in page
    kinds = [row["kind"] for row in table(client.get("/admin/tasks/WEB-1.csv"))]
    assert kinds == ["CREATED", "MOVED", "MOVED", "DISCARDED"]
    assert len(table(client.get("/admin/ledger.csv?task=WEB-1"))) == 4


def test_the_page_asks_the_database_as_often_for_a_long_history_as_for_a_short_one(people: Cast) -> None:
    """P45: whatever the number of rows."""
    client = signed_in(people.audrey)
    client.get("/admin/")
    with CaptureQueriesContext(connection) as short:
        client.get("/admin/tasks/WEB-1/")
    with as_owner():
        for state in ("doing", "waiting") * 20:
            values = [people.acme.board.states[state].id, people.acme.tenant.id]
            sql("UPDATE task SET state_id = %s WHERE tenant_id = %s AND key = 'WEB-1'", values)
    with CaptureQueriesContext(connection) as long:
        page = text(client.get("/admin/tasks/WEB-1/"))
    assert page.count('title="Position') == 43
    assert len(long) == len(short)

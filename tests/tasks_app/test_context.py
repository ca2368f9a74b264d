"""`entered`: one round trip into a tenant, nothing left behind, and loud where a tenant was forgotten."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tasks_app.models import Task
from tasks_app.tenancy import ContextRefused, DatabaseRole, entered
from tests.cast import Cast, cast, tasks
from tests.tasks_app.recording import facts_since, mark, refused, sql
from tests.tasks_app.test_concurrent_changes import own_connection

READ_CONTEXT = """
SELECT current_user::text, current_setting('app.tenant_id', true), current_setting('app.actor_id', true),
       current_setting('app.correlation_id', true), current_setting('statement_timeout'),
       current_setting('idle_in_transaction_session_timeout'), current_setting('transaction_read_only'),
       current_setting('transaction_isolation')
"""
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company() -> Cast:
    """The cast, with one task each at Acme and Globex, committed."""
    people = cast()
    tasks(board=people.acme.board, count=1)
    tasks(board=people.globex.board, count=1)
    return people


@contextmanager
def as_fl_app() -> Iterator[None]:
    sql("SET SESSION AUTHORIZATION fl_app")
    try:
        yield
    finally:
        sql("RESET SESSION AUTHORIZATION")


def context() -> list[object]:
    (row,) = sql(READ_CONTEXT)
    return list(row)


def test_a_write_has_its_settings_inside_and_none_after(company: Cast) -> None:
    """Role, tenant, actor, correlation and both timeouts are the transaction's alone."""
    before = context()
    with entered(tenant_id=company.acme.tenant.id, actor_id=3, correlation_id=7, timeout_seconds=5):
        inside = context()
    assert inside == ["fl_tenant", str(company.acme.tenant.id), "3", "7", "5s", "35s", "off", "read committed"]
    after = context()
    assert after[0] == before[0]
    assert after[1:4] == ["", "", ""]
    assert after[4:] == before[4:]
    assert connection.get_autocommit()


@pytest.mark.parametrize(
    ("role", "seconds"),
    [(DatabaseRole.TENANT, "25s"), (DatabaseRole.AUDITOR, "1min"), (DatabaseRole.WORKER, "15min")],
)
def test_each_role_has_so_long_for_a_statement(company: Cast, role: DatabaseRole, seconds: str) -> None:
    """A request's is below the 30 s that gunicorn waits for a worker."""
    with entered(tenant_id=company.acme.tenant.id, role=role):
        assert context()[4] == seconds


def test_a_query_is_read_only_and_sees_one_snapshot(company: Cast) -> None:
    """What another session commits meanwhile is not seen: all figures of an answer are of one moment."""
    acme, doing = company.acme.tenant.id, company.acme.board.states["doing"].id
    with entered(tenant_id=acme, role=DatabaseRole.AUDITOR, read_only=True):
        assert context()[6:] == ["on", "repeatable read"]
        assert Task.objects.filter(state_id=doing).count() == 0
        with own_connection() as other:
            other.execute("UPDATE task SET state_id = %s WHERE tenant_id = %s", (doing, acme))
        assert Task.objects.filter(state_id=doing).count() == 0
    assert Task.objects.filter(state_id=doing).count() == 1


def test_a_query_cannot_write(company: Cast) -> None:
    """READ ONLY is the server's word, and SET TRANSACTION cannot take it back once a query ran."""
    with entered(tenant_id=company.acme.tenant.id, read_only=True):
        refused("UPDATE task SET title = 'x'", because="cannot execute UPDATE in a read-only transaction")
        refused("SET TRANSACTION READ WRITE", because="must be set before any query|cannot set transaction read-write")


@pytest.mark.parametrize("read_only", [True, False])
def test_an_error_inside_leaves_a_clean_connection(company: Cast, read_only: bool) -> None:
    """The next request of this connection starts with nothing of this one."""
    with as_fl_app():
        with pytest.raises(DatabaseError, match="division by zero"), entered(tenant_id=1, read_only=read_only):
            sql("SELECT 1 / 0")
        assert context()[:2] == ["fl_app", ""]
        with pytest.raises(ValueError, match="of ours"), entered(tenant_id=1, read_only=read_only):
            raise ValueError("of ours")
        assert context()[:2] == ["fl_app", ""]
        with entered(tenant_id=company.acme.tenant.id, read_only=True):
            assert Task.objects.count() == 1


def test_an_error_takes_the_changes_back(company: Cast) -> None:
    """Nothing of a failed operation is recorded."""
    before = mark()
    with pytest.raises(DatabaseError, match="division by zero"), entered(tenant_id=company.acme.tenant.id):
        sql("UPDATE task SET title = 'Changed'; SELECT 1 / 0")
    assert facts_since(before) == []
    assert set(Task.objects.values_list("title", flat=True)) == {"Task 1"}


def test_a_context_that_the_server_refuses_is_an_error_and_no_context(company: Cast) -> None:
    """A setting out of range stops the whole string; the body does not run and the connection is usable."""
    ran = False
    with pytest.raises(ContextRefused, match="statement_timeout"), entered(tenant_id=1, timeout_seconds=10**10):
        ran = True
    assert not ran
    assert connection.get_autocommit()
    assert context()[1] in ("", None)
    with entered(tenant_id=company.acme.tenant.id):
        assert Task.objects.count() == 1


@pytest.mark.parametrize("tenant_id", ["1'; DROP TABLE task; --", None, "one"])
def test_what_is_no_number_never_reaches_the_server(tenant_id: object) -> None:
    """The settings are one text: everything in it is a number or one of our own words."""
    context_manager = entered(tenant_id=tenant_id)  # type: ignore[arg-type]
    with CaptureQueriesContext(connection) as captured, pytest.raises((ValueError, TypeError)), context_manager:
        pass
    assert captured.captured_queries == []


def test_a_role_that_is_not_ours_is_refused() -> None:
    """The role is one of three words."""
    with pytest.raises(ValueError, match="fl_ledger"), entered(tenant_id=1, role="fl_ledger"):  # type: ignore[arg-type]
        pass


def test_a_forgotten_tenant_is_loud(company: Cast) -> None:
    """After a request the setting is an empty text, which is no tenant: an error, not an empty answer."""
    with as_fl_app():
        with entered(tenant_id=company.acme.tenant.id):
            assert Task.objects.count() == 1
        refused(
            "SET LOCAL ROLE fl_tenant; SELECT count(*) FROM task", because='invalid input syntax for type bigint: ""'
        )
        with pytest.raises(DatabaseError, match="permission denied for table task"):
            Task.objects.count()


def test_a_tenant_that_does_not_exist_is_empty(company: Cast) -> None:
    """Row level security knows no list of tenants; who may enter which is asked before."""
    with entered(tenant_id=2_000_000_000):
        assert Task.objects.count() == 0


def test_inside_another_transaction_the_settings_end_with_the_block(company: Cast) -> None:
    """In tests a savepoint stands in; SET LOCAL would outlive it."""
    with transaction.atomic():
        before = context()
        with entered(tenant_id=company.acme.tenant.id, actor_id=3):
            assert context()[:3] == ["fl_tenant", str(company.acme.tenant.id), "3"]
            with entered(tenant_id=company.globex.tenant.id, role=DatabaseRole.WORKER):
                assert context()[:3] == ["fl_worker", str(company.globex.tenant.id), ""]
                assert Task.objects.get().tenant_id == company.globex.tenant.id
            assert context()[:3] == ["fl_tenant", str(company.acme.tenant.id), "3"]
            assert Task.objects.get().tenant_id == company.acme.tenant.id
        assert context()[0] == before[0]
        assert context()[1] == ""


@pytest.mark.parametrize("read_only", [True, False])
def test_an_error_inside_a_nested_context_ends_it_too(company: Cast, read_only: bool) -> None:
    """The savepoint's rollback takes the settings back."""
    with transaction.atomic():
        before = context()
        with pytest.raises(ValueError, match="of ours"), entered(tenant_id=1, actor_id=3, read_only=read_only):
            raise ValueError("of ours")
        assert context()[0] == before[0]
        assert context()[1] in ("", None)
        assert context()[6] == "off"


def test_a_nested_query_cannot_write_and_the_next_block_can(company: Cast) -> None:
    """As in production, but that the snapshot is the outer transaction's."""
    with transaction.atomic():
        with entered(tenant_id=company.acme.tenant.id, read_only=True):
            refused("UPDATE task SET title = 'x'", because="cannot execute UPDATE in a read-only transaction")
        with entered(tenant_id=company.acme.tenant.id):
            assert Task.objects.update(title="Changed") == 1


def test_entering_costs_no_query_of_its_own(company: Cast) -> None:
    """BEGIN and all settings travel together, and are not among the queries."""
    connection.ensure_connection()
    with CaptureQueriesContext(connection) as captured, entered(tenant_id=company.acme.tenant.id, read_only=True):
        Task.objects.count()
    statements = [query["sql"] for query in captured.captured_queries]
    assert len([text for text in statements if "COUNT(*)" in text]) == 1
    assert [text for text in statements if text.startswith(("BEGIN", "SET"))] in ([], ["BEGIN"])


def test_a_query_is_three_round_trips(company: Cast) -> None:
    """Counted on the wire: the context, the query, the end. Four would mean that psycopg sends BEGIN by itself."""
    connection.ensure_connection()
    with tempfile.TemporaryFile() as trace:
        raw = connection.connection.pgconn
        raw.trace(trace.fileno())
        try:
            with entered(tenant_id=company.acme.tenant.id, read_only=True):
                Task.objects.count()
        finally:
            raw.untrace()
        trace.seek(0)
        lines = trace.read().decode(errors="replace").splitlines()
    assert len([line for line in lines if "\tReadyForQuery\t" in line or " ReadyForQuery" in line]) == 3, lines


def test_a_connection_that_died_is_replaced(company: Cast) -> None:
    """The request that meets it fails; the next one has a new connection, with nothing of the old."""
    (pid,) = sql("SELECT pg_backend_pid()")[0]
    with own_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises((DatabaseError, ContextRefused, psycopg.Error)), entered(tenant_id=company.acme.tenant.id):
        Task.objects.count()
    with entered(tenant_id=company.acme.tenant.id):
        assert Task.objects.count() == 1

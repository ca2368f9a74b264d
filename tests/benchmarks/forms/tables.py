"""A copy of the task table for each form: its indexes, policies and other triggers, and the form's own trigger."""

from typing import Any, cast

from tasks_app.policies import LedgerFunction, TenantTable
from tests.benchmarks.forms.bodies import CHANGED, Form
from tests.benchmarks.peers.models import TaskShape
from tests.benchmarks.peers.tables import execute, references
from tests.benchmarks.scene import Scene, fill
from tests.benchmarks.scratch import owner_cursor, vacuum

COPY = "/* benchmarks.copy_table */ CREATE TABLE {table} (LIKE task INCLUDING ALL)"
SHIPPED_BODY = "/* benchmarks.shipped_body */ SELECT prosrc FROM pg_proc WHERE oid = 'task_changed()'::regprocedure"
SHIPPED_TRIGGERS = (
    "/* benchmarks.shipped_triggers */ SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger"
    " WHERE tgrelid = 'task'::regclass AND NOT tgisinternal AND tgtype & 16 > 0"
)
SHIPPED = "task_changed()"


def make_form(name: str, form: Form | None, *, scene: Scene, rows: int) -> type[Any]:
    """The model of a filled copy of task with this form's trigger; None is the shipped one, as the database has it."""
    table = f"form_{name}"
    execute([COPY.format(table=table), *TenantTable(table, key="").statements(), *references(table)])
    fill(scene, tables=[table], tasks=rows)
    execute(_shipped(table) if form is None else _own(table, form))
    vacuum(table)
    return _model(table)


def _shipped(table: str) -> list[str]:
    with owner_cursor() as cursor:
        cursor.execute(SHIPPED_BODY)
        body = cursor.fetchone()[0]
    return [*_function(table, body), *_triggers(table, shipped=f"{table}()")]


def _own(table: str, form: Form) -> list[str]:
    trigger = form.trigger.format(table=table, changed=CHANGED)
    others = [] if form.alone else _triggers(table, shipped=None)
    return [
        *others,
        *_function(table, form.body),
        f"CREATE TRIGGER changed {trigger} EXECUTE FUNCTION {table}()",
    ]


def _function(table: str, body: str) -> list[str]:
    return list(LedgerFunction(f"{table}()", body.replace("'public.task'", f"'public.{table}'")).statements())


def _triggers(table: str, *, shipped: str | None) -> list[str]:
    """The task's triggers on update, moved to the copy; the one that records moves calls `shipped`, or is left out."""
    with owner_cursor() as cursor:
        cursor.execute(SHIPPED_TRIGGERS)
        texts = [text.replace(" ON public.task ", f" ON public.{table} ") for _, text in cursor.fetchall()]
    return [text.replace(SHIPPED, shipped or "") for text in texts if shipped or SHIPPED not in text]


def _model(table: str) -> type[Any]:
    meta = type("Meta", (), {"app_label": "peers", "db_table": table, "managed": False})
    return cast("type[Any]", type)(table.title(), (TaskShape,), {"__module__": __name__, "Meta": meta})

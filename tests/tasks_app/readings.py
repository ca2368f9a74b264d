"""A ledger that only the tests have, as a new family would declare its own: models, and the operations of its migration."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tasks_app import triggers
from tasks_app.ledgered_table import Kind, LedgeredTable
from tasks_app.models.fact import Fact, Tail
from tasks_app.models.ledger import next_seq

APP = "tasks_app"
WRITERS = {"fl_tenant": "INSERT", "fl_worker": "INSERT"}
FACT_COLUMNS: Mapping[str, models.Field] = {
    "seq": models.BigIntegerField(primary_key=True, serialize=False, db_default=next_seq()),
    "tenant_id": models.BigIntegerField(),
    "xact": models.BigIntegerField(
        db_default=models.Func(function="txid_current", output_field=models.BigIntegerField())
    ),
    "happened_at": models.DateTimeField(),
    "recorded_at": models.DateTimeField(db_default=models.functions.Now()),
}
READING = {**FACT_COLUMNS, "meter": models.IntegerField(), "value": models.FloatField()}


def model(name: str, columns: Mapping[str, Any], **options: Any) -> migrations.CreateModel:
    """CreateModel, with a table named after it unless the options say otherwise."""
    return migrations.CreateModel(
        name=name, fields=list(columns.items()), options={"db_table": name.lower(), **options}
    )


MADE = (
    model("Reading", READING, db_table="reading_ledger"),
    LedgeredTable("Reading", Kind.FACTS, tail="ReadingTail", grants=WRITERS),
)


def declared_models() -> list[type[models.Model]]:
    """The same as models; call it where apps are isolated."""

    class Reading(Fact):
        meter = models.IntegerField()
        value = models.FloatField()

        class Meta:
            app_label = APP
            db_table = "reading_ledger"
            triggers = triggers.facts("reading_ledger")

    class ReadingTail(Tail):
        class Meta:
            app_label = APP
            db_table = "reading_tail"
            triggers = triggers.tail()

    return [Reading, ReadingTail]


def forwards(*operations: Operation, start: ProjectState | None = None) -> ProjectState:
    """Runs operations, as migrations do; answers the state that they lead to."""
    state = start or ProjectState()
    for operation in operations:
        with connection.schema_editor() as editor:
            state = _run(operation, state, editor)
    return state


def backwards(operation: Operation, *, before: ProjectState) -> None:
    """Takes an operation back that was run on the state before."""
    after = before.clone()
    operation.state_forwards(APP, after)
    with connection.schema_editor() as editor:
        operation.database_backwards(APP, editor, after, before)


def collected(*operations: Operation, start: ProjectState | None = None) -> list[str]:
    """The statements that operations would send."""
    state = start or ProjectState()
    with connection.schema_editor(collect_sql=True) as editor:
        for operation in operations:
            state = _run(operation, state, editor)
    return editor.collected_sql or []


def collected_undoing(operation: Operation, *, before: ProjectState) -> list[str]:
    """The statements that take an operation back that was run on the state before."""
    after = before.clone()
    operation.state_forwards(APP, after)
    with connection.schema_editor(collect_sql=True) as editor:
        operation.database_backwards(APP, editor, after, before)
    return editor.collected_sql or []


def _run(operation: Operation, before: ProjectState, editor: BaseDatabaseSchemaEditor) -> ProjectState:
    after = before.clone()
    operation.state_forwards(APP, after)
    operation.database_forwards(APP, editor, before, after)
    return after

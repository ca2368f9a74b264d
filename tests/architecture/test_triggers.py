"""No trigger of ours can be switched off by a setting, and each calls a function of the ledger's owner."""

from importlib import import_module

import pgtrigger
import pytest
from django.apps import apps

from tasks_app.policies import LedgerFunction
from tasks_app.triggers import Call
from tests.tasks_app.recording import sql

READ_TRIGGERS = """/* tests.read_triggers */
SELECT t.tgname::text, c.relname::text, p.proname::text, p.proowner::regrole::text, t.tgenabled::text
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace
"""
READ_BODIES = """/* tests.read_bodies */
SELECT proname::text, prosrc FROM pg_proc WHERE proowner::regrole::text = 'fl_ledger' AND prosecdef
"""
# By its oid, or by schema and name, as on a shard. Nobody but the owner makes tables in public.
CHECKS = (
    "IF TG_RELID <> 'public.",
    "IF TG_TABLE_SCHEMA <> 'public' OR regexp_replace(TG_TABLE_NAME, '_[0-9]+$', '') <> '",
)
LEDGERS = {
    *("task_ledger", "definition_ledger", "access_ledger", "drift_stage_change", "reported_event", "task_tail"),
    *("drift_rule", "drift_rule_end"),
}


def declared() -> list[tuple[str, pgtrigger.Trigger]]:
    """Every trigger that a model of this project declares, with the model's table."""
    return [
        (model._meta.db_table, trigger)
        for model in apps.get_models()
        if model.__module__.split(".")[0] in ("tasks_app", "analytics")
        for trigger in getattr(model._meta, "triggers", [])
    ]


def test_no_stock_trigger_of_pgtrigger_guards_anything() -> None:
    """Protect, SoftDelete, FSM and their kin look at pgtrigger.ignore, which any SQL can set."""
    assert [(table, trigger.name) for table, trigger in declared() if not isinstance(trigger, Call)] == []
    assert len(declared()) >= 20


def test_every_trigger_calls_a_function_of_its_own() -> None:
    """render_execute decides what runs; pgtrigger's own would run the function that can be ignored."""
    for table, trigger in declared():
        assert isinstance(trigger, Call), f"{table}.{trigger.name}"
        assert type(trigger).render_execute is Call.render_execute, f"{table}.{trigger.name}"
        model = next(model for model in apps.get_models() if model._meta.db_table == table)
        assert trigger.render_execute(model) == f"{trigger.function}()", f"{table}.{trigger.name}"


@pytest.mark.django_db
def test_every_trigger_in_the_database_is_ours_and_on() -> None:
    """What is installed: functions of fl_ledger, never pgtrigger's, none disabled."""
    found = sql(READ_TRIGGERS)
    assert len(found) == len(declared())
    for name, table, function, owner, enabled in found:
        assert not function.startswith("pgtrigger_"), f"{name} on {table}"
        assert (owner, enabled) == ("fl_ledger", "O"), f"{name} on {table}"


@pytest.mark.django_db
def test_every_ledger_refuses_change() -> None:
    """The tables of the record's history have triggers that refuse UPDATE and TRUNCATE."""
    refusing = {table for _, table, function, _, _ in sql(READ_TRIGGERS) if function == "refuse_change"}
    assert refusing >= LEDGERS


@pytest.mark.django_db
def test_every_function_that_writes_history_checks_its_table() -> None:
    """Else a trigger on a temporary table would forge rows."""
    bodies = dict(sql(READ_BODIES))
    assert len(bodies) >= 6
    assert [name for name, body in bodies.items() if not any(check in body for check in CHECKS)] == []


def test_a_functions_text_cannot_leave_the_tenant() -> None:
    """No advisory lock, no SKIP LOCKED: they do not survive being spread over machines."""
    names = ("0003_ledger_functions", "0004_report_functions")
    migrations = [import_module(f"tasks_app.migrations.{name}").Migration for name in names]
    operations = [operation for migration in migrations for operation in migration.operations]
    bodies = [operation.body for operation in operations if isinstance(operation, LedgerFunction)]
    assert len(bodies) == len(operations) == 11
    assert [body for body in bodies if "advisory" in body or "SKIP LOCKED" in body] == []

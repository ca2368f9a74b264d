"""Tables that LedgeredTable refuses to make: one sentence each, when the migrations are loaded."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.migrations.state import ProjectState

from tasks_app.ledgered_table import Kind, LedgeredTable
from tasks_app.policies import Reference
from tasks_app.table_refusals import refusals
from tests.tasks_app.readings import APP, MADE, READING, model


def without(*columns: str) -> dict[str, Any]:
    """The columns of a reading but some."""
    return {name: each for name, each in READING.items() if name not in columns}


INDEXED = models.ForeignKey("tasks_app.Reading", on_delete=models.PROTECT, db_constraint=False)
LEAVING = models.ForeignKey("tasks_app.Reading", on_delete=models.PROTECT, db_index=False)
IDS = {"id": models.AutoField(primary_key=True), "tenant_id": models.BigIntegerField()}
BY_METER = models.CompositePrimaryKey("meter", "tenant_id")
FACTS: dict[str, Any] = {"kind": Kind.FACTS, "tail": "XTail"}
PLAIN: dict[str, Any] = {"kind": Kind.PLAIN}
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "it has no tenant_id; derive it from TenantOwned, or from Fact.": (without("tenant_id"), {}, FACTS),
    "a table of the kind FACTS needs happened_at; derive it from Fact, or add the columns.": (
        without("happened_at"),
        {},
        FACTS,
    ),
    "a table of the kind FACTS needs seq, xact, recorded_at; derive it from Fact, or add the columns.": (
        without("seq", "xact", "recorded_at"),
        {},
        FACTS,
    ),
    "a table of the kind STATE_LEDGER needs actor_id, happened_at; derive it from Fact, or add the columns.": (
        without("happened_at"),
        {},
        {"kind": Kind.STATE_LEDGER, "tail": "XTail"},
    ),
    "the feed tells actor_id, correlation; add the columns, or leave feed out.": (READING, {}, {**FACTS, "feed": True}),
    "facts enter a tail; name its model, as in tail='SampleTail'.": (READING, {}, {"kind": Kind.FACTS}),
    "a table of the kind PLAIN has no facts to fold; leave tail out.": (IDS, {}, {**PLAIN, "tail": "XTail"}),
    "fl_admin is no role that writes to a tenant's tables; those are fl_tenant, fl_worker, fl_ledger.": (
        IDS,
        {},
        {**PLAIN, "grants": {"fl_admin": "INSERT"}},
    ),
    "fl_auditor is no role that writes to a tenant's tables; those are fl_tenant, fl_worker, fl_ledger.": (
        IDS,
        {},
        {**PLAIN, "grants": {"fl_auditor": "UPDATE"}},
    ),
    "TRUNCATE cannot be granted; SELECT, INSERT, UPDATE, DELETE can.": (
        IDS,
        {},
        {**PLAIN, "grants": {"fl_worker": "INSERT, TRUNCATE"}},
    ),
    "nobody is granted UPDATE on a table of the kind FACTS; leave it out for fl_worker.": (
        READING,
        {},
        {**FACTS, "grants": {"fl_worker": "INSERT, UPDATE (value, meter)"}},
    ),
    "nobody is granted INSERT on a table of the kind STATE_LEDGER; leave it out for fl_tenant.": (
        {**READING, "actor_id": models.IntegerField()},
        {},
        {"kind": Kind.STATE_LEDGER, "grants": {"fl_tenant": "INSERT"}},
    ),
    "fl_tenant inserts whole rows, for Citus names all columns; grant INSERT and declare triggers.guards.": (
        IDS,
        {},
        {**PLAIN, "grants": {"fl_tenant": "INSERT (tenant_id, id)"}},
    ),
    "triggers draw id, and an int is too narrow for what they draw on Citus; make it a BigAutoField.": (
        IDS,
        {},
        {**PLAIN, "grants": {"fl_ledger": "INSERT"}},
    ),
    "give it a db_table: keys and functions are named after it.": (IDS, {"db_table": ""}, PLAIN),
    "the name x_2024 ends like that of a shard; name the table without a number.": (IDS, {"db_table": "x_2024"}, PLAIN),
    "its primary key does not begin with tenant_id; put it first.": (
        {"pk": BY_METER, "meter": models.IntegerField(), "tenant_id": models.BigIntegerField()},
        {},
        PLAIN,
    ),
    "x_meter does not begin with tenant_id; put it first.": (
        {**IDS, "meter": models.IntegerField()},
        {"indexes": [models.Index(fields=["meter"], name="x_meter")]},
        PLAIN,
    ),
    "x_once does not begin with tenant_id; put it first.": (
        {**IDS, "meter": models.IntegerField()},
        {"constraints": [models.UniqueConstraint(fields=["meter", "tenant_id"], name="x_once")]},
        PLAIN,
    ),
    "name is unique beyond its tenant; make it a UniqueConstraint that begins with tenant_id.": (
        {**IDS, "name": models.TextField(unique=True)},
        {},
        PLAIN,
    ),
    "the index of reading would not begin with tenant_id; give it db_index=False.": (
        {**IDS, "reading": INDEXED},
        {},
        PLAIN,
    ),
    "the foreign key of reading could leave the tenant; give it db_constraint=False, a composite one is made.": (
        {**IDS, "reading": LEAVING},
        {},
        PLAIN,
    ),
    "it refers by meter_id, which it does not have; name columns of its own.": (
        IDS,
        {},
        {**PLAIN, "references": [Reference("x", "meter_id", "meter")]},
    ),
}


@pytest.mark.parametrize("sentence", REFUSALS)
def test_what_cannot_be_is_refused_in_one_sentence(sentence: str) -> None:
    """When the migrations are loaded, before anything is changed; it is all that is wrong with it."""
    columns, options, declared = REFUSALS[sentence]
    state = ProjectState()
    MADE[0].state_forwards(APP, state)
    model("X", columns, **options).state_forwards(APP, state)
    operation = LedgeredTable("X", **declared)
    assert list(refusals(operation.declared(APP, state))) == [sentence]
    with pytest.raises(ImproperlyConfigured) as raised:
        operation.state_forwards(APP, state)
    assert str(raised.value) == f"X: {sentence}"


def test_a_model_that_is_not_there_is_named() -> None:
    """A typing error in the model's name."""
    with pytest.raises(
        ImproperlyConfigured, match=r"^Reding: tasks_app has no such model here; create it before LedgeredTable\.$"
    ):
        LedgeredTable("Reding", Kind.PLAIN).state_forwards(APP, ProjectState(real_apps=set()))

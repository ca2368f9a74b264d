"""Ledgers and tables of a tenant, as one migration operation: keys, policy, grants, refusals, tail.

    migrations.CreateModel(name="Sample", fields=[...], options={"db_table": "sample_ledger"}),
    LedgeredTable("Sample", Kind.FACTS, tail="SampleTail", grants={"fl_tenant": "INSERT", "fl_worker": "INSERT"}),

README.md says what comes of it. What the operation writes is the database's history: tests hold the tables that there are
against it, so a change of it needs a migration that changes them, too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

import pgtrigger
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation, OperationCategory
from django.db.migrations.state import ModelState, ProjectState

from tasks_app import triggers
from tasks_app.policies import (
    LEDGER_ROLE,
    TENANT_ROLES,
    Grant,
    LedgerFunction,
    Reference,
    Settings,
    Statements,
    TenantReference,
    TenantTable,
)
from tasks_app.table_refusals import Declared, check

# A ledger only grows: statistics must follow soon, or new tenants are planned for as if they had one row.
GROWS = {
    "autovacuum_analyze_threshold": 20_000,
    "autovacuum_analyze_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 100_000,
    "autovacuum_vacuum_insert_scale_factor": 0,
}
# A tail is written and emptied all the time: its dead rows are what a reader would wade through.
EMPTIED = {
    "autovacuum_vacuum_threshold": 1000,
    "autovacuum_vacuum_scale_factor": 0,
    "autovacuum_vacuum_insert_threshold": 1000,
    "autovacuum_vacuum_insert_scale_factor": 0,
    "autovacuum_vacuum_cost_delay": 0,
    "autovacuum_analyze_threshold": 5000,
}

# What the database itself says of a fact that a request inserts: no request can claim another place or time of recording.
STAMPS = {
    "seq": "nextval('ledger_seq')",
    "xact": "txid_current()",
    "correlation": "coalesce(nullif(current_setting('app.correlation_id', true), '')::bigint, txid_current())",
    "recorded_at": "clock_timestamp()",
}
STAMPED = """
BEGIN
    {stamps}
    RETURN NEW;
END
"""
# Where tables are spread over machines this fires on a shard, `sample_ledger_102008`, and what it writes to is elsewhere: the
# rows go through a variable, a tenant at a time. The ledger's owner is bound by the policies, so it enters the tenant; only
# an owner of the tables can have come here without.
ENTER_TAIL = """
DECLARE
    owner bigint;
    places bigint[];
BEGIN
    IF TG_TABLE_SCHEMA <> 'public' OR regexp_replace(TG_TABLE_NAME, '_[0-9]+$', '') <> '{table}' THEN
        RAISE EXCEPTION 'Only the table {table} records its facts here.' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR owner IN SELECT DISTINCT tenant_id FROM arrived LOOP
        SELECT array_agg(seq) INTO places FROM arrived WHERE tenant_id = owner;
        IF current_setting('app.tenant_id', true) IS DISTINCT FROM owner::text THEN
            PERFORM set_config('app.tenant_id', owner::text, true);
        END IF;
        INSERT INTO {tail} (tenant_id, seq) SELECT owner, p.seq FROM unnest(places) AS p (seq);
    END LOOP;
    RETURN NULL;
END
"""


class Kind(StrEnum):
    """What kind of table it is. FORMS says what each comes to."""

    STATE_LEDGER = "STATE_LEDGER"
    FACTS = "FACTS"
    APPEND_ONLY = "APPEND_ONLY"
    WORDS = "WORDS"
    PLAIN = "PLAIN"
    DERIVED = "DERIVED"


def _none(table: str) -> list[triggers.Call]:
    return []


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a kind of table needs and gets.

    `needs` are columns, `needs_for_tail` those that a reader of the tail takes from it; `refuses` makes the stock triggers
    from the table's name; `granted` are the privileges that the kind has of itself (all roles read), `never` those that no
    role can be given. `checks_tenant`: whether the tenant is looked up for each row.
    """

    needs: tuple[str, ...] = ()
    needs_for_tail: tuple[str, ...] = ()
    refuses: Callable[[str], list[triggers.Call]] = _none
    granted: Mapping[str, str] = field(default_factory=dict)
    never: frozenset[str] = frozenset()
    checks_tenant: bool = False
    may_have_tail: bool = False


FORMS: Mapping[Kind, Form] = {
    # Written by the triggers of a live table.
    Kind.STATE_LEDGER: Form(
        needs=("seq", "actor_id", "recorded_at"),
        needs_for_tail=("xact", "happened_at"),
        refuses=lambda table: triggers.written_by_triggers(),
        granted={LEDGER_ROLE: "SELECT, INSERT"},
        never=frozenset({"INSERT", "UPDATE", "DELETE"}),
        may_have_tail=True,
    ),
    # Facts that the application inserts, and that only need to enter the tail.
    Kind.FACTS: Form(
        needs=("seq", "xact", "happened_at", "recorded_at"),
        refuses=triggers.facts,
        never=frozenset({"UPDATE", "DELETE"}),
        may_have_tail=True,
    ),
    # Rows that never change and that no rollup is made of: reports, decisions.
    Kind.APPEND_ONLY: Form(
        refuses=lambda table: triggers.append_only(), never=frozenset({"UPDATE", "DELETE"}), checks_tenant=True
    ),
    # People's words beside a ledger, apart so that they can be erased: by the owner, and by nobody else.
    Kind.WORDS: Form(never=frozenset({"UPDATE", "DELETE"}), checks_tenant=True),
    Kind.PLAIN: Form(checks_tenant=True),
    # What is made from a ledger, and can be made again.
    Kind.DERIVED: Form(granted={"fl_worker": "INSERT, UPDATE, DELETE"}),
}
TAIL_GRANTS = {LEDGER_ROLE: "SELECT, INSERT", "fl_worker": "DELETE"}


class _Meta(NamedTuple):
    app_label: str
    object_name: str
    db_table: str


class _Named:
    """What pgtrigger asks a model for; to render the models of a migration for it would take as long as the rest."""

    def __init__(self, meta: _Meta) -> None:
        self._meta = meta


class LedgeredTable(Operation):
    """Makes of a model's table one of a tenant, of a kind. README.md has what that comes to.

    `tail` names the model of the tail, which this makes, too. `grants` says who writes, beyond what the kind has. A foreign
    key of the model to a tenant's table becomes a composite one; `references` are those that are otherwise, or of columns
    that are none for Django. `settings` are storage parameters. `checks_tenant` overrides the kind's. With `feed` the rows
    are shown in the activity feed, which pages a ledger by its key (tenant_id, seq) and tells who did it, when, in what.
    """

    reversible = True
    reduces_to_sql = True
    category = OperationCategory.ALTERATION

    def __init__(
        self,
        model: str,
        kind: Kind,
        *,
        tail: str = "",
        grants: Mapping[str, str] | None = None,
        references: Sequence[Reference] = (),
        settings: Mapping[str, float] | None = None,
        checks_tenant: bool | None = None,
        feed: bool = False,
    ) -> None:
        self.model = model
        self.kind = kind
        self.tail = tail
        self.grants = grants or {}
        self.references = references
        self.settings = settings or {}
        self.form = FORMS[kind]
        self.checks_tenant = self.form.checks_tenant if checks_tenant is None else checks_tenant
        self.feed = feed

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The model with its stock triggers, and the tail's model. ImproperlyConfigured for a table that cannot be."""
        check(self.declared(app_label, state))
        self.add_to_state(app_label, state)

    def add_to_state(self, app_label: str, state: ProjectState) -> None:
        """The same, unchecked."""
        table = self._table(app_label, state)
        options = state.models[app_label, self.model.lower()].options
        options["triggers"] = [*options.get("triggers", []), *self._triggers(app_label, table)]
        state.reload_model(app_label, self.model.lower(), delay=True)
        if self.tail:
            state.add_model(self._tail_state(app_label, table))

    def declared(self, app_label: str, state: ProjectState) -> Declared:
        """What is to be checked."""
        needs = (*self.form.needs, *(self.form.needs_for_tail if self.tail else ()))
        return Declared(
            app_label=app_label,
            model=self.model,
            state=state,
            kind=self.kind.value,
            needs=needs,
            grants=self.grants,
            never=self.form.never,
            tail=self.tail,
            may_have_tail=self.form.may_have_tail,
            must_have_tail=self.kind is Kind.FACTS,
            feed=self.feed,
            referring=[column for each in self.references for column in each.columns.split(", ")],
        )

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        table = model._meta.db_table
        for part in self.parts(model):
            part.database_forwards(app_label, schema_editor, from_state, to_state)
        for trigger in self._triggers(app_label, table):
            schema_editor.execute(trigger.install_sql, params=None)
        if self.tail:
            schema_editor.create_model(to_state.apps.get_model(app_label, self.tail))
            for part in self.tail_parts(table):
                part.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model)
        table = model._meta.db_table
        if self.tail:
            schema_editor.delete_model(from_state.apps.get_model(app_label, self.tail))
        for trigger in self._triggers(app_label, table):
            schema_editor.execute(trigger.uninstall_sql, params=None)
        for part in reversed(self.parts(model)):
            part.database_backwards(app_label, schema_editor, from_state, to_state)

    def parts(self, model: type[models.Model]) -> list[Statements]:
        """What is done to the table itself, in order."""
        table = model._meta.db_table
        storage = {**(GROWS if self.tail else {}), **self.settings}
        return [
            *(self._functions(model) if self.kind is Kind.FACTS else ()),
            # A composite key, which has no column of its own, begins with the tenant already.
            TenantTable(table, key=model._meta.pk.column or ""),
            *([TenantReference(table)] if self.checks_tenant else ()),
            *self._references(model),
            *_grants(table, self.form.granted, self.grants),
            *([Settings(table, storage)] if storage else ()),
        ]

    def tail_parts(self, table: str) -> list[Statements]:
        """What is done to the table of the tail."""
        tail = tail_of(table)
        return [TenantTable(tail, key=""), *_grants(tail, TAIL_GRANTS), Settings(tail, EMPTIED)]

    def _functions(self, model: type[models.Model]) -> Iterator[LedgerFunction]:
        table = model._meta.db_table
        columns = {each.column for each in model._meta.concrete_fields}
        stamps = "\n    ".join(f"NEW.{name} := {value};" for name, value in STAMPS.items() if name in columns)
        yield LedgerFunction(f"{table}_stamped()", STAMPED.format(stamps=stamps), definer=False)
        yield LedgerFunction(f"{table}_enter_tail()", ENTER_TAIL.format(table=table, tail=tail_of(table)))

    def _references(self, model: type[models.Model]) -> Iterator[Reference]:
        yield from self.references
        told = {each.columns.split(", ")[-1] for each in self.references}
        for each in model._meta.concrete_fields:
            if isinstance(each, models.ForeignKey) and each.column not in ("tenant_id", *told):
                there = each.related_model._meta
                if any(column.column == "tenant_id" for column in there.concrete_fields):
                    yield Reference(model._meta.db_table, each.column, there.db_table, str(each.target_field.column))

    def _triggers(self, app_label: str, table: str) -> list[pgtrigger.compiler.Trigger]:
        return _compiled(self.form.refuses(table), _Meta(app_label, self.model, table))

    def _tail_state(self, app_label: str, table: str) -> ModelState:
        tail = tail_of(table)
        return ModelState(
            app_label,
            self.tail,
            [
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("tenant_id", models.BigIntegerField()),
                ("seq", models.BigIntegerField()),
            ],
            options={"db_table": tail, "triggers": _compiled(triggers.tail(), _Meta(app_label, self.tail, tail))},
        )

    def _table(self, app_label: str, state: ProjectState) -> str:
        return str(state.models[app_label, self.model.lower()].options["db_table"])

    def describe(self) -> str:
        return f"Make {self.model} a tenant's table of the kind {self.kind}"


def tail_of(table: str) -> str:
    """The table of a ledger's tail: task_tail of task_ledger."""
    return f"{table.removesuffix('_ledger')}_tail"


def _compiled(declared: Sequence[triggers.Call], meta: _Meta) -> list[pgtrigger.compiler.Trigger]:
    return [trigger.compile(_Named(meta)) for trigger in declared]  # type: ignore[arg-type]


def _grants(table: str, *given: Mapping[str, str]) -> Iterator[Grant]:
    """All roles of a tenant read."""
    yield Grant("SELECT", on=(table,), to=TENANT_ROLES)
    for grants in given:
        yield from (Grant(privileges, on=(table,), to=(role,)) for role, privileges in grants.items())

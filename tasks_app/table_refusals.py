"""Refusals of tables: what cannot be a tenant's table of its kind, each as one sentence that says what to do."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.db.migrations.state import ModelState, ProjectState

from tasks_app.policies import LEDGER_ROLE

WRITERS = ("fl_tenant", "fl_worker", LEDGER_ROLE)
PRIVILEGES = ("SELECT", "INSERT", "UPDATE", "DELETE")
COLUMNS = re.compile(r"\([^)]*\)")
COLUMN_INSERT = re.compile(r"\bINSERT\s*\(")
# What a line of the activity feed tells: who, when, with what else, and its place.
FEED = ("seq", "actor_id", "correlation", "happened_at", "recorded_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A table as it is declared, in the state of the migrations in which it is made. LedgeredTable has the meanings."""

    app_label: str
    model: str
    state: ProjectState
    kind: str
    needs: Sequence[str]
    grants: Mapping[str, str]
    never: frozenset[str]
    tail: str
    may_have_tail: bool
    must_have_tail: bool
    feed: bool
    referring: Sequence[str]

    @property
    def fields(self) -> "Mapping[str, models.Field[Any, Any]]":
        """The columns by their names."""
        fields = self.model_state.fields.items()
        return {f"{name}_id" if isinstance(each, models.ForeignKey) else name: each for name, each in fields}

    @property
    def model_state(self) -> ModelState:
        """The model, which must be there."""
        found: ModelState = self.state.models[self.app_label, self.model.lower()]
        return found


def check(declared: Declared) -> None:
    """Raises ImproperlyConfigured with the first sentence that says what is wrong."""
    for sentence in refusals(declared):
        raise ImproperlyConfigured(f"{declared.model}: {sentence}")


def refusals(declared: Declared) -> Iterator[str]:
    """All that is wrong with a table."""
    if (declared.app_label, declared.model.lower()) not in declared.state.models:
        yield f"{declared.app_label} has no such model here; create it before LedgeredTable."
        return
    yield from _of_name(declared)
    yield from _of_columns(declared)
    yield from _of_keys(declared)
    yield from _of_grants(declared)
    yield from _of_tail(declared)


def _of_name(declared: Declared) -> Iterator[str]:
    table = str(declared.model_state.options.get("db_table", ""))
    if not table:
        yield "give it a db_table: keys and functions are named after it."
    elif table.rsplit("_", 1)[-1].isdecimal():
        yield f"the name {table} ends like that of a shard; name the table without a number."


def _of_columns(declared: Declared) -> Iterator[str]:
    if "tenant_id" not in declared.fields:
        yield "it has no tenant_id; derive it from TenantOwned, or from Fact."
    missing = [name for name in declared.needs if name not in declared.fields]
    if missing:
        yield f"a table of the kind {declared.kind} needs {', '.join(missing)}; derive it from Fact, or add the columns."
    untold = [name for name in FEED if name not in declared.fields] if declared.feed else []
    if untold:
        yield f"the feed tells {', '.join(untold)}; add the columns, or leave feed out."
    unknown = [name for name in declared.referring if name not in declared.fields]
    if unknown:
        yield f"it refers by {', '.join(unknown)}, which it does not have; name columns of its own."


def _of_keys(declared: Declared) -> Iterator[str]:
    fields, options = declared.model_state.fields, declared.model_state.options
    for name, each in fields.items():
        if isinstance(each, models.CompositePrimaryKey) and each.field_names[0] not in ("tenant_id", "tenant"):
            yield "its primary key does not begin with tenant_id; put it first."
        elif isinstance(each, models.ForeignKey):
            yield from _of_reference(name, each, declared)
        elif each.unique and not each.primary_key:
            yield f"{name} is unique beyond its tenant; make it a UniqueConstraint that begins with tenant_id."
    for index in (*options.get("indexes", ()), *options.get("constraints", ())):
        columns = getattr(index, "fields", ())
        if columns and columns[0] not in ("tenant", "tenant_id") and not isinstance(index, BrinIndex):
            yield f"{index.name} does not begin with tenant_id; put it first."


def _of_reference(name: str, key: Any, declared: Declared) -> Iterator[str]:
    if key.db_index:
        yield f"the index of {name} would not begin with tenant_id; give it db_index=False."
    elif key.db_constraint and _is_of_tenant(declared, key):
        yield f"the foreign key of {name} could leave the tenant; give it db_constraint=False, a composite one is made."


def _is_of_tenant(declared: Declared, key: models.ForeignKey[Any, Any]) -> bool:
    there = key.remote_field.model
    label, name = (there if isinstance(there, str) else there._meta.label_lower).lower().split(".")
    target = declared.state.models.get((label, name))
    return target is None or "tenant" in target.fields or "tenant_id" in target.fields


def _of_grants(declared: Declared) -> Iterator[str]:
    for role, privileges in declared.grants.items():
        if role not in WRITERS:
            yield f"{role} is no role that writes to a tenant's tables; those are {', '.join(WRITERS)}."
        yield from _of_privileges(role, privileges, declared)
    if "INSERT" in declared.grants.get(LEDGER_ROLE, ""):
        for name, each in declared.model_state.fields.items():
            if each.get_internal_type() == "AutoField":
                yield f"triggers draw {name}, and an int is too narrow for what they draw on Citus; make it a BigAutoField."


def _of_privileges(role: str, privileges: str, declared: Declared) -> Iterator[str]:
    if COLUMN_INSERT.search(privileges):
        yield f"{role} inserts whole rows, for Citus names all columns; grant INSERT and declare triggers.guards."
    for privilege in sorted(set(COLUMNS.sub("", privileges).replace(" ", "").split(","))):
        if privilege not in PRIVILEGES:
            yield f"{privilege} cannot be granted; {', '.join(PRIVILEGES)} can."
        elif privilege in declared.never:
            yield f"nobody is granted {privilege} on a table of the kind {declared.kind}; leave it out for {role}."


def _of_tail(declared: Declared) -> Iterator[str]:
    if declared.must_have_tail and not declared.tail:
        yield "facts enter a tail; name its model, as in tail='SampleTail'."
    if declared.tail and not declared.may_have_tail:
        yield f"a table of the kind {declared.kind} has no facts to fold; leave tail out."

"""Triggers: which change of which table is recorded, and which is refused.

A trigger is declared with its model and made by django-pgtrigger; what it calls is a function of the ledger's owner
(migrations 0003 and 0004). pgtrigger's own function body is not used: it looks at a setting that any SQL can set to
skip a trigger.

Tasks are recorded by statement triggers, but for deletions; README.md has the forms that were measured. A single save
costs about the same as with a row trigger, because a row that only moves takes a short way in the function. Old and new
rows must never be joined there: that plan turns quadratic once it is cached.
"""

from collections.abc import Mapping
from typing import Any

import pgtrigger

# Whoever is bound by a tenant's rules; the owner, who restores and seeds, says what is in a row.
BY_REQUESTS = "current_user IN ('fl_tenant', 'fl_worker')"
# The ledger's own function changes tasks after reported events; it has written their facts itself. Only that function can be
# this user: the role cannot log in and nobody is a member of it.
BY_OTHERS = "current_user <> 'fl_ledger'"


class Call(pgtrigger.Trigger):
    """A trigger that runs one of our own functions instead of a body of its own."""

    function: str

    def __init__(self, *, function: str, **options: Any) -> None:
        self.function = function
        super().__init__(**options)

    def get_func(self, model: Any) -> str:
        """Unused: pgtrigger makes a function from it, and render_execute points elsewhere."""
        return "RETURN NULL;"

    def render_execute(self, model: Any) -> str:
        """The function that the trigger runs."""
        return f"{self.function}()"


def records(*, name: str, function: str, operation: Any, condition: str) -> Call:
    """Writes the ledger after each changed row for which the condition holds."""
    return Call(
        name=name,
        function=function,
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=operation,
        condition=pgtrigger.Condition(f"(({condition}) AND {BY_OTHERS})"),
    )


def refuses(*, name: str, operation: Any, condition: str | None = None) -> Call:
    """Refuses statements on an append-only table, for every role, and says why."""
    return Call(
        name=name,
        function="refuse_change",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=operation,
        condition=pgtrigger.Condition(condition) if condition else None,
    )


def keeps(*, identity: str, by_others: str = "") -> Call:
    """Refuses updates that would change what names a row, or what only the ledger's own functions may change."""
    guarded = f" OR ({_differ(by_others)} AND {BY_OTHERS})" if by_others else ""
    return Call(
        name="changed_identity",
        function="refuse_new_identity",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition(f"({_differ(identity)}{guarded})"),
    )


def _differ(columns: str) -> str:
    names = columns.split(", ")
    old, new = (", ".join(f"{row}.{name}" for name in names) for row in ("OLD", "NEW"))
    return f"({old}) IS DISTINCT FROM ({new})"


def append_only() -> list[Call]:
    """For tables whose rows, once there, never change."""
    change = pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate
    return [refuses(name="refuse_change", operation=change)]


def written_by_triggers() -> list[Call]:
    """For ledgers: append-only, and written by the ledger's own functions alone."""
    return [*append_only(), refuses(name="refuse_insert", operation=pgtrigger.Insert, condition=BY_OTHERS)]


def facts(table: str) -> list[Call]:
    """For facts that the application inserts: append-only, stamped by the database, and known to the tail of the table.

    LedgeredTable makes the two functions, which belong to the table.
    """
    return [
        *append_only(),
        Call(
            name="stamped",
            function=f"{table}_stamped",
            level=pgtrigger.Row,
            when=pgtrigger.Before,
            operation=pgtrigger.Insert,
            condition=pgtrigger.Condition(BY_REQUESTS),
        ),
        Call(
            name="enter_tail",
            function=f"{table}_enter_tail",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="arrived"),  # type: ignore[no-untyped-call]
        ),
    ]


def tail() -> list[Call]:
    """For a tail: filled by triggers alone; the worker, who folds, takes rows away."""
    return [
        refuses(name="refuse_insert", operation=pgtrigger.Insert, condition=BY_OTHERS),
        refuses(name="refuse_change", operation=pgtrigger.Update | pgtrigger.Truncate),
    ]


def guards(*, role: str, only: Mapping[str, str]) -> Call:
    """Refuses inserts of a role that say more than they may: each of these columns has one value, given as SQL.

    A grant by columns would say the same, but who spreads rows over machines fills in the defaults and names all columns.
    """
    told = ", ".join(f"NEW.{column}" for column in only)
    return Call(
        name=f"guard_{role}",
        function="refuse_given",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        condition=pgtrigger.Condition(
            f"(current_user = '{role}' AND ({told}) IS DISTINCT FROM ({', '.join(only.values())}))"
        ),
    )


TASK = [
    Call(
        name="changed",
        function="task_changed",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(old="before", new="after"),  # type: ignore[no-untyped-call]
        condition=pgtrigger.Condition(BY_OTHERS),
    ),
    Call(
        name="created",
        function="task_created",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="arrived"),  # type: ignore[no-untyped-call]
        condition=pgtrigger.Condition(BY_OTHERS),
    ),
    Call(
        name="deleted",
        function="task_deleted",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.Delete,
        condition=pgtrigger.Condition(BY_OTHERS),
    ),
    refuses(name="refuse_truncate", operation=pgtrigger.Truncate),
]

STATE = [
    keeps(identity="id, tenant_id, project_id"),
    records(name="defined", function="state_defined", operation=pgtrigger.Insert, condition="true"),
    records(
        name="redefined",
        function="state_defined",
        operation=pgtrigger.Update,
        condition="(OLD.name, OLD.slug, OLD.category, OLD.position, OLD.waiting, OLD.needs_validation, OLD.archived)"
        " IS DISTINCT FROM"
        " (NEW.name, NEW.slug, NEW.category, NEW.position, NEW.waiting, NEW.needs_validation, NEW.archived)",
    ),
    refuses(name="refuse_removal", operation=pgtrigger.Delete | pgtrigger.Truncate),
]

PROJECT = [
    keeps(identity="id, tenant_id", by_others="recorded_since, created_at"),
    records(name="defined", function="project_defined", operation=pgtrigger.Insert, condition="true"),
    records(
        name="redefined",
        function="project_defined",
        operation=pgtrigger.Update,
        condition="(OLD.key, OLD.name, OLD.timezone) IS DISTINCT FROM (NEW.key, NEW.name, NEW.timezone)",
    ),
    refuses(name="refuse_removal", operation=pgtrigger.Delete | pgtrigger.Truncate),
]

MEMBERSHIP = [
    keeps(identity="id, tenant_id, user_id"),
    records(name="joined", function="membership_changed", operation=pgtrigger.Insert, condition="true"),
    records(
        name="role_changed",
        function="membership_changed",
        operation=pgtrigger.Update,
        condition="OLD.role IS DISTINCT FROM NEW.role",
    ),
    records(name="left_tenant", function="membership_changed", operation=pgtrigger.Delete, condition="true"),
]

# Not last_used_at: a use is no change of what the key may do. What ends a key is never taken back.
KEY = [
    keeps(identity="id, tenant_id, prefix, sha256, owner_id, created_at"),
    Call(
        name="stays_revoked",
        function="refuse_new_identity",
        level=pgtrigger.Row,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=pgtrigger.Condition("OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NULL"),
    ),
    records(name="created", function="api_key_changed", operation=pgtrigger.Insert, condition="true"),
    records(
        name="changed",
        function="api_key_changed",
        operation=pgtrigger.Update,
        condition=_differ("scopes, expires_at, revoked_at, allowed_cidrs, replaced_by_id"),
    ),
    refuses(name="refuse_removal", operation=pgtrigger.Delete | pgtrigger.Truncate),
]

PLAN = [
    keeps(identity="id, tenant_id"),
    records(name="given", function="tenant_plan_changed", operation=pgtrigger.Insert, condition="true"),
    records(
        name="changed",
        function="tenant_plan_changed",
        operation=pgtrigger.Update,
        condition=_differ("points_a_minute, burst, tenant_points_a_minute, tenant_burst, at_once"),
    ),
    records(name="taken_back", function="tenant_plan_changed", operation=pgtrigger.Delete, condition="true"),
    refuses(name="refuse_truncate", operation=pgtrigger.Truncate),
]

REPORTED = [
    Call(
        name="recorded",
        function="events_reported",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="reported"),  # type: ignore[no-untyped-call]
    ),
    *append_only(),
]

"""Makes the peers' tables: keys, policies, references and grants as the product's task has them.

Tables that a peer writes its history to get the grants it needs and no policies: that is in the peers' favour.
"""

from collections.abc import Iterator

import pgtrigger
from django.apps import apps
from django.db import connection

from tasks_app.policies import Grant, Reference, TenantReference, TenantTable
from tests.benchmarks.peers.models import SHAPES
from tests.benchmarks.scratch import owner_cursor


def make_peers() -> None:
    """The tables and triggers of every peer, as the owner; the web's login may use them as it may use the task's."""
    models = list(apps.get_app_config("peers").get_models())
    with connection.owner_login():
        with connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)
        pgtrigger.install(*(trigger.get_uri(model) for model, trigger in pgtrigger.registered() if model in models))
    shapes = {shape._meta.db_table for shape in SHAPES.values()}
    histories = {model._meta.db_table for model in models} - shapes
    execute(Grant("SELECT, INSERT", on=sorted(histories), to=["fl_tenant"]).statements())
    for table in sorted(shapes):
        execute(guards(table))


def guards(table: str) -> Iterator[str]:
    """What the product's task has beyond its columns, indexes and triggers, for a table of the same shape."""
    for operation in (
        TenantTable(table),
        TenantReference(table),
        Reference(table, "project_id", "project"),
        Reference(table, "project_id, state_id", "workflow_state", "project_id, id"),
        Reference(table, "assignee_id", "actor"),
        Reference(table, "origin_id", "project"),
        Reference(table, "source_id", "actor"),
        Grant("SELECT, INSERT, UPDATE", on=[table], to=["fl_tenant"]),
    ):
        yield from operation.statements()


def execute(statements: "Iterator[str] | list[str] | tuple[str, ...]") -> None:
    """Runs statements as the owner, one by one."""
    with owner_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

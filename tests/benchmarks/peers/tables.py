"""Makes the peers' tables: keys, policies, references and grants as the product's task has them.

Tables that a peer writes its history to get the grants it needs and no policies: that is in the peers' favour.
"""

from collections.abc import Iterable, Iterator

import pgtrigger
from django.apps import apps
from django.db import connections

from tasks_app.policies import Grant, Reference, TenantReference, TenantTable
from tests.benchmarks.peers.models import SHAPES
from tests.benchmarks.scratch import owner_cursor


def make_peers() -> None:
    """The tables and triggers of every peer, as the owner; the web's login may use them as it may use the task's."""
    models = list(apps.get_app_config("peers").get_models())
    with connections["owner"].schema_editor() as editor:
        for model in models:
            editor.create_model(model)
    labels = {model._meta.label for model in models}
    triggers = [trigger.get_uri(model) for model, trigger in pgtrigger.registered() if model._meta.label in labels]
    pgtrigger.install(*triggers, database="owner")
    shapes = {shape._meta.db_table for shape in SHAPES.values()}
    histories = {model._meta.db_table for model in models} - shapes
    execute(Grant("SELECT, INSERT", on=sorted(histories), to=["fl_tenant"]).statements())
    for table in sorted(shapes):
        execute([*TenantTable(table).statements(), *references(table)])


def references(table: str) -> Iterator[str]:
    """The references and grants of the product's task, for a table of the same shape."""
    for operation in (
        TenantReference(table),
        Reference(table, "project_id", "project"),
        Reference(table, "project_id, state_id", "workflow_state", "project_id, id", at_once=True),
        Reference(table, "assignee_id", "actor", at_once=True),
        Reference(table, "origin_id", "project"),
        Reference(table, "source_id", "actor"),
        Grant("SELECT, INSERT, UPDATE", on=[table], to=["fl_tenant"]),
    ):
        yield from operation.statements()


def execute(statements: Iterable[str]) -> None:
    """Runs statements as the owner, one by one."""
    with owner_cursor() as cursor:
        for statement in statements:
            # A text without parameters: its percent signs are its own.
            cursor.execute(statement, None)

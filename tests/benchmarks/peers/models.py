"""The product's task again, column by column and index by index: without history, and with each peer's."""

from typing import Any

import pghistory
from django.db import models
from django.db.models.functions import Now
from simple_history.models import HistoricalRecords

from tasks_app.models import Actor, Project, TenantOwned, WorkflowState


def reference(to: type[models.Model], **options: Any) -> Any:
    """A foreign key as the product's models declare theirs; peers.tables adds the constraint."""
    return models.ForeignKey(
        to, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+", **options
    )


class TaskShape(TenantOwned):
    """What every table here has in common with the product's task."""

    project = reference(Project)
    state = reference(WorkflowState)
    key = models.TextField()
    title = models.TextField()
    assignee = reference(Actor, null=True)
    created_at = models.DateTimeField(db_default=Now())
    discarded_at = models.DateTimeField(null=True)
    origin = reference(Project, null=True)
    source = reference(Actor, null=True)
    external_id = models.TextField(default="", db_default="")

    class Meta:
        abstract = True
        indexes = [models.Index(fields=["tenant", "project", "state"], name="%(class)s_board")]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "key"], name="%(class)s_key"),
            models.UniqueConstraint(
                fields=["tenant", "origin", "source", "external_id"],
                condition=~models.Q(external_id=""),
                name="%(class)s_external",
            ),
        ]


class Plain(TaskShape):
    """No history at all: what the ratios are ratios to."""

    class Meta(TaskShape.Meta):
        db_table = "peer_plain"


@pghistory.track(pghistory.UpdateEvent(), level=pghistory.Row)
class PghistoryRow(TaskShape):
    """django-pghistory as it comes: a row trigger, the whole row kept."""

    class Meta(TaskShape.Meta):
        db_table = "peer_pgh_row"


@pghistory.track(pghistory.UpdateEvent(), level=pghistory.Statement)
class PghistoryStatement(TaskShape):
    """django-pghistory's statement level, the whole row kept."""

    class Meta(TaskShape.Meta):
        db_table = "peer_pgh_statement"


@pghistory.track(pghistory.UpdateEvent(), fields=["state"], level=pghistory.Row)
class PghistoryRowState(TaskShape):
    """django-pghistory tuned: a row trigger, only the state kept."""

    class Meta(TaskShape.Meta):
        db_table = "peer_pgh_row_state"


@pghistory.track(pghistory.UpdateEvent(), fields=["state"], level=pghistory.Statement)
class PghistoryStatementState(TaskShape):
    """django-pghistory tuned: statement level, only the state kept."""

    class Meta(TaskShape.Meta):
        db_table = "peer_pgh_statement_state"


class SimpleHistory(TaskShape):
    """django-simple-history: signals of save() copy the row; an update() of a query set is not recorded."""

    history = HistoricalRecords()

    class Meta(TaskShape.Meta):
        db_table = "peer_simple"


SHAPES: dict[str, type[TaskShape]] = {
    "plain": Plain,
    "pghistory_row": PghistoryRow,
    "pghistory_statement": PghistoryStatement,
    "pghistory_row_state_only": PghistoryRowState,
    "pghistory_statement_state_only": PghistoryStatementState,
    "simple_history": SimpleHistory,
}

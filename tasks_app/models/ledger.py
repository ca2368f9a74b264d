import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Func, Value

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned


class Kind(models.IntegerChoices):
    """What a ledger row says. The first five set the project and the state of the task; the others leave them."""

    CREATED = 1
    MOVED = 2
    TRANSFERRED = 3
    DISCARDED = 4
    RESTORED = 5
    VALIDATED = 6
    ASSIGNED = 7
    RENAMED = 8
    DEFINED = 9


STATE_KINDS = (Kind.CREATED, Kind.MOVED, Kind.TRANSFERRED, Kind.DISCARDED, Kind.RESTORED)


def next_seq() -> Func:
    """The next position. All ledgers share one sequence, so that positions order rows of different ledgers."""
    return Func(Value("ledger_seq"), function="nextval", output_field=models.BigIntegerField())


class TaskLedger(models.Model):
    """One immutable row per change of a task, written by triggers alone.

    `from_id` and `to_id` are workflow states (0: not on the board) but for ASSIGNED (actors, 0: nobody), RENAMED
    (task_words) and VALIDATED (the state, twice). `from_id` is only what the row showed when the change was recorded: a
    late fact may come between, so replay takes the state before a fact from the order (happened_at, seq).
    `xact` is the number of its transaction on the server of its `epoch`, see RecordEpoch.
    The columns stand in order of width and none is null: that is 25 bytes a row.
    """

    seq = models.BigIntegerField(primary_key=True, db_default=next_seq())
    tenant_id = models.BigIntegerField()
    correlation = models.BigIntegerField()
    xact = models.BigIntegerField()
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    task_id = models.IntegerField()
    project_id = models.IntegerField()
    from_id = models.IntegerField()
    to_id = models.IntegerField()
    actor_id = models.IntegerField()
    kind = models.SmallIntegerField(choices=Kind)
    epoch = models.SmallIntegerField(db_default=1)

    class Meta:
        db_table = "task_ledger"
        triggers = triggers.written_by_triggers()
        indexes = [
            models.Index(fields=["tenant_id", "task_id"], name="task_ledger_task"),
            BrinIndex(fields=["happened_at", "xact"], name="task_ledger_brin"),
        ]

    def __str__(self) -> str:
        return str(self.seq)


class TaskTail(models.Model):
    """The facts of task_ledger that no rollup has folded yet."""

    pk = models.CompositePrimaryKey("tenant_id", "seq")
    tenant_id = models.BigIntegerField()
    seq = models.BigIntegerField()

    class Meta:
        db_table = "task_tail"
        triggers = [
            triggers.refuses(name="refuse_insert", operation=pgtrigger.Insert, condition=triggers.BY_OTHERS),
            triggers.refuses(name="refuse_change", operation=pgtrigger.Update | pgtrigger.Truncate),
        ]

    def __str__(self) -> str:
        return str(self.seq)


class DefinitionLedger(models.Model):
    """One immutable row per definition of a project (state_id 0) or of a state: the whole definition from happened_at on."""

    seq = models.BigIntegerField(primary_key=True, db_default=next_seq())
    tenant_id = models.BigIntegerField()
    correlation = models.BigIntegerField()
    xact = models.BigIntegerField()
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    project_id = models.IntegerField()
    state_id = models.IntegerField()
    actor_id = models.IntegerField()
    position = models.IntegerField()
    waiting = models.BooleanField()
    needs_validation = models.BooleanField()
    archived = models.BooleanField()
    slug = models.TextField()
    name = models.TextField()
    category = models.TextField()
    timezone = models.TextField()
    epoch = models.SmallIntegerField(db_default=1)

    class Meta:
        db_table = "definition_ledger"
        triggers = triggers.written_by_triggers()
        indexes = [models.Index(fields=["tenant_id", "project_id", "state_id"], name="definition_ledger_state")]

    def __str__(self) -> str:
        return str(self.seq)


class ReportedEvent(TenantOwned):
    """The second door: what happened elsewhere or earlier, as it was reported.

    Append-only. A trigger writes those events that are a change to task_ledger, under the seq they were given here, and
    brings the task to the state after its last event. A report that repeats the state waits here: a late fact may make it
    a change. `identity` is a digest of what makes a report of a source unique.
    """

    seq = models.BigIntegerField(primary_key=True, db_default=next_seq())
    source_id = models.IntegerField()
    task_id = models.IntegerField()
    project_id = models.IntegerField()
    to_id = models.IntegerField()
    actor_id = models.IntegerField()
    kind = models.SmallIntegerField(choices=Kind)
    happened_at = models.DateTimeField()
    identity = models.UUIDField()
    case_id = models.TextField(blank=True, default="", db_default="")
    title = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "reported_event"
        triggers = triggers.REPORTED
        indexes = [models.Index(fields=["tenant", "task_id"], name="reported_event_task")]
        constraints = [models.UniqueConstraint(fields=["tenant", "source_id", "identity"], name="reported_event_once")]

    def __str__(self) -> str:
        return str(self.seq)


class FactNote(TenantOwned):
    """A person's words about a ledger row: why something was discarded, what a validation said. Erasable."""

    seq = models.BigIntegerField(primary_key=True)
    words = models.TextField()

    class Meta:
        db_table = "fact_note"

    def __str__(self) -> str:
        return self.words

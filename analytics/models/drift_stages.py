"""Which side answers, tenant by tenant: the switch of each capability, its ledger, what was decided, what was drilled."""

import pgtrigger
from django.db import models

from analytics.pure.stages import Stage
from tasks_app import triggers
from tasks_app.models.ledger import next_seq
from tasks_app.models.tenant import TenantOwned

STAGES = [stage.value for stage in Stage]
ALL_PERCENT = 100


class StageCause(models.TextChoices):
    """Why a stage was changed. BREACH: by itself, because answers differed. DRILL: to show that there is a way back."""

    ASKED = "ASKED"
    BREACH = "BREACH"
    DRILL = "DRILL"


class DriftStage(TenantOwned):
    """The switch as it is now; a capability without a row is OFF. Each write is recorded in DriftStageChange by a trigger.

    `version` grows by one with each change. COMPLETE never changes any more.
    """

    pk = models.CompositePrimaryKey("tenant_id", "capability")
    capability = models.TextField()
    stage = models.TextField(choices=[(stage, stage) for stage in STAGES])
    percent = models.SmallIntegerField(default=ALL_PERCENT, db_default=ALL_PERCENT)
    version = models.IntegerField()
    changed_at = models.DateTimeField()
    cause = models.TextField(choices=StageCause)
    overridden = models.BooleanField(default=False, db_default=False)
    reason = models.TextField()

    class Meta:
        db_table = "drift_stage"
        constraints = [
            models.CheckConstraint(condition=models.Q(stage__in=STAGES), name="drift_stage_known"),
            models.CheckConstraint(condition=models.Q(percent__gte=0, percent__lte=100), name="drift_stage_percent"),
        ]
        triggers = [
            triggers.refuses(name="refuse_removal", operation=pgtrigger.Delete | pgtrigger.Truncate),
            triggers.Call(
                name="steps",
                function="drift_stage_steps",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
            ),
            triggers.Call(
                name="recorded",
                function="drift_stage_recorded",
                level=pgtrigger.Row,
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.capability} {self.stage}"


class DriftStageChange(models.Model):
    """One immutable row for each change of a stage, written by triggers alone."""

    seq = models.BigIntegerField(primary_key=True, db_default=next_seq())
    tenant_id = models.BigIntegerField()
    capability = models.TextField()
    version = models.IntegerField()
    stage_before = models.TextField()
    percent_before = models.SmallIntegerField()
    stage = models.TextField()
    percent = models.SmallIntegerField()
    actor_id = models.IntegerField()
    cause = models.TextField()
    overridden = models.BooleanField()
    reason = models.TextField()
    changed_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "drift_stage_change"
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "capability", "version"], name="drift_stage_change_once")
        ]
        triggers = triggers.written_by_triggers()

    def __str__(self) -> str:
        return f"{self.capability} {self.version}"


class DriftGate(TenantOwned):
    """A decision on the next stage, as it was made. `inputs` is JSON, `reasons` a JSON list of sentences.

    `evidence` is JSON of all that was known when a switch was completed; "" for any other decision.
    """

    id = models.BigAutoField(primary_key=True)
    capability = models.TextField()
    stage = models.TextField()
    next_stage = models.TextField(default="", db_default="")
    passes = models.BooleanField()
    reasons = models.TextField()
    inputs = models.TextField()
    inputs_digest = models.TextField()
    evaluated_at = models.DateTimeField()
    evidence = models.TextField(default="", db_default="")

    class Meta:
        db_table = "drift_gate"
        indexes = [models.Index(fields=["tenant", "capability", "evaluated_at"], name="drift_gate_time")]
        triggers = triggers.append_only()

    def __str__(self) -> str:
        return f"{self.capability} {self.passes}"


class DriftDrill(TenantOwned):
    """A drill of the way back: whether all went well, and how long the last answer of the new path came after the flip.

    `detail` is JSON of what was looked at.
    """

    id = models.BigAutoField(primary_key=True)
    capability = models.TextField()
    stage = models.TextField()
    drilled_at = models.DateTimeField()
    ok = models.BooleanField()
    seconds = models.FloatField()
    detail = models.TextField(default="{}", db_default="{}")

    class Meta:
        db_table = "drift_drill"
        indexes = [models.Index(fields=["tenant", "capability", "drilled_at"], name="drift_drill_time")]
        triggers = triggers.append_only()

    def __str__(self) -> str:
        return f"{self.capability} {self.ok}"

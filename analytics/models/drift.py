"""What the dual run keeps: what is to be compared, what comparisons said, and what differences are expected."""

import pgtrigger
from django.db import models

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned

# Who writes a rule, or ends one, is not for the writer to say.
SIGNED = triggers.Call(
    name="signed",
    function="drift_rule_signed",
    level=pgtrigger.Row,
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
)


class DriftDue(TenantOwned):
    """An answer that was given and is to be compared. The row is deleted by the transaction that keeps the comparison.

    `position` is the snapshot that the answer was counted in, "" where it was not one of ours. Until `lease_until` nobody
    else takes it up; `attempts` counts who did.
    """

    id = models.BigAutoField(primary_key=True)
    capability = models.TextField()
    days = models.IntegerField()
    stage = models.TextField()
    flag_version = models.IntegerField()
    asked_at = models.DateTimeField()
    position = models.TextField(default="", db_default="")
    lease_until = models.DateTimeField(null=True)
    attempts = models.SmallIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "drift_due"

    def __str__(self) -> str:
        return f"{self.capability} {self.asked_at}"


class DriftComparison(TenantOwned):
    """One comparison. `detail` is JSON of at most 64 kB with numbers, dates and names of fields, never what people wrote."""

    id = models.BigAutoField(primary_key=True)
    capability = models.TextField(help_text="What was compared.")
    stratum = models.TextField()
    verdict = models.TextField(help_text="What it says.")
    reason = models.TextField(default="", db_default="")
    signature = models.TextField(default="", db_default="")
    definition = models.TextField()
    basis = models.TextField()
    stage = models.TextField()
    flag_version = models.IntegerField()
    asked_at = models.DateTimeField()
    compared_at = models.DateTimeField(help_text="When it was made, UTC.")
    legacy_as_of = models.DateTimeField(
        null=True,
        help_text="Up to when the older side counted, UTC; of several cut-offs the last. null: nobody knows.",
    )
    position = models.TextField(default="", db_default="")
    legacy_ms = models.FloatField()
    candidate_ms = models.FloatField()
    ours_first = models.BooleanField()
    detail = models.TextField(default="{}", db_default="{}")

    class Meta:
        db_table = "drift_comparison"
        indexes = [
            models.Index(fields=["tenant", "compared_at"], name="drift_comparison_time"),
            models.Index(fields=["tenant", "capability", "verdict", "id"], name="drift_comparison_verdict"),
            models.Index(
                fields=["tenant", "signature", "id"], name="drift_comparison_cause", condition=~models.Q(signature="")
            ),
            models.Index(
                fields=["tenant", "capability", "verdict", "id"],
                name="drift_comparison_at_rest",
                condition=models.Q(stratum="AT_REST"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.capability} {self.verdict}"


class DriftCount(TenantOwned):
    """How many comparisons of a local day said what. It outlives the comparisons, and parity is read from it alone."""

    pk = models.CompositePrimaryKey("tenant_id", "capability", "day", "stratum", "basis", "verdict", "signature")
    capability = models.TextField()
    day = models.DateField()
    stratum = models.TextField()
    basis = models.TextField()
    verdict = models.TextField()
    signature = models.TextField(default="", db_default="")
    comparisons = models.BigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "drift_count"

    def __str__(self) -> str:
        return f"{self.day} {self.verdict} {self.comparisons}"


class DriftRule(TenantOwned):
    """A difference that somebody answers for, until it expires: see analytics.drift.arithmetic.verdicts.Rule.

    A row never changes and never goes. `actor_id` is who wrote it, as the database knows it.
    """

    id = models.BigAutoField(primary_key=True)
    capability = models.TextField()
    field = models.TextField()
    direction = models.TextField()
    bound = models.FloatField()
    owner = models.TextField()
    reason = models.TextField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    actor_id = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "drift_rule"
        triggers = [*triggers.append_only(), SIGNED]

    def __str__(self) -> str:
        return f"{self.field} {self.direction} {self.bound}"


class DriftRuleEnd(TenantOwned):
    """An expected difference that was ended before it expired, by whom, and why."""

    pk = models.CompositePrimaryKey("tenant_id", "rule_id")
    rule_id = models.BigIntegerField()
    reason = models.TextField()
    ended_at = models.DateTimeField()
    actor_id = models.IntegerField(default=0, db_default=0)

    class Meta:
        db_table = "drift_rule_end"
        triggers = [*triggers.append_only(), SIGNED]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.ended_at}"


class DriftRest(TenantOwned):
    """A stored figure of the older side that was compared: the day, what ours was then, and what it is now if it changed.

    `known_at` is up to when what was recorded is in it, and `snapshot` which of that; "" for all. `restated` is JSON of the
    fields that are others since; "" while none is.
    """

    pk = models.CompositePrimaryKey("tenant_id", "capability", "day")
    capability = models.TextField()
    day = models.DateField()
    verdict = models.TextField()
    figures = models.TextField()
    until = models.DateTimeField()
    known_at = models.DateTimeField()
    snapshot = models.TextField(default="", db_default="")
    compared_at = models.DateTimeField()
    restated = models.TextField(default="", db_default="")

    class Meta:
        db_table = "drift_rest"

    def __str__(self) -> str:
        return f"{self.capability} {self.day} {self.verdict}"

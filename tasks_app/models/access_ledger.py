from django.contrib.postgres.fields import ArrayField
from django.db import models

from tasks_app import triggers
from tasks_app.models.ledger import next_seq


class AccessKind(models.IntegerChoices):
    """What changed of who may do what, and how much: three are of a membership, four of a key, three of the tenant's plan."""

    JOINED = 1
    ROLE_CHANGED = 2
    LEFT = 3
    KEY_CREATED = 4
    KEY_CHANGED = 5
    KEY_REPLACED = 6
    KEY_REVOKED = 7
    PLAN_GIVEN = 8
    PLAN_CHANGED = 9
    PLAN_TAKEN_BACK = 10


class AccessLedger(models.Model):
    """One immutable row per change of a membership, a key or a plan, with what holds from then on. Written by triggers alone.

    `user_id` is the member, or the key's owner (0: a service key); `key_id` is 0 for a membership; both are 0 for a plan. A
    plan's numbers are in `plan`, those that it had until then in `plan_before`; null is the default plan. Nobody's words are
    here, and nothing of a secret: why a key was revoked is a FactNote.
    """

    seq = models.BigIntegerField(primary_key=True, db_default=next_seq())
    tenant_id = models.BigIntegerField()
    correlation = models.BigIntegerField()
    xact = models.BigIntegerField()
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    user_id = models.IntegerField()
    key_id = models.IntegerField()
    actor_id = models.IntegerField()
    kind = models.SmallIntegerField(choices=AccessKind)
    role = models.TextField(blank=True)
    scopes = ArrayField(models.TextField())
    allowed_cidrs = ArrayField(models.TextField())
    plan = models.JSONField(null=True)
    plan_before = models.JSONField(null=True)
    epoch = models.SmallIntegerField(db_default=1)

    class Meta:
        db_table = "access_ledger"
        triggers = triggers.written_by_triggers()

    def __str__(self) -> str:
        return str(self.seq)

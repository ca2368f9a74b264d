from django.contrib.postgres.fields import ArrayField
from django.db import models

from tasks_app import triggers
from tasks_app.models.tenant import TenantOwned
from tasks_app.models.user import User


class Scope(models.TextChoices):
    """What a key, or a member's role, allows."""

    TASKS_READ = "TASKS_READ"
    TASKS_WRITE = "TASKS_WRITE"
    ANALYTICS_READ = "ANALYTICS_READ"
    TIME_READ = "TIME_READ"
    TIME_WRITE = "TIME_WRITE"
    BILLING_READ = "BILLING_READ"
    FINDINGS_READ = "FINDINGS_READ"
    FINDINGS_WRITE = "FINDINGS_WRITE"
    SAMPLES_READ = "SAMPLES_READ"
    SAMPLES_WRITE = "SAMPLES_WRITE"
    AUDIT_READ = "AUDIT_READ"
    ADMIN = "ADMIN"


class ApiKey(TenantOwned):
    """A key of an integration. The secret is shown once; only its SHA-256 is kept.

    With an owner the key can do what both it and its owner may; without one it is a service key of the tenant. Networks in
    `allowed_cidrs` are the only ones that it is used from; none means everywhere. `replaced_by` is the key that it was
    rotated into; until it expires, both work.
    """

    name = models.TextField()
    prefix = models.TextField()
    sha256 = models.BinaryField(max_length=32)
    scopes = ArrayField(models.TextField(choices=Scope))
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, db_index=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    allowed_cidrs = ArrayField(models.TextField(), default=list, blank=True, db_default=[])
    replaced_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,
        db_constraint=False,
        related_name="+",
    )

    class Meta:
        db_table = "api_key"
        triggers = triggers.KEY
        constraints = [models.UniqueConstraint(fields=["tenant", "prefix"], name="api_key_prefix")]

    def __str__(self) -> str:
        return self.prefix

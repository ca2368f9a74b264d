from django.contrib.postgres.fields import ArrayField
from django.db import models

from tasks_app import triggers
from tasks_app.models.tenant import ForeignKeyInTenant, TenantOwned
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

    name = models.TextField(help_text="What it is for.")
    prefix = models.TextField(help_text="How its secret begins: tells keys apart and opens nothing.")
    sha256 = models.BinaryField(max_length=32)
    scopes = ArrayField(
        models.TextField(choices=Scope),
        help_text="What it may do, as far as its owner's role allows when it is used; in alphabetical order.",
    )
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, db_index=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was made.")
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="From this instant on it is refused; null: never."
    )
    revoked_at = models.DateTimeField(
        null=True, blank=True, help_text="From this instant on it is refused; null: not revoked."
    )
    last_used_at = models.DateTimeField(
        null=True, blank=True, help_text="Its last use, to the minute; null when it was never used."
    )
    allowed_cidrs = ArrayField(
        models.TextField(),
        default=list,
        blank=True,
        db_default=[],
        help_text="The networks that it may be used from; empty for everywhere.",
    )
    replaced_by = ForeignKeyInTenant(
        "self",
        null=True,
        blank=True,
        related_name="+",
        help_text="The id of the key that it was rotated into.",
    )

    class Meta:
        db_table = "api_key"
        triggers = triggers.KEY
        constraints = [models.UniqueConstraint(fields=["tenant", "prefix"], name="api_key_prefix")]

    def __str__(self) -> str:
        return self.prefix

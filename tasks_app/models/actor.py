from django.db import models

from tasks_app.models.tenant import ForeignKeyInTenant, TenantOwned
from tasks_app.models.user import User


class ActorKind(models.TextChoices):
    """What sort of hand made a change."""

    USER = "USER"
    API_KEY = "API_KEY"
    IMPORT = "IMPORT"
    JOB = "JOB"
    SQL = "SQL"


class Actor(TenantOwned):
    """Who changed something: the ledger names nobody, it points here.

    USER and API_KEY stand for a login or a key; IMPORT for a source or a person that an import names; JOB for a job of
    ours; SQL for the database login that wrote without saying who it was. Erasing a person empties `name`.
    """

    kind = models.TextField(choices=ActorKind, help_text="What sort of hand it was.")
    name = models.TextField(help_text="The name of the person, key, import or database login.")
    user = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False, related_name="+")
    api_key = ForeignKeyInTenant("tasks_app.ApiKey", null=True, related_name="+")

    class Meta:
        db_table = "actor"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "user"], condition=models.Q(user__isnull=False), name="actor_user"
            ),
            models.UniqueConstraint(
                fields=["tenant", "api_key"], condition=models.Q(api_key__isnull=False), name="actor_api_key"
            ),
            models.UniqueConstraint(
                fields=["tenant", "kind", "name"],
                condition=models.Q(user__isnull=True, api_key__isnull=True),
                name="actor_named",
            ),
            models.CheckConstraint(condition=models.Q(kind__in=ActorKind.values), name="actor_kind"),
        ]

    def __str__(self) -> str:
        return self.name

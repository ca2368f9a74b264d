from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Tenant(models.Model):
    """An organisation. Everything but logins belongs to exactly one.

    The list of tenants itself has no row level security: the login reads it to find out whose request this is.
    The roles that work inside a tenant have no grant on it.
    """

    id = models.BigAutoField(primary_key=True)
    slug = models.SlugField(max_length=63, unique=True, help_text="Its name in addresses and in the header X-Tenant.")
    name = models.TextField(help_text="What people call it.")
    timezone = models.TextField(default="UTC", help_text="The IANA zone of its days where no project names another.")
    fiscal_year_start_month = models.SmallIntegerField(
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
        help_text="The month, 1 to 12, in which its quarters begin.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "tenant"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fiscal_year_start_month__range=(1, 12)), name="tenant_fiscal_month"
            )
        ]

    def __str__(self) -> str:
        return self.slug


class TenantOwned(models.Model):
    """A row of one tenant.

    `tenant_id` comes first in every key, index and foreign key of such a table (tasks_app.policies makes them), and row
    level security shows only the rows of the tenant that the transaction works for.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+")

    class Meta:
        abstract = True

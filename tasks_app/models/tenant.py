from typing import Any, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

_ST = TypeVar("_ST")
_GT = TypeVar("_GT")


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

    def _do_update(self, base_qs: Any, *rest: Any) -> Any:
        """A save names the tenant, too: where rows are spread over machines, it then goes to one of them."""
        return super()._do_update(base_qs.filter(tenant_id=self.tenant_id), *rest)


class ForeignKeyInTenant(models.ForeignKey[_ST, _GT]):
    """A foreign key between two tables of tenants: a join over it equates the tenants as well as the ids.

    Without that, rows that are spread over machines by tenant cannot be joined. It has no constraint and no index of its own,
    for the migration makes composite ones; in migrations it is an ordinary foreign key.
    """

    def __init__(self, to: Any, *, on_delete: Any = models.PROTECT, **options: Any) -> None:
        super().__init__(to, on_delete, **{"db_index": False, "db_constraint": False, **options})

    def get_extra_restriction(self, alias: str, related_alias: str) -> Any:
        """The condition beside the ids: `alias` is the table that is referred to."""
        here, there = (_tenant_of(model) for model in (self.model, self.related_model))
        return there.get_lookup("exact")(there.get_col(alias), here.get_col(related_alias))

    def deconstruct(self) -> Any:
        """As Django's own: what differs is no matter of the database."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.ForeignKey", args, options


def _tenant_of(model: type[models.Model]) -> Any:
    return next(field for field in model._meta.concrete_fields if field.column == "tenant_id")

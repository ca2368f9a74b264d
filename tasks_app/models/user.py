from typing import ClassVar

from django.contrib.auth.models import (
    AbstractBaseUser,
    BaseUserManager,
    PermissionsMixin,
)
from django.db import models

from tasks_app.models.tenant import Tenant


def email_of_login(text: str) -> str:
    """The email as logins have it, however a person writes it."""
    return text.strip().lower()


class UserManager(BaseUserManager["User"]):
    """Makes logins. An email is compared in lower case."""

    def create_user(self, *, email: str, password: str | None = None, name: str = "") -> "User":
        """A login that can enter nothing yet; `operations.members.add_member` gives it a tenant and a role."""
        user = self.model(email=email_of_login(email), name=name)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person's login. What the person may do is a Membership, one per tenant.

    `tenants` says only where the login may enter. It is read before the tenant is known, so it cannot be behind the
    tenant's row level security as Membership is.
    """

    email = models.EmailField(unique=True)
    name = models.TextField(blank=True, default="")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    tenants = models.ManyToManyField(Tenant, related_name="+", db_table="account_tenant")

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "account"

    @property
    def is_staff(self) -> bool:
        """The admin asks for this; the wrapped admin views check the role inside the tenant."""
        return self.is_active

    def __str__(self) -> str:
        return self.email

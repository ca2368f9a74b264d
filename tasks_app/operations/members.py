"""Members, people of a tenant: their login, their role, and the actor that the ledger knows them by."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tasks_app.models import Actor, ActorKind, Membership, Role, User, email_of_login
from tasks_app.refusals import Refused


def create_user(*, email: str, tenant_id: int, role: str, password: str | None, name: str) -> User:
    """A person who can enter the tenant with that role. A login that exists keeps its password and gains the tenant.

    Run with the owner's login, inside the tenant. Again with the same role it changes nothing.
    """
    address = email_of_login(email)
    try:
        validate_email(address)
    except ValidationError:
        raise Refused(f"{email!r} is not an email address.") from None
    if role not in Role.values:
        raise Refused(f"There is no role {role!r}; the roles are {', '.join(Role.values)}.")
    user = User.objects.filter(email=address).first()
    if user is None:
        user = User.objects.create_user(email=address, password=password, name=name)
    add_member(user=user, tenant_id=tenant_id, role=role)
    return user


def add_member(*, user: User, tenant_id: int, role: str) -> None:
    """Lets the login into the tenant. Refused when the person is a member with another role already."""
    membership, made = Membership.objects.get_or_create(tenant_id=tenant_id, user=user, defaults={"role": role})
    if not made and membership.role != role:
        raise Refused(f"{user.email} is a member already, with the role {membership.role}.")
    user.tenants.add(tenant_id)
    Actor.objects.get_or_create(
        tenant_id=tenant_id, user=user, defaults={"kind": ActorKind.USER, "name": user.name or user.email}
    )

"""Names of projects and actors as they are asked for: looked up in the tenant, and refused by name where there is none."""

from tasks_app.errors import ApiError, Code
from tasks_app.http.node import decode_pk
from tasks_app.http.scalars import INT_LIMIT
from tasks_app.models import Actor, Project
from tasks_app.tenancy import TenantFacts

LONGEST_NAME = 200


def project_id(key: str, *, tenant: TenantFacts, argument: str) -> int:
    """The id of the tenant's project of that key."""
    key = plain(key, argument=argument)
    found = Project.objects.filter(tenant_id=tenant.id, key=key).values_list("id", flat=True).first()
    if found is None:
        raise unknown("project", key, argument=argument)
    return found


def actor_pk(actor_id: str, *, tenant: TenantFacts, argument: str) -> int:
    """The number behind the id of an actor of the tenant. One of another tenant is as good as none."""
    pk = decode_pk(actor_id, type_name="Actor")
    if pk is None or pk >= INT_LIMIT or not Actor.objects.filter(tenant_id=tenant.id, id=pk).exists():
        raise ApiError(f"{argument}: there is no such actor.", code=Code.NOT_FOUND)
    return pk


def unknown(what: str, name: str, *, argument: str) -> ApiError:
    """The error for a name that is not there, or not this tenant's: both read the same."""
    return ApiError(f"{argument}: there is no {what} {name!r}.", code=Code.NOT_FOUND)


def plain(text: str, *, argument: str) -> str:
    """A text that the database can compare; refuses NUL, lone surrogates and what is too long to name anything."""
    if "\x00" in text or len(text) > LONGEST_NAME or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ApiError(f"{argument}: give at most {LONGEST_NAME} characters, without NUL or lone surrogates.")
    return text

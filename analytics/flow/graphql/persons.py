"""Persons whose figures are asked for, and who may ask."""

from collections.abc import Mapping
from typing import Any

from analytics.engine.asked_names import actor_pk
from tasks_app.access.matrix import ONE_PERSON
from tasks_app.errors import ApiError, Code
from tasks_app.models import Actor
from tasks_app.tenancy import Caller


def actors_asked(*, assignee: str | None, actor: str | None, caller: Caller) -> tuple[int | None, int | None]:
    """The numbers of the assignee and of the actor asked about; None where it is of everybody.

    ApiError BAD_USER_INPUT for both at once, NOT_FOUND for an id that is no actor of the tenant, FORBIDDEN where the
    caller may not see one person's figures.
    """
    if assignee is not None and actor is not None:
        raise ApiError("actor: give assignee, for the items held, or actor, for the changes made, not both.")
    return (
        None if assignee is None else seen_by(caller, assignee, argument="assignee"),
        None if actor is None else seen_by(caller, actor, argument="actor"),
    )


def check_filters(filters: Mapping[str, Any], *, caller: Caller) -> None:
    """FORBIDDEN where figures are filtered by a person whom the caller may not see: they are that person's figures."""
    for name, argument in (("assignee_id", "filter.assignee"), ("changed_by", "filter.changedBy")):
        if name in filters:
            _check_may_see(caller, filters[name], argument=argument)


def seen_by(caller: Caller, actor_id: str, *, argument: str) -> int:
    """The actor's number; FORBIDDEN where the caller may not see figures of that actor alone."""
    pk = actor_pk(actor_id, tenant=caller.tenant, argument=argument)
    _check_may_see(caller, pk, argument=argument)
    return pk


def _check_may_see(caller: Caller, pk: int, *, argument: str) -> None:
    if not may_see(caller, pk):
        raise ApiError(
            f"{argument}: one person's figures are for that person, managers, admins and owners; leave it out.",
            code=Code.FORBIDDEN,
        )


def may_see(caller: Caller, pk: int) -> bool:
    """Whether the caller may see figures of that actor alone."""
    return ONE_PERSON.allows(caller) or ONE_PERSON.allows(caller, of_themselves=_is(caller, pk))


def _is(caller: Caller, pk: int) -> bool:
    """Whether the caller is that actor, or a key of that person. Any actor is taken for a person: a key has an owner, too."""
    if pk == caller.actor_id:
        return True
    return (
        caller.user_id is not None
        and Actor.objects.filter(tenant_id=caller.tenant.id, id=pk, user_id=caller.user_id).exists()
    )

"""Validation waits."""

from collections.abc import Sequence

import strawberry

from analytics.engine.graphql.actors import Actor, actors_by_id
from analytics.flow.figures import validation as waits
from analytics.flow.graphql.persons import may_see
from analytics.flow.graphql.workflow_states import WorkflowState, state_node
from tasks_app.tenancy import Caller


@strawberry.type(description="How long items waited in a state that needs validation.")
class ValidationWait:
    state: WorkflowState = strawberry.field(description="The state; of a whole tenant, all states of that slug as one.")
    validator: Actor | None = strawberry.field(
        description="Who ended these waits by a validation; null: all waits. Rows of others than oneself are for managers,"
        " admins and owners."
    )
    validated: int = strawberry.field(description="Waits that a validation ended in the window.")
    unapproved: int = strawberry.field(description="Waits that ended in the window as the item left without one.")
    waiting: int = strawberry.field(description="Waits that last at the window's end.")
    p50_seconds: float | None = strawberry.field(
        description="The median of the waits that ended, a wait that was observed (nearest rank); null without any."
    )
    p85_seconds: float | None = strawberry.field(
        description="The same of 85 %: no more than 15 % of them were longer; null without any."
    )
    mean_seconds: float | None = strawberry.field(description="The mean of the waits that ended; null without any.")


def validation_nodes(found: Sequence[waits.ValidationWait], *, caller: Caller) -> list[ValidationWait]:
    """The rows that the caller may see."""
    validators = {each.validator for each in found if each.validator is not None}
    seen = {actor for actor in validators if may_see(caller, actor)}
    named = actors_by_id(tenant_id=caller.tenant.id, ids=seen)
    return [
        _node(each, validator=None if each.validator is None else named[each.validator])
        for each in found
        if each.validator is None or each.validator in seen
    ]


def _node(found: waits.ValidationWait, *, validator: Actor | None) -> ValidationWait:
    ended = found.validated + found.unapproved
    return ValidationWait(
        state=state_node(found.state),
        validator=validator,
        validated=found.validated,
        unapproved=found.unapproved,
        waiting=found.waiting,
        p50_seconds=None if found.p50 is None else found.p50.total_seconds(),
        p85_seconds=None if found.p85 is None else found.p85.total_seconds(),
        mean_seconds=found.total.total_seconds() / ended if ended else None,
    )

"""The product's figures in the oracle's types."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction

from analytics.flow.figures import churn as churns
from analytics.flow.figures import completion
from analytics.flow.figures.aging import Age
from analytics.flow.figures.identities import Identity
from analytics.flow.figures.validation import ValidationWait
from analytics.flow.figures.workflow import MOMENT, StateDefinition
from analytics.flow.reading import results as flows
from tests.oracle.aging import AgingItem
from tests.oracle.churn import Churn
from tests.oracle.completion import Edge
from tests.oracle.laws import Laws
from tests.oracle.validation import Waits

Edges = dict[tuple[str | None, str | None], Edge]


def edges(found: Sequence[completion.Edge]) -> Edges:
    """The edges by slugs; none may be there twice."""
    slugs = [(_slug(edge.before), _slug(edge.after)) for edge in found]
    assert len(set(slugs)) == len(slugs), "an edge is there twice"
    return dict(zip(slugs, [Edge(count=edge.count, median=edge.median) for edge in found], strict=True))


def churn(found: churns.Churn) -> Churn:
    """Its rates as fractions."""
    return Churn(
        finish_events=found.finish_events,
        reopened=found.reopened,
        reopen_rate=_rate(found.reopened, found.judged_finishes),
        backflow=found.backflow,
        first_pass_yield=_rate(found.finished_straight, found.finished),
        abandoned=found.abandoned,
        reverted_items=found.reverted_items,
        churn_rate=_rate(found.reverted_items, found.started_items),
        edges=edges(found.edges),
        reverts=tuple(found.reverts),
        scope_added=tuple(found.scope_added),
        scope_removed=tuple(found.scope_removed),
    )


def laws(found: Sequence[Identity]) -> Laws | None:
    """What the identities come to, each kept; None where there are none."""
    assert [each for each in found if each.difference] == []
    values = {each.name: each.value for each in found}
    if not values:
        return None
    return Laws(
        items=values["conservation"],
        work=values["workConservation"],
        work_time=timedelta(microseconds=values["littlesLaw"]),
        lifetime=timedelta(microseconds=values["lifetime"]),
    )


def aging(found: Sequence[flows.AgingItem]) -> tuple[AgingItem, ...]:
    """The items with their ages; days are those of UTC."""
    assert [each.age.days for each in found] == [_days(each.age) for each in found]
    return tuple(
        AgingItem(
            item=each.item.identity,
            state=each.age.state.slug,
            started_at=each.age.started_at,
            age=each.age.age,
            shorter=each.age.shorter,
            compared=each.age.compared,
        )
        for each in found
    )


def _days(age: Age) -> int:
    last = max(age.started_at, age.started_at + age.age - MOMENT)
    return (last.date() - age.started_at.date()).days + 1


def validation(found: Sequence[ValidationWait], *, names: Mapping[int, str]) -> dict[tuple[str, str | None], Waits]:
    """By the slug of the state and the validator's name; none may be there twice."""
    keys = [(each.state.slug, names.get(each.validator, "") if each.validator else None) for each in found]
    assert len(set(keys)) == len(keys), "a validator is there twice"
    values = [
        Waits(
            validated=each.validated,
            unapproved=each.unapproved,
            waiting=each.waiting,
            p50=each.p50,
            p85=each.p85,
            total=each.total,
        )
        for each in found
    ]
    return dict(zip(keys, values, strict=True))


def _rate(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def _slug(state: StateDefinition | None) -> str | None:
    return None if state is None else state.slug

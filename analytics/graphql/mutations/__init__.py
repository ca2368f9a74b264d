"""GraphQL mutations of jobs and stages, and those of the wings joined to them."""

from collections.abc import Sequence

from analytics.engine.wing import Wing
from analytics.graphql.mutations import jobs, stages
from tasks_app.graphql.mutation_fields import MutationEntry

MUTATIONS = (*jobs.MUTATIONS, *stages.MUTATIONS)


def mutations_of(wings: Sequence[Wing]) -> tuple[MutationEntry, ...]:
    """The entries of the type Mutation."""
    return (*(each for wing in wings for each in wing.mutations), *MUTATIONS)

"""The whole GraphQL schema: who is asking, what is derived, and what changes the record."""

import strawberry

from analytics.engine.graphql.extending import extend
from analytics.engine.wings import wings
from analytics.graphql.heavy import HeavyQueries
from analytics.graphql.mutations import mutations_of
from analytics.graphql.queries import nodes_of, queries_of
from tasks_app.graphql.keys import MUTATIONS as KEY_MUTATIONS
from tasks_app.graphql.keys import KeyQuery, load_key
from tasks_app.graphql.mutation_fields import mutation_type
from tasks_app.graphql.plans import PlanQuery
from tasks_app.graphql.viewer import Viewer, load_tenant, viewer
from tasks_app.http.node import node_field
from tasks_app.http.schema import Schema

extend(each for wing in wings() for each in wing.adds)


@strawberry.type(description="Everything that can be asked. All of it is about the caller's own tenant.")
class Query(*queries_of(wings()), KeyQuery, PlanQuery):  # type: ignore[misc]
    viewer: Viewer = strawberry.field(
        resolver=viewer, description="Who is asking, and what they may do. Every caller who is admitted may ask."
    )
    node = node_field(loaders={**nodes_of(wings()), "Tenant": load_tenant, "ApiKey": load_key})


Mutation = mutation_type(
    (*mutations_of(wings()), *KEY_MUTATIONS),
    description="Everything that changes something. Each takes one `input` and changes all that it says or nothing;"
    " what can be expected to fail is answered in `errors`.",
)

PRICES = {name: price for wing in wings() for name, price in wing.prices.items()}
schema = Schema(query=Query, mutation=Mutation, prices=PRICES, extensions=[HeavyQueries])

"""The whole GraphQL schema: who is asking, what is derived, and what changes the record."""

import strawberry

from analytics.graphql.mutations import Mutation
from analytics.graphql.queries import NODE_LOADERS, AnalyticsQuery
from tasks_app.graphql.http.node import node_field
from tasks_app.graphql.http.schema import Schema
from tasks_app.graphql.viewer import Viewer, load_tenant, viewer


@strawberry.type(description="Everything that can be asked. All of it is about the caller's own tenant.")
class Query(AnalyticsQuery):
    viewer: Viewer = strawberry.field(
        resolver=viewer, description="Who is asking, and what they may do. Every caller who is admitted may ask."
    )
    node = node_field(loaders={**NODE_LOADERS, "Tenant": load_tenant})


schema = Schema(query=Query, mutation=Mutation)

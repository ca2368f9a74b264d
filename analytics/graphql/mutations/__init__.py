"""What frontends and integrations change. Resolvers translate; tasks_app/operations does the work."""

from analytics.graphql.mutations.root import Mutation

__all__ = ["Mutation"]

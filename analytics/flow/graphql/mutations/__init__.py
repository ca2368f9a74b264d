"""GraphQL mutations of tasks, projects and reported events: resolvers translate, tasks_app/operations does the work."""

from analytics.flow.graphql.mutations import events, projects, tasks

MUTATIONS = (*projects.MUTATIONS, *tasks.MUTATIONS, *events.MUTATIONS)

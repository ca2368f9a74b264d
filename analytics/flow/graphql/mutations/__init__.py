"""GraphQL mutations of tasks, projects and reported events."""

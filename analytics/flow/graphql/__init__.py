"""GraphQL types and fields of the flow figures, tasks and boards."""

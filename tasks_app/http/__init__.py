"""GraphQL over HTTP: the view, limits, costs, cursors, connections."""

"""GraphQL schema's root: the queries and mutations that are no family's, and those of the wings joined to them."""

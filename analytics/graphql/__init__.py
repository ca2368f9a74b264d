"""What frontends ask: types with derived fields, and the queries that answer them."""

"""Documents, the queries that ship with the product: what one is, and how its data becomes a table."""

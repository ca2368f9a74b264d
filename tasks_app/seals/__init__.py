"""Seals: settled ranges of the ledgers as Merkle trees, their roots chained per tenant, and the check of them anywhere."""

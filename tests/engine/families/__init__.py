"""Families that only the tests have, of shapes that the product's own has not: the engine must need no change for them.

Each file has the declaration, the tables, and what its facts amount to as plain Python counts it.
"""

"""Arithmetic without Django and without a database: the same input gives the same answer, anywhere."""

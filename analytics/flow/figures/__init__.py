"""Arithmetic of the flow figures, without Django and without a database."""

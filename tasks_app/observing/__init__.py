"""Observability: what every answer is measured by, and where those numbers go."""

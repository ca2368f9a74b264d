"""Arithmetic of the dual run: what a comparison of two answers says, and what many comparisons prove."""

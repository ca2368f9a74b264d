"""Folding facts into rollups: compact, rebuild, verify."""

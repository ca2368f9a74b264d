"""Rollups: facts are folded into them; compact, rebuild, verify."""

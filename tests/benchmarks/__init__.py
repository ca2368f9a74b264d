"""Measured speed and size, as ratios within one run. `python -m tests.benchmarks` prints one JSON line per goal."""

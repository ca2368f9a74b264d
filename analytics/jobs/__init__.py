"""Jobs that answer heavy queries, and the worker's schedule: what is done apart from requests."""

from importlib import import_module
from typing import Any

# What the worker's schedules name, as `analytics.jobs.compact_all` and the like: rows of its table, which outlive a release.
RUN_BY_THE_WORKER = frozenset(
    {
        "compact_all",
        "compare_all",
        "compare_rest_all",
        "count_legacy_midnights",
        "drop_counts",
        "forget_all",
        "retain_all",
        "sweep_all",
    }
)


def __getattr__(name: str) -> Any:
    """A function for the worker, imported when it is asked for: what they need is most of the product."""
    if name not in RUN_BY_THE_WORKER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("analytics.jobs.due_runs"), name)

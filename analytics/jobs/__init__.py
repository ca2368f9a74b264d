"""What is done apart from requests: the worker's schedule, and jobs that answer heavy queries."""

from analytics.jobs.schedule import (
    compact_all,
    compare_all,
    compare_rest_all,
    count_legacy_midnights,
    drop_counts,
    forget_all,
    keep_schedules,
    retain_all,
    sweep_all,
)

__all__ = [
    "compact_all",
    "compare_all",
    "compare_rest_all",
    "count_legacy_midnights",
    "drop_counts",
    "forget_all",
    "keep_schedules",
    "retain_all",
    "sweep_all",
]

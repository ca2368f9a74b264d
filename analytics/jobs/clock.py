"""Clock of whatever runs apart from requests: a worker is an edge, and what it calls is given the instant."""

from datetime import UTC, datetime


def read_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - a worker is an edge

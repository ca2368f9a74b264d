"""Hypothesis's one profile, and how many examples of random histories in PostgreSQL are tried.

No test has a deadline of its own: how long an example takes says how busy the machine is, and nothing of the product.
FLOWLEDGER_EXAMPLES sets how many histories each property of the database tries; a property of pure functions says how many
examples it needs.
"""

import os

from hypothesis import HealthCheck, settings

PROFILE = "flowledger"
settings.register_profile(
    PROFILE,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

EXAMPLES = int(os.environ.get("FLOWLEDGER_EXAMPLES", "20"))
some = settings(settings.get_profile(PROFILE), max_examples=EXAMPLES)

"""Django's settings of the tests: the product's, and the wings that only the tests have."""

from config.settings import *  # noqa: F403

# A package each, as in the product's setting: a family is tested by one line here.
FLOWLEDGER_WINGS = [
    *FLOWLEDGER_WINGS,  # noqa: F405
]

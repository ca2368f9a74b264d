"""The settings of `served`, with the stock view beside the product's."""

from tests.benchmarks.served import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.stock"

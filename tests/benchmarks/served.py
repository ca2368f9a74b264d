"""The product's settings for a server of its own process, on the database that the benchmark made."""

import os

from config.settings import *  # noqa: F403
from config.settings import DATABASES

DEBUG = False
DATABASES["default"]["NAME"] = os.environ["FLOWLEDGER_BENCH_DATABASE"]

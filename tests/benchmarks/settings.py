"""The product's settings, with the peers installed and a database of this process alone."""

import os

from config.database.settings import as_owner
from config.settings import *  # noqa: F403
from config.settings import DATABASES, INSTALLED_APPS, LOGGING

# Django keeps a log of every query in debug mode, which would slow all variants and so flatten the ratios.
DEBUG = False
INSTALLED_APPS = [*INSTALLED_APPS, "pghistory", "simple_history", "tests.benchmarks.peers"]
# A line for each request would bury what a benchmark says.
LOGGING["loggers"]["flowledger.request"] = {"level": "WARNING"}
ROOT_URLCONF = "tests.benchmarks.urls"
DATABASES["default"]["NAME"] = f"flowledger_bench_{os.getpid()}"
# A second connection, of the owner: vacuums and seeds while the web's session stays as warm as it is.
DATABASES["owner"] = as_owner(DATABASES["default"])

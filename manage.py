#!/usr/bin/env python
"""Runs Flowledger's commands; `manage.py demo` is the one to start with."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.exit(str(wrong))
    except OperationalError as wrong:
        # An error of the server's own has a code; without one there was no connection, and the text says why.
        if getattr(wrong.__cause__, "sqlstate", None) is not None:
            raise
        sys.exit(f"The database cannot be used. {wrong}".strip())
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: what was not finished is undone.\n")
        sys.exit(130)

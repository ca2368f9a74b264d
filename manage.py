#!/usr/bin/env python
"""Runs Flowledger's commands; `manage.py demo` is the one to start with."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as wrong:
        sys.exit(str(wrong))
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted: what was not finished is undone.\n")
        sys.exit(130)

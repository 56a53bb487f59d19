#!/usr/bin/env python
"""Copydesk's command line."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed in this Python. Run `make run`, then use .venv/bin/python manage.py …"
        ) from error
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # its message says what to do; a traceback would hide it
        if "--traceback" in sys.argv:
            raise
        raise SystemExit(f"{error}") from None


if __name__ == "__main__":
    main()

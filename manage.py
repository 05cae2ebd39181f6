#!/usr/bin/env python3
"""Django's command line for the example marketplace."""

import os
import sys


def main() -> None:
    """Run a management command with the marketplace's settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

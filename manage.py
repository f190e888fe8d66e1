#!/usr/bin/env python
"""Django's command line. In a development checkout `python3 dev.py manage COMMAND` brings its own servers."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")
    execute_from_command_line(sys.argv)

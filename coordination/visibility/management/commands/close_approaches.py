"""`manage.py close_approaches`: when targets pass the Earth, how near and how fast, as CSV or JSON."""

import math
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from coordination.visibility import inputs


class Command(BaseCommand):
    help = "Minima of the distance between targets and the Earth's centre: TDB, au, km/s."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        inputs.add_target_arguments(parser)
        parser.add_argument("--start", required=True, help="ISO 8601, UTC unless it gives an offset")
        parser.add_argument("--stop", required=True, help="ISO 8601")
        parser.add_argument("--within-au", type=float, default=0.05, help="largest distance listed (default 0.05)")
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        from coordination.visibility.ephemeris_rows import close_approach_columns
        from coordination.visibility.rows import render

        with inputs.refusals():
            first, last = inputs.read_span(options["start"], options["stop"])
            if not 0.0 < options["within_au"] < math.inf:
                raise inputs.InputError(f"--within-au {options['within_au']}: expected a finite distance above 0 au")
            targets = inputs.read_targets(options)
            columns = close_approach_columns(targets, first, last, options["within_au"], inputs.read_planets())
        return render(columns, options["format"])

"""`manage.py ephemeris`: places of targets as sites see them, as CSV or JSON on standard output."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from coordination.visibility import inputs


class Command(BaseCommand):
    help = "Places of targets at given times from MPC observatory codes (500 is the geocentre)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        inputs.add_target_arguments(parser)
        parser.add_argument("--site", action="append", required=True, metavar="CODE", help="MPC code; may be repeated")
        parser.add_argument("--start", help="first instant, ISO 8601, UTC unless it gives an offset")
        parser.add_argument("--stop", help="last instant")
        parser.add_argument("--step", help="such as 1d, 6h, 30m, 10s")
        parser.add_argument("--times", type=Path, metavar="FILE", help="one ISO UTC instant a line, instead of a span")
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        from coordination.visibility.ephemeris_rows import ephemeris_columns
        from coordination.visibility.rows import render

        with inputs.refusals():
            times = inputs.read_times(options)
            sites = inputs.read_sites(options["site"], geocentre=True)
            targets = inputs.read_targets(options)
            inputs.require_rows(len(targets), len(sites), times.size)
            columns = ephemeris_columns(targets, sites, times, inputs.read_planets())
        return render(columns, options["format"])

"""`manage.py ephemeris`: places of targets as sites see them, as CSV or JSON on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from coordination.visibility import inputs

if TYPE_CHECKING:
    from targets.orbits.covariance import OrbitCovariance
    from targets.orbits.planets import Planets


class Command(BaseCommand):
    help = (
        "Places of targets at given times from MPC observatory codes (500 is the geocentre). The last column says how "
        "far the orbit can be trusted then (good, fair, poor); times at which it is unusable are left out."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        inputs.add_target_arguments(parser)
        parser.add_argument("--site", action="append", required=True, metavar="CODE", help="MPC code; may be repeated")
        parser.add_argument("--start", help="first instant, ISO 8601, UTC unless it gives an offset")
        parser.add_argument("--stop", help="last instant")
        parser.add_argument("--step", help="such as 1d, 6h, 30m, 10s")
        parser.add_argument("--times", type=Path, metavar="FILE", help="one ISO UTC instant a line, instead of a span")
        parser.add_argument(
            "--uncertainty",
            action="store_true",
            help="three more columns: the 1-sigma ellipse on the sky (empty where nothing is known of the orbit's "
            "accuracy), integrated and from the site itself",
        )
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        from coordination.visibility.ephemeris_rows import KnownTargets, trusted_ephemeris_columns
        from coordination.visibility.rows import render

        with inputs.refusals():
            times = inputs.read_times(options)
            sites = inputs.read_sites(options["site"], geocentre=True)
            targets = inputs.read_targets(options)
            inputs.require_rows(len(targets), len(sites), times.size)
            planets = inputs.read_planets()
            knowledge = inputs.read_knowledge(options, len(targets))
            covariances = _covariances(options, len(targets), planets) if options["uncertainty"] else None
            known = KnownTargets(targets, knowledge, covariances)
            columns = trusted_ephemeris_columns(known, sites, times, planets, self.stderr.write)
        return render(columns, options["format"])


def _covariances(options: dict[str, Any], count: int, planets: Planets) -> list[OrbitCovariance | None]:
    """For the columns of --uncertainty. A file of elements says nothing of their accuracy."""
    if options["elements"] is not None:
        return [None] * count
    from targets.services.orbit_quality import current_knowledge

    _, covariances = current_knowledge(options["target"], planets)
    return covariances

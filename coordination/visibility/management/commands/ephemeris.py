"""`manage.py ephemeris`: places of targets as sites see them, as CSV or JSON on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand

from coordination.visibility import inputs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coordination.visibility.rows import Column
    from targets.orbits.covariance import OrbitCovariance
    from targets.orbits.elements import OrbitBatch
    from targets.orbits.planets import Planets


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
        parser.add_argument(
            "--uncertainty",
            action="store_true",
            help="four more columns: the 1-sigma ellipse on the sky (empty where nothing is known of the orbit's "
            "accuracy) and how far the orbit can be trusted (good, fair, poor, unusable)",
        )
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        from coordination.visibility.ephemeris_rows import ephemeris_columns
        from coordination.visibility.rows import render

        with inputs.refusals():
            times = inputs.read_times(options)
            sites = inputs.read_sites(options["site"], geocentre=True)
            targets = inputs.read_targets(options)
            inputs.require_rows(len(targets), len(sites), times.size)
            planets = inputs.read_planets()
            columns = ephemeris_columns(targets, sites, times, planets)
            if options["uncertainty"]:
                columns += _uncertainty(options, targets, sites, times, columns, planets)
        return render(columns, options["format"])


def _uncertainty(
    options: dict[str, Any],
    targets: OrbitBatch,
    sites: list[inputs.Site],
    times: NDArray[np.datetime64],
    columns: list[Column],
    planets: Planets,
) -> list[Column]:
    """The columns of --uncertainty. A file of elements says nothing of their accuracy."""
    from coordination.visibility.uncertainty_rows import uncertainty_columns
    from targets.orbits.runoff import OrbitQuality

    covariances: list[OrbitCovariance | None] = [None] * len(targets)
    if options["elements"] is not None:
        qualities = [OrbitQuality()] * len(targets)
    else:
        from targets.services.orbit_quality import current_knowledge

        qualities, covariances = current_knowledge(options["target"], planets)
    delta = next(column.values for column in columns if column.name == "delta_au")
    return uncertainty_columns(qualities, covariances, targets.epoch_tdb_mjd, sites, times, delta, planets)

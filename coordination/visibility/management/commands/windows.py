"""`manage.py windows`: when sites or telescopes can observe targets, as CSV or JSON on standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.management.base import BaseCommand

from coordination.visibility import inputs

if TYPE_CHECKING:
    from coordination.visibility.engine.cells import Telescope
    from coordination.visibility.engine.closures import Closures

MOST_NIGHTS = 400
# Options of the command and the fields of `Limits` that they set.
LIMIT_OPTIONS = {
    "sun_alt": ("sun_alt_deg", "DEG", "the Sun's centre is below this (airless)"),
    "min_alt": ("min_alt_deg", "DEG", "lowest altitude"),
    "max_alt": ("max_alt_deg", "DEG", "highest altitude"),
    "moon_sep": ("moon_sep_deg", "DEG", "least distance of the Moon; 0 for none"),
    "moon_sep_new": ("moon_sep_new_deg", "DEG", "the same at new Moon, growing with the illuminated fraction"),
    "v_limit": ("v_limit_mag", "MAG", "faintest V"),
    "max_rate": ("max_rate_arcsec_min", "RATE", "fastest motion, arcsec/min"),
    "galactic_latitude": ("galactic_latitude_min_deg", "DEG", "least distance from the galactic plane"),
    "min_duration": ("min_duration_minutes", "MINUTES", "shortest window"),
}


class Command(BaseCommand):
    help = (
        "Visibility windows of targets from noon UTC of a date for some nights of 24 h. With --site a bare place is "
        "meant: only the limits given here apply. With --telescope its stored limits and closures apply, and limits "
        "given here replace them."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        inputs.add_target_arguments(parser)
        add_telescope_arguments(parser)
        parser.add_argument("--start", required=True, metavar="DATE", help="YYYY-MM-DD: from its noon UTC")
        parser.add_argument("--nights", required=True, type=int, metavar="N")
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        from coordination.visibility.rows import render
        from coordination.visibility.window_rows import window_columns

        with inputs.refusals():
            start, end = read_nights(options["start"], options["nights"])
            telescopes = read_telescopes(options)
            targets = inputs.read_targets(options)
            for name in np.array(targets.names, dtype=object)[np.isnan(targets.h_mag)]:
                self.stderr.write(f"{name}: H is not known, so no V; no window is found under a magnitude limit")
            closures = stored_closures(options["telescope"] or [], start, end)
            knowledge = inputs.read_knowledge(options, len(targets))
            columns = window_columns(
                targets, telescopes, start, end, inputs.read_planets(), closures, knowledge, self.stderr.write
            )
        return render(columns, options["format"])


def add_telescope_arguments(parser: ArgumentParser) -> Any:
    """--site or --telescope, and the limits. Returns the group of what can stand in their place."""
    from coordination.visibility.engine.limits import Limits

    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--site", action="append", metavar="CODE", help="MPC code; may be repeated")
    where.add_argument("--telescope", action="append", metavar="ID", type=int, help="stored telescope; may be repeated")
    usual = Limits()
    for option, (field, unit, meaning) in LIMIT_OPTIONS.items():
        default = getattr(usual, field)
        usually = "" if default is None else f" (for a site {default:g})"
        parser.add_argument(f"--{option.replace('_', '-')}", type=float, metavar=unit, help=meaning + usually)
    parser.add_argument(
        "--hour-angle", nargs=2, type=float, metavar=("FIRST", "LAST"), help="hour angles in h, east negative"
    )
    parser.add_argument("--refraction", action="store_true", help="altitude limits are meant as seen through the air")
    return where


def read_nights(date: str, nights: int) -> tuple[np.datetime64, np.datetime64]:
    """Noon UTC of a date and the end of N x 24 h after it. Raises InputError."""
    day = inputs.read_date("--start", date)
    if not 1 <= nights <= MOST_NIGHTS:
        raise inputs.InputError(f"--nights {nights}: expected 1 to {MOST_NIGHTS}")
    noon = np.datetime64(day, "us") + np.timedelta64(12, "h")
    return noon, noon + np.timedelta64(24 * nights, "h")


def read_telescopes(options: dict[str, Any]) -> list[Telescope]:
    """The places or telescopes asked for, with their limits. Raises ValueError for unknown ones and
    impossible limits.
    """
    from coordination.visibility.engine.cells import Telescope
    from coordination.visibility.engine.limits import Limits

    given: dict[str, Any] = {
        field: options[option] for option, (field, _, _) in LIMIT_OPTIONS.items() if options[option] is not None
    }
    if options["hour_angle"] is not None:
        given["hour_angle_h"] = tuple(options["hour_angle"])
    if options["refraction"]:
        given["refraction"] = True
    if options["telescope"] is None:
        limits = Limits(**given)
        sites = [(site.code, site.place) for site in inputs.read_sites(options["site"])]
        return [Telescope(place, limits, code) for code, place in sites if place is not None]
    return [replace(each, limits=replace(each.limits, **given)) for each in stored_telescopes(options["telescope"])]


def stored_telescopes(ids: list[int]) -> list[Telescope]:
    """Telescopes of the database by id, each once, in that order. Raises InputError for ids that are not
    there.
    """
    from coordination.common.problems import DomainError
    from coordination.visibility.computing import engine_telescope
    from observatories.services import telescopes_for_windows

    try:
        return [engine_telescope(telescope) for telescope in telescopes_for_windows(dict.fromkeys(ids))]
    except DomainError as refusal:
        raise inputs.InputError(refusal.detail) from refusal


def stored_closures(ids: list[int], start_utc: np.datetime64, end_utc: np.datetime64) -> Closures | None:
    """Closures of telescopes of the database, told as `stored_telescopes` orders them, over [start, end) UTC; None for
    bare places.
    """
    if not ids:
        return None
    from coordination.common.timescales import to_datetime
    from coordination.visibility.computing import engine_closures
    from observatories.services import closures_between

    order = list(dict.fromkeys(ids))
    return engine_closures(closures_between(order, to_datetime(start_utc), to_datetime(end_utc)), order)

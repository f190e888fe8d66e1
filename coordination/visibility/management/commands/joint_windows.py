"""`manage.py joint_windows`: when several sites can observe targets together, as CSV or JSON on standard output."""

from __future__ import annotations

import math
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.core.management.base import BaseCommand

from coordination.visibility import inputs
from coordination.visibility.management.commands.windows import (
    MOST_NIGHTS,
    add_telescope_arguments,
    read_nights,
    read_telescopes,
    stored_closures,
)

if TYPE_CHECKING:
    from coordination.visibility.engine.cells import Telescope
    from coordination.visibility.rows import Column
    from coordination.visibility.searching import Search

SIMULTANEOUS, RELAY, LAST_CHANCE = "simultaneous", "relay", "last-chance"
# Options of the command that are numbers: unit, default, meaning. None of them is negative.
NUMBERS: dict[str, tuple[str, float | None, str]] = {
    "least_minutes": ("MINUTES", 0.0, "leave out shorter joint windows, or legs"),
    "handover_minutes": ("MINUTES", 10.0, "by so much neighbours of a relay overlap"),
    "rotation_period": ("HOURS", None, "to tell the fraction of rotation phases that a relay covers"),
    "astrometric_error": ("ARCSEC", 0.2, "of one site's place"),
    "timing_error": ("SECONDS", 0.0, "of one site's clock"),
    "uncertainty": ("ARCSEC", None, "1-sigma semi-major axis of the target's place, to tell if it fits the fields"),
    "field": ("ARCMIN", None, "smaller side of the field of a site; stored telescopes have their own"),
}


class Command(BaseCommand):
    help = (
        "Joint windows: when telescopes of at least K sites can observe at once, in segments of constant membership "
        "with what they yield at start, middle and end. Or the relay of telescopes that covers the most time, with its "
        "gaps. Or the last chance of each telescope in the span. Places within 50 km are one site. --site, --telescope "
        "and limits as for the command `windows`."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        inputs.add_target_arguments(parser)
        where = add_telescope_arguments(parser)
        where.add_argument("--sites", metavar="CODE,CODE", help="MPC codes in a row")
        parser.add_argument("--start", required=True, metavar="TIME", help="with --nights a date; else an instant")
        until = parser.add_mutually_exclusive_group(required=True)
        until.add_argument("--nights", type=int, metavar="N", help="so many times 24 h from noon UTC of the date")
        until.add_argument("--stop", metavar="TIME", help="an instant")
        parser.add_argument("--mode", choices=(SIMULTANEOUS, RELAY, LAST_CHANCE), default=SIMULTANEOUS)
        parser.add_argument("--min-sites", type=int, default=2, metavar="K", help="default: %(default)s")
        parser.add_argument("--further", metavar="CODE,CODE", help="sites that could fill gaps of a relay")
        for option, (unit, usual, meaning) in NUMBERS.items():
            told = meaning if usual is None else f"{meaning} (default: {usual:g})"
            parser.add_argument(f"--{option.replace('_', '-')}", type=float, default=usual, metavar=unit, help=told)
        inputs.add_format_argument(parser)

    def handle(self, *args: Any, **options: Any) -> str:
        from coordination.visibility.rows import render

        with inputs.refusals():
            _check(options)
            start, end = _read_span(options)
            if options["sites"] is not None:
                options["site"] = _codes(options["sites"])
                if not options["site"]:
                    raise inputs.InputError(f"--sites {options['sites']!r}: expected MPC codes such as W84,J04")
            network = _Network.read(options, start, end)
            for name in network.idle:
                self.stderr.write(f"telescope {name} is not active: left out")
            columns = {SIMULTANEOUS: _joint, RELAY: _relay, LAST_CHANCE: _last_chance}[options["mode"]](
                network, options
            )
        return render(columns, options["format"])


@dataclass(frozen=True)
class _Network:
    """Telescopes over [start, end) UTC, with what they are called; those left out are `idle`."""

    telescopes: list[Telescope]
    names: list[str]
    field_arcsec: list[float]
    ids: list[int]
    idle: list[str]
    start: np.datetime64
    end: np.datetime64

    @classmethod
    def read(cls, options: dict[str, Any], start: np.datetime64, end: np.datetime64) -> _Network:
        if options["telescope"] is None:
            telescopes = read_telescopes(options)
            names = [telescope.name for telescope in telescopes]
            field = 60.0 * (math.nan if options["field"] is None else options["field"])
            return cls(telescopes, names, [field] * len(names), [], [], start, end)
        from observatories.services import telescopes_for_windows

        read_telescopes(options)  # says which is not there, as `windows` does
        stored = telescopes_for_windows(dict.fromkeys(options["telescope"]))
        active = [telescope for telescope in stored if telescope.state == telescope.State.ACTIVE]
        ids = [telescope.pk for telescope in active]
        return cls(
            telescopes=read_telescopes({**options, "telescope": ids}),
            names=[str(pk) for pk in ids],
            field_arcsec=[3600.0 * min(t.field_width_deg, t.field_height_deg) for t in active],
            ids=ids,
            idle=[str(telescope.pk) for telescope in stored if telescope.pk not in ids],
            start=start,
            end=end,
        )

    def searches(self, options: dict[str, Any]) -> Iterator[tuple[str, Search]]:
        """Names of the targets, and each over these telescopes."""
        from coordination.common.timescales import utc_to_tt_mjd
        from coordination.visibility.engine.observe import observe
        from coordination.visibility.searching import Search
        from coordination.visibility.trusting import Knowledge

        targets, planets = inputs.read_targets(options), inputs.read_planets()
        observing = observe(self.telescopes, float(utc_to_tt_mjd(self.start)), float(utc_to_tt_mjd(self.end)), planets)
        closures = stored_closures(self.ids, self.start, self.end)
        known = inputs.read_knowledge(options, len(targets))
        for k, name in enumerate(targets.names):
            mine = Knowledge(known.qualities[k : k + 1], known.covariances[k : k + 1])
            yield name, Search.over(targets.take([k]), observing, planets, closures, mine)


def _joint(network: _Network, options: dict[str, Any]) -> list[Column]:
    from coordination.visibility.engine.baselines import Errors
    from coordination.visibility.joint_results import constant_uncertainty, joint_windows_in
    from coordination.visibility.joint_rows import joint_columns

    found = [
        (
            name,
            joint_windows_in(
                search,
                range(len(network.names)),
                min_sites=options["min_sites"],
                least_minutes=options["least_minutes"],
                errors=Errors(options["astrometric_error"], options["timing_error"]),
                field_arcsec=network.field_arcsec,
                uncertainty=constant_uncertainty(options["uncertainty"]),
            ),
        )
        for name, search in network.searches(options)
    ]
    return joint_columns(found, network.names)


def _relay(network: _Network, options: dict[str, Any]) -> list[Column]:
    from coordination.visibility.joint_results import Outside, relay_in
    from coordination.visibility.joint_rows import relay_columns

    others = _Network.read(
        {**options, "telescope": None, "site": _codes(options["further"] or "")}, network.start, network.end
    )
    searches = network.searches(options)
    filling = others.searches(options)
    found = []
    for name, search in searches:
        chain = relay_in(
            search,
            range(len(network.names)),
            handover_minutes=options["handover_minutes"],
            least_minutes=options["least_minutes"],
            rotation_period_h=options["rotation_period"],
            further=next(filling)[1] if others.names else None,
            outside=[Outside(code) for code in others.names],
        )
        found.append((name, chain))
    return relay_columns(found, network.names)


def _last_chance(network: _Network, options: dict[str, Any]) -> list[Column]:
    from coordination.visibility.joint_results import last_chances_in
    from coordination.visibility.joint_rows import last_chance_columns

    found = [(name, last_chances_in(search, range(len(network.names)))) for name, search in network.searches(options)]
    return last_chance_columns(found, network.names)


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]


def _read_span(options: dict[str, Any]) -> tuple[np.datetime64, np.datetime64]:
    """From --start and --nights or --stop. Raises InputError."""
    if options["nights"] is not None:
        return read_nights(options["start"], options["nights"])
    start, end = inputs.read_span(options["start"], options["stop"])
    if not np.timedelta64(0, "us") < end - start <= np.timedelta64(MOST_NIGHTS, "D"):
        raise inputs.InputError(f"--stop {options['stop']}: expected up to {MOST_NIGHTS} days after --start")
    return start, end


def _check(options: dict[str, Any]) -> None:
    """Refuse numbers that make no sense, and what belongs to another mode. Raises InputError."""
    if options["min_sites"] < 1:
        raise inputs.InputError(f"--min-sites {options['min_sites']}: expected a whole number from 1")
    for option in NUMBERS:
        value = options[option]
        if value is not None and not (math.isfinite(value) and value >= 0.0):
            raise inputs.InputError(f"--{option.replace('_', '-')} {value:g}: expected a number from 0")
    if options["rotation_period"] == 0.0:
        raise inputs.InputError("--rotation-period 0: expected more than 0 hours")
    if options["further"] is not None and options["mode"] != RELAY:
        raise inputs.InputError("--further goes with --mode relay")

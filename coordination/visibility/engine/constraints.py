"""The constraints of a telescope one by one, in the units in which people speak of them: how much of each is met at
any instant, and what to call it.

The search itself asks only for signs and roots and has quicker forms (`dense`, `closed_form`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.galactic import MilkyWay
from coordination.visibility.engine.pairs import Pairs
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.horizon import HorizonMask
from observatories.sites.sun_moon import SunMoon

FloatArray = NDArray[np.float64]
Measure = Callable[[Pairs, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]


@dataclass(frozen=True)
class Constraint:
    """One limit of a telescope.

    measure(pairs, tau, tt_mjd), all (k,): by how much it is met (negative: missed), and the value that is compared
    with the limit, both in `unit` (the horizon's value is the height above the mask). met: what is true where it
    holds; missed: what is true where it does not; never(value, by): what to say where it holds at no time, given the
    best value reached and by how much it misses.
    """

    edge: Edge
    unit: str
    measure: Measure
    met: str
    missed: str
    never: Callable[[float, float], str]


def constraints_of(telescope: Telescope, sun_moon: SunMoon) -> list[Constraint]:
    """The limits that a telescope has, the Sun and closures apart; those first that best explain a night without a
    window.

    Altitudes are compared as the limits count them: as seen through the air where `Limits.refraction` is set.
    """
    limits, place = telescope.limits, telescope.place
    found = []
    if limits.v_limit_mag is not None:
        found.append(_magnitude(limits.v_limit_mag))
    found.append(_altitude(limits.min_alt_deg, limits.geometric_deg(limits.min_alt_deg, place)))
    horizon = limits.geometric_horizon(place)
    if horizon is not None:
        found.append(_horizon(horizon))
    if limits.needs_moon:
        found.append(_moon(telescope, sun_moon))
    if limits.hour_angle_h is not None:
        found.append(_hour_angle(*limits.hour_angle_h))
    if limits.max_alt_deg is not None:
        found.append(_altitude_max(limits.max_alt_deg, limits.geometric_deg(limits.max_alt_deg, place)))
    if limits.max_rate_arcsec_min is not None:
        found.append(_rate(limits.max_rate_arcsec_min))
    if limits.galactic_latitude_min_deg is not None:
        found.append(_galactic(limits.galactic_latitude_min_deg, place, sun_moon))
    return found


def apart(value: float, limit: float, decimals: int = 1) -> str:
    """A number with as many decimals as tell it from its limit, four at most."""
    while decimals < 4 and round(value, decimals) == round(limit, decimals):
        decimals += 1
    return f"{value:.{decimals}f}"


def _magnitude(faintest: float) -> Constraint:
    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        v_mag = pairs.v_mag(tau)
        return faintest - v_mag, v_mag

    def never(value: float, by: float) -> str:
        if np.isnan(value):
            return "of unknown brightness: it has no absolute magnitude H"
        return f"too faint by {apart(-by, 0.0)} mag (V {apart(value, faintest)} at its brightest, limit {faintest:g})"

    return Constraint(
        Edge.MAGNITUDE, "mag", measure, f"brighter than V {faintest:g}", f"it is fainter than V {faintest:g}", never
    )


def _altitude(lowest: float, geometric: float) -> Constraint:
    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        margin = _altitude_deg(pairs, tau) - geometric
        return margin, lowest + margin

    return Constraint(
        Edge.ALTITUDE,
        "deg",
        measure,
        f"above {lowest:g} deg",
        f"it is below {lowest:g} deg",
        lambda value, by: f"never above {lowest:g} deg ({apart(value, lowest)} deg at its highest in the dark)",
    )


def _altitude_max(highest: float, geometric: float) -> Constraint:
    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        margin = geometric - _altitude_deg(pairs, tau)
        return margin, highest - margin

    return Constraint(
        Edge.ALTITUDE_MAX,
        "deg",
        measure,
        f"below {highest:g} deg",
        f"it is above {highest:g} deg",
        lambda value, by: f"never below {highest:g} deg ({apart(value, highest)} deg at its lowest in the dark)",
    )


def _altitude_deg(pairs: Pairs, tau: FloatArray) -> FloatArray:
    return np.asarray(np.degrees(np.arcsin(np.clip(pairs.altitude_sine(tau), -1.0, 1.0))))


def _hour_angle(first_h: float, last_h: float) -> Constraint:
    centre, half = 0.5 * (first_h + last_h), 0.5 * (last_h - first_h)

    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        hour_angle = np.degrees(pairs.hour_angle_rad(tau)) / 15.0
        return half - np.abs((hour_angle - centre + 12.0) % 24.0 - 12.0), hour_angle

    def never(value: float, by: float) -> str:
        nearest = apart(value, first_h if abs(value - first_h) < abs(value - last_h) else last_h)
        return f"hour angle never from {first_h:g} h to {last_h:g} h ({nearest} h at its nearest)"

    return Constraint(
        Edge.HOUR_ANGLE,
        "h",
        measure,
        f"at hour angles from {first_h:g} h to {last_h:g} h",
        f"its hour angle is not from {first_h:g} h to {last_h:g} h",
        never,
    )


def _horizon(mask: HorizonMask) -> Constraint:
    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        azimuth, altitude = pairs.horizontal_deg(tau)
        over = altitude - mask.altitude_at(azimuth)
        return over, over

    return Constraint(
        Edge.HORIZON,
        "deg",
        measure,
        "above the horizon mask",
        "it is below the horizon mask",
        lambda value, by: f"never above the horizon mask ({apart(-by, 0.0)} deg below it at its highest)",
    )


def _moon(telescope: Telescope, sun_moon: SunMoon) -> Constraint:
    limits = telescope.limits

    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        separation = np.degrees(np.arccos(np.clip(pairs.moon_separation_cosine(tau), -1.0, 1.0)))
        return separation - limits.moon_separation_deg(sun_moon.illuminated_fraction(tt_mjd)), separation

    def never(value: float, by: float) -> str:
        needed = value - by
        return f"Moon {apart(value, needed, 0)} deg away ({_plain(needed)} deg needed)"

    constant = limits.moon_sep_new_deg in (None, limits.moon_sep_deg)
    least = f"{limits.moon_sep_deg:g} deg" if constant else "what its light asks for"
    return Constraint(
        Edge.MOON, "deg", measure, f"farther than {least} from the Moon", f"the Moon is within {least}", never
    )


def _plain(number: float) -> str:
    return f"{round(number, 1):g}"


def _rate(fastest: float) -> Constraint:
    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        rate = pairs.rate_arcsec_min(tau)
        return fastest - rate, rate

    return Constraint(
        Edge.RATE,
        "arcsec/min",
        measure,
        f"slower than {fastest:g} arcsec/min",
        f"it moves faster than {fastest:g} arcsec/min",
        lambda value, by: (
            f"never slower than {fastest:g} arcsec/min ({apart(value, fastest)} arcsec/min at its slowest in the dark)"
        ),
    )


def _galactic(least: float, place: Place, sun_moon: SunMoon) -> Constraint:
    earth = EarthOrientation.from_astropy()

    def measure(pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        sine = MilkyWay(pairs.series, place, sun_moon, earth).latitude_sine(pairs.objects, tt_mjd)
        latitude = np.abs(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))
        return latitude - least, latitude

    return Constraint(
        Edge.GALACTIC,
        "deg",
        measure,
        f"{least:g} deg and more from the galactic plane",
        f"it is within {least:g} deg of the galactic plane",
        lambda value, by: f"never {least:g} deg from the galactic plane ({apart(value, least)} deg at its farthest)",
    )

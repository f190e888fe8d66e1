"""The columns of an ephemeris as the API tells them: those of the command `ephemeris`, with units and meanings."""

from collections.abc import Callable
from typing import Any

from coordination.common.tables import INSTANT, REAL, TEXT, TRUTH, TableColumn


def _named(name: str) -> Callable[[Any], Any]:
    return lambda row: row[name]


def _real(name: str, unit: str, ucd: str, decimals: int, description: str) -> TableColumn:
    return TableColumn(name, REAL, description, _named(name), unit=unit, ucd=ucd, decimals=decimals)


_PLACES = (
    TableColumn("utc", INSTANT, "instant, UTC", _named("utc"), ucd="time.epoch"),
    _real("ra_deg", "deg", "pos.eq.ra;meta.main", 9, "right ascension, astrometric ICRF, from the site"),
    _real("dec_deg", "deg", "pos.eq.dec;meta.main", 9, "declination"),
    _real("ra_apparent_deg", "deg", "pos.eq.ra", 9, "apparent right ascension, true equator and equinox of date"),
    _real("dec_apparent_deg", "deg", "pos.eq.dec", 9, "apparent declination"),
    _real("az_deg", "deg", "pos.az.azi", 7, "azimuth, north through east; null from the geocentre"),
    _real("alt_deg", "deg", "pos.az.alt", 7, "altitude without refraction; null from the geocentre"),
    _real("airmass", "", "obs.airMass", 4, "airmass; null below the horizon"),
    _real("delta_au", "AU", "pos.distance", 13, "distance from the site"),
    _real("r_au", "AU", "pos.distance;pos.heliocentric", 12, "distance from the Sun"),
    _real("phase_deg", "deg", "pos.phaseAng", 5, "angle Sun-target-observer"),
    _real("elong_deg", "deg", "pos.angDistance", 5, "elongation: distance from the Sun on the sky"),
    _real("v_mag", "mag", "phot.mag;em.opt.V", 4, "V; null where H is unknown"),
    _real("rate_arcsec_min", "arcsec/min", "pos.pm", 5, "motion on the sky"),
    _real("pa_deg", "deg", "pos.posAng", 4, "direction of the motion, north through east"),
    _real("sun_alt_deg", "deg", "pos.az.alt", 5, "altitude of the Sun; null from the geocentre"),
    _real("moon_sep_deg", "deg", "pos.angDistance", 5, "distance of the Moon"),
    _real("v_sigma_mag", "mag", "stat.error;phot.mag", 3, "1-sigma of V, from that of H; null: not known"),
)
_ELLIPSES = (
    _real("unc_major_arcsec", "arcsec", "stat.error;pos", 4, "semi-major axis of the 1-sigma ellipse; null: not known"),
    _real("unc_minor_arcsec", "arcsec", "stat.error;pos", 4, "semi-minor axis"),
    _real("unc_pa_deg", "deg", "pos.posAng", 2, "of the major axis, north through east, 0 to 180"),
    TableColumn(
        "unc_is_estimate", TRUTH, "true: made from U and the arc; false: from a covariance", _named("unc_is_estimate")
    ),
    TableColumn("unc_nonlinear", TEXT, "why the ellipse is not the truth; empty where it is", _named("unc_nonlinear")),
)
_TRUST = (
    TableColumn("orbit_trust", TEXT, "how far the orbit can be trusted then: good, fair, poor", _named("orbit_trust")),
)

PLAIN = (*_PLACES, *_TRUST)
WITH_ELLIPSES = (*_PLACES, *_ELLIPSES, *_TRUST)

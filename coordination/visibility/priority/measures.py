"""The measures behind a score: figures of n targets in, numbers from 0 to 1 out.

Every function takes arrays (n,) in the units of its arguments' names and returns (n,) float64. NaN is "not known", in
and out. 1 is the most important, most needed, most urgent or most costly. Where several figures say the same thing, the
strongest that is known counts. Scales are linear, or logarithmic (`_log_scale`) where the figure spans decades.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

ALBEDO = 0.14  # of a near-Earth asteroid whose albedo is not known, as JPL's CNEOS assumes
SMALLEST_KM, LARGEST_KM = 0.01, 1.0  # diameters of size 0 and 1: a fireball; a catastrophe everywhere
FAR_AU, NEAR_AU = 0.3, 0.001  # MOID 0 and 1
LEAST_PROBABILITY, MOST_PROBABILITY = 1e-9, 1e-2  # of an impact: 0 and 1
LEAST_PALERMO, MOST_PALERMO = -8.0, 0.0
TORINO_FROM, TORINO_STEP = 0.5, 0.05  # Torino 1 is 0.55, Torino 10 is 1
MOST_RATING = 4.0  # of Scout
LEAST_SIGMA_ARCSEC, MOST_SIGMA_ARCSEC = 0.1, 600.0
SHORT_ARC_D, LONG_ARC_D = 1.0, 3652.5  # arcs of 1 and 0
MOST_U = 9.0
LONG_UNSEEN_D = 1000.0
MOST_FADING_MAG_D = 0.2
LIMIT_EXPONENT = 0.8  # exposures grow with 10^(0.8 mag) where the sky is brighter than the target
USUAL_RATE_MAX_ARCSEC_MIN = 60.0  # where a telescope has no limit
ENOUGH_S = 7200.0  # of window: leaves room for two visits an hour apart
WORST_AIRMASS = 3.0
FIELD_SIGMAS = 6.0  # from -3-sigma to +3-sigma


def diameter_km(diameter_km: ArrayLike, h_mag: ArrayLike) -> FloatArray:
    """The diameter as given, else D = 1329 km / sqrt(albedo) x 10^(-H/5) (Harris & Harris 1997, Icarus 126, 450)."""
    given, h = np.asarray(diameter_km, dtype=float), np.asarray(h_mag, dtype=float)
    return np.where(np.isnan(given), 1329.0 / np.sqrt(ALBEDO) * 10.0 ** (-0.2 * h), given)


def size(diameter_km: ArrayLike) -> FloatArray:
    """Logarithmic, 10 m to 1 km."""
    return _log_scale(diameter_km, SMALLEST_KM, LARGEST_KM)


def moid(moid_au: ArrayLike) -> FloatArray:
    """Of the distance of the orbits of target and Earth: logarithmic, 0.3 au to 0.001 au."""
    return _log_scale(moid_au, FAR_AU, NEAR_AU)


def impact(
    probability: ArrayLike, palermo: ArrayLike, torino: ArrayLike, scout_rating: ArrayLike, is_listed: ArrayLike
) -> FloatArray:
    """The strongest of: cumulative probability, logarithmic from 1e-9 to 1e-2; cumulative Palermo scale, -8 to 0;
    Torino scale, 0 for 0, else 0.5 + 0.05 T; Scout's rating / 4.

    is_listed (n,) float: 1 on the risk list, 0 off it: without a rating nothing is feared (0); NaN: no list is at hand.
    """
    hazard = np.asarray(torino, dtype=float)
    steps = np.where(hazard > 0.0, TORINO_FROM + TORINO_STEP * hazard, hazard * 0.0)
    off = np.asarray(is_listed, dtype=float)
    parts = (
        _log_scale(probability, LEAST_PROBABILITY, MOST_PROBABILITY),
        _scale(palermo, LEAST_PALERMO, MOST_PALERMO),
        _scale(steps, 0.0, 1.0),
        _scale(scout_rating, 0.0, MOST_RATING),
        np.where(off == 0.0, 0.0, np.nan),
    )
    return np.fmax.reduce(np.broadcast_arrays(*parts))


def confirmation(digest2_score: ArrayLike, scout_score: ArrayLike, is_candidate: ArrayLike) -> FloatArray:
    """How likely an unconfirmed object is near-Earth, 0 to 100, by digest2 or Scout; 0 for what needs no confirmation.

    is_candidate (n,) bool.
    """
    score = _scale(np.fmax(np.asarray(digest2_score, float), np.asarray(scout_score, float)), 0.0, 100.0)
    return np.where(np.asarray(is_candidate, dtype=bool), score, 0.0)


def uncertainty(sigma_arcsec: ArrayLike) -> FloatArray:
    """Of the 1-sigma semi-major axis on the sky: logarithmic, 0.1" to 600"."""
    return _log_scale(sigma_arcsec, LEAST_SIGMA_ARCSEC, MOST_SIGMA_ARCSEC)


def arc(arc_days: ArrayLike) -> FloatArray:
    """Logarithmic, 1 for a day and less, 0 for ten years."""
    return _log_scale(arc_days, LONG_ARC_D, SHORT_ARC_D)


def u_parameter(u: ArrayLike) -> FloatArray:
    """The MPC's uncertainty parameter / 9."""
    return _scale(u, 0.0, MOST_U)


def unseen(days: ArrayLike) -> FloatArray:
    """Time since the last observation: logarithmic in days + 1, 0 to 1000 d."""
    return _log_scale(np.maximum(np.asarray(days, dtype=float), 0.0) + 1.0, 1.0, LONG_UNSEEN_D + 1.0)


def within_nights(nights_left: ArrayLike) -> FloatArray:
    """1 / (1 + further nights until something is lost): 1 on the last night, 1/2 on the last but one; 0 where inf."""
    return 1.0 / (1.0 + np.maximum(np.asarray(nights_left, dtype=float), 0.0))


def fading(mag_per_day: ArrayLike) -> FloatArray:
    """0 for what keeps its brightness or brightens, 1 from 0.2 mag a day."""
    return _scale(mag_per_day, 0.0, MOST_FADING_MAG_D)


def closing(seconds: ArrayLike, later_seconds: ArrayLike) -> FloatArray:
    """The share of the night's window that is gone a few nights later; 0 where it grows."""
    now, later = np.asarray(seconds, dtype=float), np.asarray(later_seconds, dtype=float)
    return _scale(1.0 - later / np.where(now > 0.0, now, np.nan), 0.0, 1.0)


def pointings(sigma_arcsec: ArrayLike, field_side_arcsec: ArrayLike) -> FloatArray:
    """Fields in a row that cover 3-sigma to either side; 1 where it fits or where sigma is not known."""
    count = FIELD_SIGMAS * np.asarray(sigma_arcsec, dtype=float) / np.asarray(field_side_arcsec, dtype=float)
    return np.fmax(np.ceil(count), 1.0)


def exposure(v_mag: ArrayLike, limiting_v_mag: ArrayLike, pointings: ArrayLike) -> FloatArray:
    """Exposure needed over that for a target at the telescope's limit, 10^(0.8 (V - limit)), for every pointing."""
    fainter = np.asarray(v_mag, dtype=float) - np.asarray(limiting_v_mag, dtype=float)
    return _scale(10.0 ** (LIMIT_EXPONENT * np.minimum(fainter, 10.0)) * np.asarray(pointings, float), 0.0, 1.0)


def rate(rate_arcsec_min: ArrayLike, rate_max_arcsec_min: ArrayLike) -> FloatArray:
    """Motion over the fastest that the telescope follows, 60"/min where it has no limit."""
    fastest = np.asarray(rate_max_arcsec_min, dtype=float)
    fastest = np.where(np.isnan(fastest), USUAL_RATE_MAX_ARCSEC_MIN, fastest)
    return _scale(np.asarray(rate_arcsec_min, dtype=float) / fastest, 0.0, 1.0)


def shortness(seconds: ArrayLike) -> FloatArray:
    """0 for windows of two hours and more, 1 for none."""
    return _scale(seconds, ENOUGH_S, 0.0)


def airmass(airmass: ArrayLike) -> FloatArray:
    """Where the target is highest: 0 in the zenith, 1 from airmass 3."""
    return _scale(airmass, 1.0, WORST_AIRMASS)


def _scale(values: ArrayLike, zero: float, one: float) -> FloatArray:
    """Linear from `zero` (0) to `one` (1), which may be the smaller; cut at both."""
    return np.clip((np.asarray(values, dtype=float) - zero) / (one - zero), 0.0, 1.0)


def _log_scale(values: ArrayLike, zero: float, one: float) -> FloatArray:
    """The same in the logarithm; what is not greater than 0 counts as the nearest that is."""
    positive = np.maximum(np.asarray(values, dtype=float), min(zero, one))
    return _scale(np.log10(positive), float(np.log10(zero)), float(np.log10(one)))

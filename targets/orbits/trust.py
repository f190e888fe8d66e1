"""How far an orbit can be trusted on a date: good, fair, poor or unusable, and why in words.

What decides is the 1-sigma error on the sky, from an ellipse where one was computed, else from U and arc (see
`runoff`). Beyond that short arcs carried far past their ends, assumed eccentricities and ellipses that are
none (see `uncertainty.NonLinear`) limit the level, because there the error itself is not known well.

The bounds are those of observing: 3-sigma within a minute of arc can be put on a slit or a small field at once,
3-sigma within 6' lies in the field of nearly every telescope, 3-sigma of 3 degrees is for surveys only.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from targets.orbits.planets import iso_day
from targets.orbits.runoff import OrbitQuality, longitude_sigma_arcsec
from targets.orbits.uncertainty import NonLinear

FloatArray = NDArray[np.float64]

GOOD_ARCSEC = 20.0
FAIR_ARCSEC = 120.0
POOR_ARCSEC = 3600.0
FAIR_ARCS = 3.0  # ages, in lengths of a short arc, beyond which an orbit is fair at best ...
POOR_ARCS = 30.0  # ... and poor at best
SHORT_ARC_D = 180.0
ONE_NIGHT_D = 1.0
UNKNOWN_FAIR_D = 200.0  # from the epoch of an orbit of which nothing is known but its elements
NEAR_AU = 0.05  # within which such an orbit is not to be trusted: digits and errors are enlarged twenty times
_LETTER_MEANS = {
    "E": "its eccentricity was assumed (U = E)",
    "D": "it may be two objects (U = D)",
    "F": "its eccentricity was assumed and it may be two objects (U = F)",
}


class Trust(enum.IntEnum):
    """Levels in order: the larger, the worse."""

    GOOD = 0
    FAIR = 1
    POOR = 2
    UNUSABLE = 3

    @property
    def label(self) -> str:
        """The level as a word of the output."""
        return self.name.lower()


@dataclass(frozen=True)
class Verdict:
    """A level with its reason, and the 1-sigma error on the sky it rests on; NaN where nothing is known."""

    level: Trust
    reason: str
    sigma_arcsec: float


def judge(
    quality: OrbitQuality,
    epoch_mjd: float,
    mjd: float,
    delta_au: float | None = None,
    sky_sigma_arcsec: float | None = None,
    nonlinear: NonLinear | int = 0,
) -> Verdict:
    """How far an orbit with elements at `epoch_mjd` can be trusted at `mjd`.

    `sky_sigma_arcsec` and `nonlinear` are the semi-major axis of the 1-sigma ellipse and its flags where they have been
    computed; without them the error is that of the mean longitude as seen from `delta_au` (1 au if None). Dates
    are MJD, the scale does not matter. Raises ValueError for dates, distances or errors that cannot be.
    """
    for field, value in (("epoch_mjd", epoch_mjd), ("mjd", mjd), ("delta_au", delta_au or 0.0)):
        if not math.isfinite(value) or value < 0.0:
            raise ValueError(f"{field} is {value}: expected a finite number of 0 or more")
    if delta_au == 0.0:
        raise ValueError("delta_au is 0: expected a distance above 0")
    if sky_sigma_arcsec is None and not quality.is_known:
        return _of_unknown_quality(epoch_mjd, mjd, delta_au)
    if sky_sigma_arcsec is None:
        sigma = longitude_sigma_arcsec(quality, epoch_mjd, mjd) / (delta_au or 1.0)
    elif math.isfinite(sky_sigma_arcsec) and sky_sigma_arcsec >= 0.0:
        sigma = sky_sigma_arcsec
    else:
        raise ValueError(f"sky_sigma_arcsec is {sky_sigma_arcsec}: expected a finite number of 0 or more")
    level = next((t for t, most in _BOUNDS if sigma <= most), Trust.UNUSABLE)
    reason = f"1-sigma on the sky is {in_words(sigma)}{_basis(quality, mjd, sky_sigma_arcsec is not None)}"
    limits = [*_limits(quality, mjd), *([(Trust.POOR, NonLinear(nonlinear).in_words())] if nonlinear else [])]
    binding = [text for limit, text in limits if limit >= level]
    return Verdict(max([level, *(limit for limit, _ in limits)]), "; ".join([reason, *binding]), sigma)


def trust_levels(
    qualities: Sequence[OrbitQuality],
    epoch_mjd: FloatArray,
    mjd: FloatArray,
    delta_au: FloatArray,
    sky_sigma_arcsec: FloatArray,
    nonlinear: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """The levels of `judge` for n orbits (n,) on n_d dates (n_d,): `Trust` as numbers (n, n_d).

    Distances, 1-sigma errors on the sky and flags are (n, n_d); NaN where nothing is known of an orbit.
    """

    def column(values: list[float | None]) -> FloatArray:
        return np.array([math.nan if value is None else value for value in values], dtype=float)[:, None]

    known = np.array([quality.is_known for quality in qualities], dtype=bool)[:, None] | np.isfinite(sky_sigma_arcsec)
    bounds = [most for _, most in _BOUNDS]
    level = np.searchsorted(bounds, sky_sigma_arcsec, side="left")
    arc, last = (column([getattr(q, name) for q in qualities]) for name in ("arc_days", "last_observed_mjd"))
    age = np.maximum(np.maximum(mjd - last, last - mjd - np.nan_to_num(arc)), 0.0)
    short = (arc < SHORT_ARC_D) & (arc >= ONE_NIGHT_D)
    poor = ((arc < ONE_NIGHT_D) & (age > ONE_NIGHT_D)) | (short & (age > POOR_ARCS * arc)) | (nonlinear != 0)
    poor |= np.array([quality.u_parameter in _LETTER_MEANS for quality in qualities], dtype=bool)[:, None]
    fair = ((arc < ONE_NIGHT_D) & (age > FAIR_ARCS * arc)) | (short & (age > FAIR_ARCS * arc))
    level = np.maximum(level, np.where(poor, Trust.POOR, np.where(fair, Trust.FAIR, Trust.GOOD)))
    doubtful = (np.abs(mjd - epoch_mjd[:, None]) > UNKNOWN_FAIR_D) | (delta_au < NEAR_AU)
    return np.where(known, level, np.where(doubtful, Trust.POOR, Trust.FAIR)).astype(np.uint8)


_BOUNDS = ((Trust.GOOD, GOOD_ARCSEC), (Trust.FAIR, FAIR_ARCSEC), (Trust.POOR, POOR_ARCSEC))


def age_days(quality: OrbitQuality, mjd: float) -> float | None:
    """How long after the last observation a date is, or before the first; 0 within the arc, None if not known."""
    if quality.last_observed_mjd is None:
        return None
    after = mjd - quality.last_observed_mjd
    return max(after, -after - (quality.arc_days or 0.0), 0.0)


def in_words(arcsec: float) -> str:
    """An angle to two digits in the unit that suits it."""
    for unit, text in ((3600.0, "deg"), (60.0, "arcmin")):
        if arcsec >= unit:
            return f"{arcsec / unit:.2g} {text}" if arcsec < 99.5 * unit else f"{arcsec / unit:.0f} {text}"
    return f"{arcsec:.2g} arcsec"


def _basis(quality: OrbitQuality, mjd: float, computed: bool) -> str:
    """What the error rests on: U, arc and age."""
    parts = []
    if quality.u_parameter:
        parts.append(f"U {quality.u_parameter}")
    if quality.arc_days is not None:
        parts.append(f"arc {_days(quality.arc_days)}")
    age = age_days(quality, mjd)
    if age and quality.last_observed_mjd is not None:
        after = mjd > quality.last_observed_mjd
        edge = f"after the last ({iso_day(quality.last_observed_mjd)})" if after else "before the first"
        parts.append(f"{_days(age)} {edge} observation")
    if not parts:
        return ""
    return f" ({'' if computed else 'estimated from '}{', '.join(parts)})"


def _days(days: float) -> str:
    return f"{days / 365.25:.1f} years" if days >= 730.0 else f"{days:.0f} d" if days >= 1.0 else f"{days * 24:.1f} h"


def _limits(quality: OrbitQuality, mjd: float) -> list[tuple[Trust, str]]:
    """The best level that arc and letter allow, with the reason."""
    limits = []
    if quality.u_parameter in _LETTER_MEANS:
        limits.append((Trust.POOR, _LETTER_MEANS[quality.u_parameter]))
    arc, age = quality.arc_days, age_days(quality, mjd)
    if arc is None or age is None:
        return limits
    if arc < ONE_NIGHT_D and age > ONE_NIGHT_D:
        limits.append((Trust.POOR, "it was observed in one night only"))
    elif arc < SHORT_ARC_D and age > POOR_ARCS * arc:
        limits.append((Trust.POOR, f"it is carried {age / arc:.0f} arcs beyond its observations"))
    elif arc < SHORT_ARC_D and age > FAIR_ARCS * arc:
        limits.append((Trust.FAIR, f"it is carried {age / arc:.0f} arcs beyond its observations"))
    return limits


def _of_unknown_quality(epoch_mjd: float, mjd: float, delta_au: float | None) -> Verdict:
    away = abs(mjd - epoch_mjd)
    reason = f"nothing is known of arc and quality; {_days(away)} from the epoch of the elements ({iso_day(epoch_mjd)})"
    if delta_au is not None and delta_au < NEAR_AU:
        return Verdict(Trust.POOR, f"{reason}, and only {delta_au:.2g} au away", math.nan)
    return Verdict(Trust.FAIR if away <= UNKNOWN_FAIR_D else Trust.POOR, reason, math.nan)

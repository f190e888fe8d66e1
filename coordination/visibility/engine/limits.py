"""The limits of one telescope: when it may look at a target."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from observatories.sites.atmosphere import refraction_deg
from observatories.sites.geodesy import Place
from observatories.sites.horizon import HorizonMask

FloatArray = NDArray[np.float64]


class LimitsError(ValueError):
    """Limits that contradict themselves: names the field, the value and what would be accepted."""

    def __init__(self, field: str, value: Any, expected: str) -> None:
        self.field, self.value, self.expected = field, value, expected
        super().__init__(f"{field} is {value!r}: expected {expected}")


@dataclass(frozen=True)
class Limits:
    """What a telescope asks of a target and of the sky. None, and a Moon separation of 0, mean: no such
    limit.

    sun_alt_deg: the Sun's centre must be below (airless). min_alt_deg, max_alt_deg: altitude of the target;
    the minimum counts together with the horizon mask. hour_angle_h: first and last hour angle, east negative,
    such as (-5.0, 4.5). moon_sep_deg: least distance of the Moon, whether it is up or not; moon_sep_new_deg:
    the same at new Moon, from which it grows linearly with the illuminated fraction to moon_sep_deg at full
    Moon. v_limit_mag: faintest V. max_rate_arcsec_min: fastest topocentric motion on the sky.
    galactic_latitude_min_deg: least distance from the galactic plane, on either side. min_duration_minutes:
    shorter windows are dropped. refraction: altitudes (minimum, maximum, horizon) are meant as seen through the
    air, not airless.
    """

    sun_alt_deg: float = -18.0
    min_alt_deg: float = 20.0
    max_alt_deg: float | None = None
    hour_angle_h: tuple[float, float] | None = None
    horizon: HorizonMask | None = None
    moon_sep_deg: float = 30.0
    moon_sep_new_deg: float | None = None
    v_limit_mag: float | None = 21.0
    max_rate_arcsec_min: float | None = None
    galactic_latitude_min_deg: float | None = None
    min_duration_minutes: float = 0.0
    refraction: bool = False

    def __post_init__(self) -> None:
        ranges: tuple[tuple[str, float, float], ...] = (
            ("sun_alt_deg", -90.0, 90.0),
            ("min_alt_deg", -90.0, 90.0),
            ("max_alt_deg", -90.0, 90.0),
            ("moon_sep_deg", 0.0, 180.0),
            ("moon_sep_new_deg", 0.0, 180.0),
            ("v_limit_mag", -30.0, 100.0),
            ("max_rate_arcsec_min", 0.0, math.inf),
            ("galactic_latitude_min_deg", 0.0, 90.0),
            ("min_duration_minutes", 0.0, 1440.0),
        )
        optional = {
            "max_alt_deg",
            "moon_sep_new_deg",
            "v_limit_mag",
            "max_rate_arcsec_min",
            "galactic_latitude_min_deg",
        }
        for field, low, high in ranges:
            value = getattr(self, field)
            if value is None and field in optional:
                continue
            if value is None or math.isnan(value) or not low <= value <= high:
                raise LimitsError(field, value, f"a number from {low:g} to {high:g}")
        if self.max_alt_deg is not None and self.max_alt_deg <= self.min_alt_deg:
            raise LimitsError("max_alt_deg", self.max_alt_deg, f"more than min_alt_deg, {self.min_alt_deg:g}")
        self._check_hour_angles()

    def _check_hour_angles(self) -> None:
        if self.hour_angle_h is None:
            return
        first, last = self.hour_angle_h
        if not -12.0 <= first < last <= 12.0:  # NaN fails too
            raise LimitsError(
                "hour_angle_h", self.hour_angle_h, "two hour angles from -12 to 12, the first before the last"
            )

    def geometric_deg(self, threshold_deg: float, place: Place) -> float:
        """The airless altitude that belongs to an altitude threshold."""
        if not self.refraction:
            return threshold_deg
        return threshold_deg - float(refraction_deg(threshold_deg, place.height_m))

    def geometric_horizon(self, place: Place) -> HorizonMask | None:
        """The horizon mask in airless altitudes."""
        if self.horizon is None or not self.refraction:
            return self.horizon
        altitude = self.horizon.altitude_deg
        return HorizonMask(self.horizon.azimuth_deg, altitude - refraction_deg(altitude, place.height_m))

    def lowest_alt_deg(self, place: Place) -> float:
        """Airless altitude below which nothing can be observed in any direction."""
        lowest = self.geometric_deg(self.min_alt_deg, place)
        horizon = self.geometric_horizon(place)
        return lowest if horizon is None else max(lowest, float(np.min(horizon.altitude_deg)))

    @property
    def needs_moon(self) -> bool:
        """Whether the Moon can forbid anything."""
        return self.moon_sep_deg > 0.0 or bool(self.moon_sep_new_deg)

    def moon_separation_deg(self, illuminated: ArrayLike) -> FloatArray:
        """Least Moon separation, degrees, at illuminated fractions of any shape."""
        new = self.moon_sep_deg if self.moon_sep_new_deg is None else self.moon_sep_new_deg
        return np.asarray(new + (self.moon_sep_deg - new) * np.asarray(illuminated, dtype=float))

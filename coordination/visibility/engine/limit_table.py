"""The limits of many telescopes side by side, as the search compares them: sines and radians, and a value that never
binds where a telescope has no such limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.visibility.engine.limits import Limits
from observatories.sites.geodesy import Place
from observatories.sites.horizon import HorizonMask

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class LimitTable:
    """Limits of t telescopes; every array (t,).

    sin_lat, cos_lat: of the places. sin_min_alt, sin_max_alt, lowest_alt_rad: airless; the last counts the horizon mask
    too. hour_angle_centre_rad, hour_angle_half_rad; moon_new_deg, moon_full_deg: least separations at new and full
    Moon. horizon: masks in airless altitudes. has_*: whether there is such a limit.
    """

    sin_lat: FloatArray
    cos_lat: FloatArray
    sin_min_alt: FloatArray
    sin_max_alt: FloatArray
    lowest_alt_rad: FloatArray
    hour_angle_centre_rad: FloatArray
    hour_angle_half_rad: FloatArray
    moon_new_deg: FloatArray
    moon_full_deg: FloatArray
    v_limit_mag: FloatArray
    max_rate_arcsec_min: FloatArray
    horizon: tuple[HorizonMask | None, ...]
    has_max_alt: BoolArray
    has_hour_angle: BoolArray
    has_moon: BoolArray
    has_v_limit: BoolArray
    has_max_rate: BoolArray
    has_horizon: BoolArray

    @classmethod
    def of(cls, telescopes: Sequence[tuple[Place, Limits]]) -> LimitTable:
        """From places with their limits."""
        limits = [each for _, each in telescopes]
        lat = np.radians([place.lat_deg for place, _ in telescopes])
        lowest = [math.sin(math.radians(each.geometric_deg(each.min_alt_deg, place))) for place, each in telescopes]
        highest = [
            2.0 if each.max_alt_deg is None else math.sin(math.radians(each.geometric_deg(each.max_alt_deg, place)))
            for place, each in telescopes
        ]
        hours = np.array([each.hour_angle_h or (-12.0, 12.0) for each in limits]).reshape(-1, 2)
        horizon = tuple(each.geometric_horizon(place) for place, each in telescopes)

        def column(values: Sequence[float | None], without: float) -> FloatArray:
            return np.array([without if value is None else value for value in values], dtype=float)

        def has(values: Sequence[object]) -> BoolArray:
            return np.array([value is not None for value in values], dtype=bool)

        return cls(
            sin_lat=np.sin(lat),
            cos_lat=np.maximum(np.cos(lat), 1e-12),
            sin_min_alt=np.array(lowest),
            sin_max_alt=np.array(highest),
            lowest_alt_rad=np.radians([each.lowest_alt_deg(place) for place, each in telescopes]),
            hour_angle_centre_rad=np.radians(7.5 * (hours[:, 0] + hours[:, 1])),
            hour_angle_half_rad=np.radians(7.5 * (hours[:, 1] - hours[:, 0])),
            moon_new_deg=column(
                [e.moon_sep_deg if e.moon_sep_new_deg is None else e.moon_sep_new_deg for e in limits], 0.0
            ),
            moon_full_deg=column([each.moon_sep_deg for each in limits], 0.0),
            v_limit_mag=column([each.v_limit_mag for each in limits], math.inf),
            max_rate_arcsec_min=column([each.max_rate_arcsec_min for each in limits], math.inf),
            horizon=horizon,
            has_max_alt=has([each.max_alt_deg for each in limits]),
            has_hour_angle=has([each.hour_angle_h for each in limits]),
            has_moon=np.array([each.needs_moon for each in limits], dtype=bool),
            has_v_limit=has([each.v_limit_mag for each in limits]),
            has_max_rate=has([each.max_rate_arcsec_min for each in limits]),
            has_horizon=has(horizon),
        )

    def moon_separation_deg(self, telescope: IntArray, illuminated: ArrayLike) -> FloatArray:
        """Least Moon separation of telescopes (..., k) at illuminated fractions (..., k) of the Moon."""
        new = self.moon_new_deg[telescope]
        return np.asarray(new + (self.moon_full_deg[telescope] - new) * np.asarray(illuminated, dtype=float))

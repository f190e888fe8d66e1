"""Nights of a place: from local mean solar noon to the next, labelled by the local date of the evening."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.common import timescales
from observatories.sites.geodesy import Place

FloatArray = NDArray[np.float64]
DateArray = NDArray[np.datetime64]

_INSTANT_DAYS = 2e-6 / timescales.DAY_S  # UTC is told in microseconds
_NOON_US, _DEGREE_US = 43_200_000_000, 240_000_000  # mean solar noon moves west by one degree in four minutes


def noon_utc(place: Place, date: ArrayLike) -> DateArray:
    """UTC (datetime64[us]) of mean solar noon on local dates (datetime64[D]): 12:00 - east longitude / 15 h."""
    offset_us = _NOON_US - round(place.lon_east_deg * _DEGREE_US)
    return np.asarray(
        np.asarray(date).astype("datetime64[D]").astype("datetime64[us]") + np.timedelta64(offset_us, "us")
    )


def night_dates(place: Place, tt_mjd: ArrayLike) -> DateArray:
    """Label (datetime64[D]) of the night that instants belong to; the noon that begins a night belongs to it."""
    since_noon = timescales.tt_mjd_to_utc(tt_mjd) - (noon_utc(place, np.datetime64(0, "D")) - np.datetime64(0, "us"))
    return since_noon.astype("datetime64[D]")


@dataclass(frozen=True)
class Nights:
    """Consecutive nights of a place that cover a span.

    date (n,): labels. start_tt_mjd, end_tt_mjd (n,): the noons, the first and last cut at the span.
    """

    date: DateArray
    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray


def nights_between(place: Place, start_tt_mjd: float, end_tt_mjd: float) -> Nights:
    """The nights of a place that have a part in [start, end)."""
    first, last = night_dates(place, np.array([start_tt_mjd, end_tt_mjd - _INSTANT_DAYS]))
    dates = np.arange(first, last + np.timedelta64(1, "D"))
    noons = timescales.utc_to_tt_mjd(noon_utc(place, dates[1:]))
    return Nights(
        date=dates,
        start_tt_mjd=np.concatenate([[start_tt_mjd], noons]),
        end_tt_mjd=np.concatenate([noons, [end_tt_mjd]]),
    )

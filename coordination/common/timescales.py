"""Time scales at the edges of the numerics.

Inside the numerics a time is a Modified Julian Date as float64 with its scale in the name (`_tt_mjd`, `_tdb_mjd`);
the step between two doubles is then 0.6 microseconds. Outside it is UTC. This module is the only bridge. It imports
neither Django nor anything of ours.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

MJD_ZERO_JD = 2400000.5
TT_MINUS_TAI_S = 32.184
DAY_S = 86400.0
_EPOCH = np.datetime64("1858-11-17", "us")  # MJD 0
_DAY_US = 86_400_000_000

FloatArray = NDArray[np.float64]


def _tai_minus_utc_s(utc_day_mjd: NDArray[np.int64]) -> FloatArray:
    """TAI - UTC in seconds, constant over each UTC day since 1972 (IAU SOFA `dat`)."""
    days, place = np.unique(utc_day_mjd, return_inverse=True)
    year, month, day, _ = erfa.jd2cal(MJD_ZERO_JD, days.astype(float))
    return np.asarray(erfa.dat(year, month, day, 0.0), dtype=float)[place].reshape(utc_day_mjd.shape)


def utc_to_tt_mjd(utc: Any) -> FloatArray:
    """TT as MJD of UTC instants.

    `utc` is a datetime64 array (any shape) or one aware `datetime`. A leap second itself (23:59:60) has no datetime64.
    """
    if isinstance(utc, dt.datetime):
        if utc.tzinfo is None:
            raise ValueError("a naive time has no place here: give it a UTC offset")
        utc = np.datetime64(utc.astimezone(dt.UTC).replace(tzinfo=None), "us")
    microseconds = (np.asarray(utc).astype("datetime64[us]") - _EPOCH).astype(np.int64)
    day, rest = np.divmod(microseconds, _DAY_US)
    offset_s = _tai_minus_utc_s(np.atleast_1d(day)).reshape(np.shape(day)) + TT_MINUS_TAI_S
    return np.asarray(day + (rest / 1e6 + offset_s) / DAY_S)


def tt_mjd_to_utc(tt_mjd: ArrayLike) -> NDArray[np.datetime64]:
    """UTC as datetime64[us] of TT given as MJD. An instant inside a leap second becomes the last microsecond of its
    day.
    """
    tt = np.asarray(tt_mjd, dtype=float)
    day = np.floor(tt).astype(np.int64)
    fraction_s = (tt - day) * DAY_S
    flat_day, flat_s = np.atleast_1d(day), np.atleast_1d(fraction_s)
    utc_s = flat_s - TT_MINUS_TAI_S - _tai_minus_utc_s(flat_day)
    before = (
        utc_s < -5e-7
    )  # half a step of the result: the instant still belongs to the day before, which may be a second longer
    shift_s = flat_s - TT_MINUS_TAI_S - _tai_minus_utc_s(flat_day - 1) + DAY_S
    utc_s = np.where(before, np.minimum(shift_s, DAY_S - 1e-6), utc_s)
    microseconds = (flat_day - before) * _DAY_US + np.round(utc_s * 1e6).astype(np.int64)
    return (_EPOCH + microseconds.astype("timedelta64[us]")).reshape(tt.shape)


def tt_to_tdb_mjd(tt_mjd: ArrayLike) -> FloatArray:
    """TDB as MJD. Two terms of the series of Fairhead & Bretagnon: good to 50 microseconds, two metres at 30 km/s."""
    tt = np.asarray(tt_mjd, dtype=float)
    g = np.radians(357.53 + 0.98560028 * (tt - 51544.5))
    return np.asarray(
        tt + (0.001657 * np.sin(g) + 0.000022 * np.sin(g - np.radians(246.11 + 0.90251792 * (tt - 51544.5)))) / DAY_S
    )


def tdb_to_tt_mjd(tdb_mjd: ArrayLike) -> FloatArray:
    """TT as MJD: the inverse of `tt_to_tdb_mjd` to a nanosecond."""
    tdb = np.asarray(tdb_mjd, dtype=float)
    return np.asarray(2.0 * tdb - tt_to_tdb_mjd(tdb))


def to_datetime(utc: np.datetime64) -> dt.datetime:
    """An aware datetime of one datetime64."""
    value: dt.datetime = utc.astype("datetime64[us]").astype(dt.datetime)
    return value.replace(tzinfo=dt.UTC)


def iso_utc(utc: ArrayLike, unit: str = "ms") -> NDArray[np.str_]:
    """ISO 8601 text with Z, rounded (not cut) to `unit` ("s", "ms")."""
    step_us = {"s": 1_000_000, "ms": 1000}[unit]
    microseconds = np.asarray(utc).astype("datetime64[us]").astype(np.int64)
    rounded = np.floor_divide(microseconds + step_us // 2, step_us) * step_us
    return np.char.add(np.datetime_as_string(rounded.astype("datetime64[us]"), unit=unit), "Z")

"""Time scales at the edges of the numerics.

Inside the numerics a time is a Modified Julian Date as float64 with its scale in the name (`_tt_mjd`, `_tdb_mjd`);
the step between two doubles is then 0.6 microseconds. Outside it is UTC. This module is the only bridge. It imports
neither Django nor anything of ours.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any, Literal

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

MJD_ZERO_JD = 2400000.5
TT_MINUS_TAI_S = 32.184
DAY_S = 86400.0
_EPOCH = np.datetime64("1858-11-17", "us")  # MJD 0
_DAY_US = 86_400_000_000

FloatArray = NDArray[np.float64]

_TDB_TERMS = (  # amplitude in s, rate in rad per Julian century, phase in rad
    (0.001657, 628.3076, 6.2401),
    (0.000022, 575.3385, 4.2970),
    (0.000014, 1256.6152, 6.1969),
    (0.000005, 606.9777, 4.0212),
    (0.000005, 52.9691, 0.4444),
    (0.000002, 21.3299, 5.5431),
)


@functools.cache
def _leap_seconds() -> tuple[NDArray[np.int64], FloatArray]:
    """UTC days (MJD) from which on TAI - UTC has each value in seconds: ERFA's table (before 1972 its steps only)."""
    table = erfa.leap_seconds.get()
    first_days = [(dt.date(int(row["year"]), int(row["month"]), 1) - dt.date(1858, 11, 17)).days for row in table]
    return np.array(first_days), np.asarray(table["tai_utc"], dtype=float)


def _tai_minus_utc_s(utc_day_mjd: NDArray[np.int64]) -> FloatArray:
    """TAI - UTC in seconds, constant over each UTC day since 1972."""
    first_days, values = _leap_seconds()
    return values[np.maximum(np.searchsorted(first_days, utc_day_mjd, side="right") - 1, 0)]


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
    offset_s = _tai_minus_utc_s(day) + TT_MINUS_TAI_S
    return np.asarray(day + (rest / 1e6 + offset_s) / DAY_S)


def tt_mjd_to_utc(tt_mjd: ArrayLike) -> NDArray[np.datetime64]:
    """UTC as datetime64[us] of TT given as MJD; inside a leap second it is the last microsecond of the day."""
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
    """TDB as MJD. Seven terms of the series of Fairhead & Bretagnon, good to 10 microseconds from 1600 to 2200 (Kaplan,
    USNO Circular 179, equation 2.6).
    """
    tt = np.asarray(tt_mjd, dtype=float)
    t = (tt - 51544.5) / 36525.0
    tdb_minus_tt_s = 0.000010 * t * np.sin(628.3076 * t + 4.2490)
    for amplitude_s, rate, phase in _TDB_TERMS:
        tdb_minus_tt_s = tdb_minus_tt_s + amplitude_s * np.sin(rate * t + phase)
    return np.asarray(tt + tdb_minus_tt_s / DAY_S)


def tdb_to_tt_mjd(tdb_mjd: ArrayLike) -> FloatArray:
    """TT as MJD: the inverse of `tt_to_tdb_mjd` to a nanosecond."""
    tdb = np.asarray(tdb_mjd, dtype=float)
    return np.asarray(2.0 * tdb - tt_to_tdb_mjd(tdb))


def to_datetime(utc: np.datetime64) -> dt.datetime:
    """An aware datetime of one datetime64."""
    value: dt.datetime = utc.astype("datetime64[us]").astype(dt.datetime)
    return value.replace(tzinfo=dt.UTC)


def iso_utc(utc: ArrayLike, unit: Literal["s", "ms"] = "ms") -> NDArray[np.str_]:
    """ISO 8601 text with Z, rounded (not cut) to `unit` ("s", "ms")."""
    step_us = {"s": 1_000_000, "ms": 1000}[unit]
    microseconds = np.asarray(utc).astype("datetime64[us]").astype(np.int64)
    rounded = np.floor_divide(microseconds + step_us // 2, step_us) * step_us
    return np.char.add(np.datetime_as_string(rounded.astype("datetime64[us]"), unit=unit), "Z")

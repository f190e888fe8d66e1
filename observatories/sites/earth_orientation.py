"""How the Earth is turned: UT1, the Earth rotation angle and polar motion, from the IERS table shipped with
Astropy, or a newer one that was handed over (`use`).

This is the one place where Astropy is told to stay offline and to trust its table at any age. Nothing else in the
product may set these options. Astropy is imported where it is used: it takes half a second, and the table another one,
which only processes that compute spend.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.common import timescales

FloatArray = NDArray[np.float64]

# IAU 2000 definition of the Earth rotation angle
ROTATION_RAD_PER_UT1_DAY = 2.0 * np.pi * 1.00273781191135448
HELD_DAYS = 5 * 365.25


class EarthOrientationError(ValueError):
    """A time at which the rotation of the Earth is not known; the message names the span."""


@dataclass(frozen=True)
class EarthOrientation:
    """The rotation of the Earth as tabulated by the IERS, one row per UTC day.

    tt_mjd (n,): TT of 0h UTC. ut1_minus_tt_s (n,): continuous across leap seconds, so linear interpolation is
    safe (UT1-UTC jumps). polar_motion_rad (n, 2): x and y of the pole. measured_until_tt_mjd: later rows are
    predictions of the IERS. version: names the table, so that what was computed with it can be told apart.

    Past the last row its values are held for five years. UT1-TT drifted by less than 0.1 s a year since 2016,
    and 0.1 s of UT1 is 0.1 s in the time of a window's edge. Celestial pole offsets are left out: below 0.3
    mas.
    """

    tt_mjd: FloatArray
    ut1_minus_tt_s: FloatArray
    polar_motion_rad: FloatArray
    measured_until_tt_mjd: float
    version: str

    @classmethod
    def from_astropy(cls) -> EarthOrientation:
        """The table in use: of the installed `astropy-iers-data`, read once per process, or a newer one."""
        return _installed_table() if _in_use is None else _in_use

    @property
    def span_tt_mjd(self) -> tuple[float, float]:
        """First and last time for which there is an answer."""
        return float(self.tt_mjd[0]), float(self.tt_mjd[-1]) + HELD_DAYS

    def check(self, tt_mjd: ArrayLike) -> None:
        """Raise EarthOrientationError unless all times lie inside the span."""
        first, last = self.span_tt_mjd
        tt = np.asarray(tt_mjd, dtype=float)
        if tt.size and not (np.min(tt) >= first and np.max(tt) <= last):  # written so that NaN fails too
            days = timescales.tt_mjd_to_utc(np.array([first, last])).astype("datetime64[D]")
            raise EarthOrientationError(
                f"the Earth's rotation is known from {days[0]} to {days[1]} only ({self.version}); "
                f"asked for MJD {np.min(tt):.3f} to {np.max(tt):.3f} TT"
            )

    def ut1_mjd(self, tt_mjd: ArrayLike) -> FloatArray:
        """UT1 as MJD, any shape. Raises EarthOrientationError outside the span."""
        self.check(tt_mjd)
        tt = np.asarray(tt_mjd, dtype=float)
        return np.asarray(tt + np.interp(tt, self.tt_mjd, self.ut1_minus_tt_s) / timescales.DAY_S)

    def rotation_angle_rad(self, tt_mjd: ArrayLike) -> FloatArray:
        """Earth rotation angle, radians in [0, 2 pi), any shape (IAU 2000, erfa.era00)."""
        return np.asarray(erfa.era00(timescales.MJD_ZERO_JD, self.ut1_mjd(tt_mjd)))

    def pole_rad(self, tt_mjd: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Polar motion x and y, radians, any shape. Raises EarthOrientationError outside the span."""
        self.check(tt_mjd)
        tt = np.asarray(tt_mjd, dtype=float)
        x, y = (np.interp(tt, self.tt_mjd, self.polar_motion_rad[:, k]) for k in (0, 1))
        return x, y

    def itrf_to_tirs(self, tt_mjd: ArrayLike) -> FloatArray:
        """Rotation matrices (..., 3, 3) of polar motion: the terrestrial frame to the one that turns about
        the pole of rotation.
        """
        x, y = self.pole_rad(tt_mjd)
        return np.swapaxes(erfa.pom00(x, y, erfa.sp00(timescales.MJD_ZERO_JD, np.asarray(tt_mjd))), -1, -2)


def apart_s(one: EarthOrientation, other: EarthOrientation, first_tt_mjd: float, last_tt_mjd: float) -> float:
    """How far apart two tables turn the Earth at most between two instants, in seconds of its rotation: the most by
    which the edge of a window that rests on altitude moves, where the object rises or sets straight up. Of UT1 and the
    way of the pole the sum. Raises EarthOrientationError outside of either's span.
    """
    days = np.append(np.arange(first_tt_mjd, last_tt_mjd), last_tt_mjd)
    ut1_s = np.abs(one.ut1_mjd(days) - other.ut1_mjd(days)) * timescales.DAY_S
    pole_rad = np.hypot(*np.subtract(one.pole_rad(days), other.pole_rad(days)))
    return float(np.max(ut1_s + pole_rad / ROTATION_RAD_PER_UT1_DAY * timescales.DAY_S))


_in_use: EarthOrientation | None = None


def use(table: EarthOrientation | None) -> None:
    """Have this process use another table from now on; None: the installed one. To be called between computations, not
    inside one.
    """
    global _in_use
    _in_use = table


def version_in_use() -> str:
    """The `version` of the table in use, without reading it."""
    return f"IERS-A {importlib.metadata.version('astropy-iers-data')}" if _in_use is None else _in_use.version


@functools.cache
def _installed_table() -> EarthOrientation:
    from astropy.utils import iers

    iers.conf.auto_download = False
    iers.conf.auto_max_age = None
    version = f"IERS-A {importlib.metadata.version('astropy-iers-data')}"
    return _from_iers(iers.earth_orientation_table.get(), version)


def installed_table() -> EarthOrientation:
    """That of the package, whichever is in use."""
    return _installed_table()


def read_finals(path: Path) -> EarthOrientation:
    """A file in the form of the IERS's `finals2000A.all`, checked against the installed table where both have measured
    values. Raises EarthOrientationError.
    """
    from astropy.utils import iers

    try:
        raw = iers.IERS_A.read(file=path)
        table = _from_iers(raw, "")
    except Exception as error:  # whatever Astropy's reader trips over
        raise EarthOrientationError(f"no finals2000A.all: {type(error).__name__}: {str(error)[:200]}") from error
    _require_like(table, _installed_table())
    measured_until = timescales.tt_mjd_to_utc(np.array([table.measured_until_tt_mjd])).astype("datetime64[D]")[0]
    digest = hashlib.sha256(table.ut1_minus_tt_s.tobytes() + table.polar_motion_rad.tobytes()).hexdigest()[:8]
    return replace(table, version=f"IERS-A measured to {measured_until} ({digest})")


def _require_like(table: EarthOrientation, installed: EarthOrientation) -> None:
    arrays = (table.tt_mjd, table.ut1_minus_tt_s, table.polar_motion_rad)
    if not all(np.isfinite(values).all() for values in arrays) or np.any(np.diff(table.tt_mjd) <= 0.0):
        raise EarthOrientationError("the table has gaps, or its days are not in order")
    until = min(table.measured_until_tt_mjd, installed.measured_until_tt_mjd)
    days = installed.tt_mjd[(installed.tt_mjd >= until - 3650.0) & (installed.tt_mjd <= until)]
    if not days.size or table.tt_mjd[0] > days[0] or table.tt_mjd[-1] < days[-1]:
        raise EarthOrientationError("the table does not cover the last ten years")
    apart_s = np.max(np.abs(table.ut1_mjd(days) - installed.ut1_mjd(days))) * timescales.DAY_S
    if apart_s > 0.005:
        raise EarthOrientationError(f"UT1 is {apart_s:.3f} s off what was measured: another table, or a damaged one")


def _from_iers(table: Any, version: str) -> EarthOrientation:
    utc_mjd = np.asarray(table["MJD"].to_value("d"), dtype=np.int64)
    utc = np.datetime64("1858-11-17") + utc_mjd.astype("timedelta64[D]")
    tt_mjd = timescales.utc_to_tt_mjd(utc)
    utc_minus_tt_s = (utc_mjd - tt_mjd) * timescales.DAY_S
    pole = np.stack([table["PM_x"].to_value("rad"), table["PM_y"].to_value("rad")], axis=1)
    predicted_from = float(table.meta["predictive_mjd"])
    return EarthOrientation(
        tt_mjd=tt_mjd,
        ut1_minus_tt_s=np.asarray(table["UT1_UTC"].to_value("s")) + np.round(utc_minus_tt_s, 3),
        polar_motion_rad=np.asarray(pole),
        measured_until_tt_mjd=float(tt_mjd[np.searchsorted(utc_mjd, predicted_from) - 1]),
        version=version,
    )

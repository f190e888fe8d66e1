"""What a window offers: its highest altitude and, there, airmass, V, motion and the Moon; where to point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Observing
from coordination.visibility.engine.instants import AtInstants, InCells
from coordination.visibility.engine.pairs import RAD_D_TO_ARCSEC_MIN, Pairs
from coordination.visibility.engine.series import Series, alike
from coordination.visibility.engine.table import WindowTable
from observatories.sites.atmosphere import airmass
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY
from observatories.sites.station import LIGHT_AU_PER_DAY
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.frames import CioTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]

_CHUNK = 50_000
_SAMPLES, _SAMPLES_PER_DAY, _ROUNDS = 17, 48, 4  # of a window whose highest point has to be searched for
_LARGEST_SHIFT_DAYS = 0.05  # of the highest point from the transit
_LARGEST_DRIFT_RAD = np.radians(3.0)  # of the declination during a window
_MATRICES_PER_DAY = 24  # precession and nutation move 0.3" a day at most


@dataclass(frozen=True)
class Quantities:
    """Of n windows, in the order of their table.

    peak_tt_mjd (n,): when the target is highest. max_alt_deg (airless), airmass, v_mag (NaN where H is
    unknown), rate_arcsec_min, pa_deg (position angle of motion, from ICRF north over east), moon_sep_deg
    (n,): then, topocentric. ra_deg, dec_deg (n, 3): astrometric ICRF place seen from the site at the start,
    the middle and the end.
    """

    peak_tt_mjd: FloatArray
    max_alt_deg: FloatArray
    airmass: FloatArray
    v_mag: FloatArray
    rate_arcsec_min: FloatArray
    pa_deg: FloatArray
    moon_sep_deg: FloatArray
    ra_deg: FloatArray
    dec_deg: FloatArray


class Looking(Protocol):
    """k windows' targets at any times (k,): pairs, and the tau at which to ask them."""

    def __call__(self, tt_mjd: FloatArray) -> tuple[Pairs, FloatArray]: ...

    def altitude_sine(self, tt_mjd: FloatArray) -> FloatArray:
        """Of the targets at times (m, k)."""


def describe(table: WindowTable, groups: EphemerisBlocks | Sequence[BlockGroup], observing: Observing) -> Quantities:
    """Quantities of windows that were found with the same groups and the same observing."""
    if isinstance(groups, EphemerisBlocks):
        groups = [(np.arange(groups.n), groups)]
    triples = {"ra_deg", "dec_deg"}
    columns = {
        each.name: np.full((table.n, 3) if each.name in triples else table.n, np.nan) for each in fields(Quantities)
    }
    to_icrf = _Matrices(observing)
    place = np.full(int(table.target.max(initial=-1)) + 1, -1)
    for targets, blocks in groups:
        for members, series, terms, near in alike(blocks):
            place[:] = -1
            here = np.asarray(targets)[members]
            known = here < place.size
            place[here[known]] = np.flatnonzero(known)
            rows = np.flatnonzero(place[table.target] >= 0)
            rows = rows[np.lexsort((table.start_tt_mjd[rows], table.telescope[rows]))]
            bounds = np.searchsorted(table.telescope[rows], np.arange(len(observing.telescopes) + 1))
            for telescope in np.flatnonzero(np.diff(bounds)):
                for begin in range(bounds[telescope], bounds[telescope + 1], _CHUNK):
                    some = rows[begin : min(begin + _CHUNK, bounds[telescope + 1])]
                    one = _Telescope(series, observing, int(telescope), terms, near, to_icrf)
                    one.describe(table.take(some), place[table.target[some]], some, columns)
    return Quantities(**columns)


class _Matrices:
    """Rotations from CIRS to the ICRF, by the hour."""

    def __init__(self, observing: Observing) -> None:
        self.first = math.floor(observing.start_tt_mjd * _MATRICES_PER_DAY)
        last = math.ceil(observing.end_tt_mjd * _MATRICES_PER_DAY)
        times = np.arange(self.first, last + 1) / _MATRICES_PER_DAY
        to_cirs = CioTable(times[0], times[-1]).matrices(times)
        self.rows = np.ascontiguousarray(np.moveaxis(to_cirs, 0, 2))  # [CIRS axis, ICRF axis, hour]

    def hour(self, tt_mjd: FloatArray) -> IntArray:
        return np.rint(tt_mjd * _MATRICES_PER_DAY).astype(np.int64) - self.first

    def icrf(self, x: FloatArray, y: FloatArray, z: FloatArray, tt_mjd: FloatArray) -> list[FloatArray]:
        """Components in the ICRF of vectors (k,) in CIRS."""
        hour = self.hour(tt_mjd)
        x_row, y_row, z_row = self.rows[0][:, hour], self.rows[1][:, hour], self.rows[2][:, hour]
        return [x_row[axis] * x + y_row[axis] * y + z_row[axis] * z for axis in range(3)]


@dataclass(frozen=True)
class _Telescope:
    """Targets of one series over one telescope."""

    series: Series
    observing: Observing
    telescope: int
    terms: int
    near: bool
    to_icrf: _Matrices

    def describe(self, table: WindowTable, objects: IntArray, rows: IntArray, columns: dict[str, FloatArray]) -> None:
        """Fill the columns' rows. Windows inside one cell share its expansion; the others are looked up
        instant by instant.
        """
        cells = self.observing.cells(self.telescope, min(1.0, self.series.block_days))
        cell = np.clip(np.searchsorted(cells.end_tt_mjd, table.start_tt_mjd, side="right"), 0, cells.n - 1)
        one_cell = table.end_tt_mjd <= cells.end_tt_mjd[cell]
        inside, across = np.flatnonzero(one_cell & (not self.near)), np.flatnonzero(~one_cell | self.near)
        if inside.size:
            some = table.take(inside)
            look = InCells.expand(self.series, cells, objects[inside], cell[inside], self.terms)
            self._fill(columns, rows[inside], some, look, _plain_peak(some, look, self._lat_rad))
        if across.size:
            some = table.take(across)
            instants = AtInstants(self.series, self.observing, self.telescope, objects[across])
            self._fill(columns, rows[across], some, instants, _long_peak(some, instants))

    @property
    def _lat_rad(self) -> float:
        return math.radians(self.observing.telescopes[self.telescope].place.lat_deg)

    def _fill(
        self, columns: dict[str, FloatArray], rows: IntArray, table: WindowTable, look: Looking, peak: FloatArray
    ) -> None:
        for name, values in self._at(table, look, peak).items():
            columns[name][rows] = values

    def _at(self, table: WindowTable, look: Looking, peak: FloatArray) -> dict[str, FloatArray]:
        pairs, tau = look(peak)
        east, north = pairs.motion_rad_d(tau)
        max_alt_deg = np.degrees(np.arcsin(np.clip(pairs.altitude_sine(tau), -1.0, 1.0)))
        middle = 0.5 * (table.start_tt_mjd + table.end_tt_mjd)
        places = [self._astrometric_deg(look, tt) for tt in (table.start_tt_mjd, middle, table.end_tt_mjd)]
        return {
            "peak_tt_mjd": peak,
            "max_alt_deg": max_alt_deg,
            "airmass": airmass(max_alt_deg),
            "v_mag": pairs.v_mag(tau),
            "rate_arcsec_min": np.hypot(east, north) * RAD_D_TO_ARCSEC_MIN,
            "pa_deg": (np.degrees(np.arctan2(east, north) - self._north_rad(pairs, tau, peak))) % 360.0,
            "moon_sep_deg": np.degrees(np.arccos(np.clip(pairs.moon_separation_cosine(tau), -1.0, 1.0))),
            "ra_deg": np.stack([ra for ra, _ in places], axis=1),
            "dec_deg": np.stack([dec for _, dec in places], axis=1),
        }

    def _astrometric_deg(self, look: Looking, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Right ascension and declination (k,) in the ICRF, degrees, as seen from the site, with light time
        only.

        Undoes annual aberration to first order in v/c (0.5 mas is left) and precession-nutation.
        """
        pairs, tau = look(tt_mjd)
        x, y, z = pairs.topocentric_sky(tau)
        length = np.sqrt(x * x + y * y + z * z)
        bx, by, bz = pairs.earth_velocity_sky(tau) / LIGHT_AU_PER_DAY
        stretch = (1.0 + (x * bx + y * by + z * bz) / length) / length
        x, y, z = self.to_icrf.icrf(x * stretch - bx, y * stretch - by, z * stretch - bz, tt_mjd)
        return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))

    def _north_rad(self, pairs: Pairs, tau: FloatArray, tt_mjd: FloatArray) -> FloatArray:
        """Position angle (k,) of ICRF north, from north of date over east."""
        x, y, z = pairs.topocentric_sky(tau)
        hour = self.to_icrf.hour(tt_mjd)
        px, py, pz = (self.to_icrf.rows[k, 2][hour] for k in range(3))  # the ICRF pole in CIRS
        flat = np.hypot(x, y)
        length = np.hypot(flat, z)
        east, north = (x * py - y * px) / flat, (pz * flat - z * (x * px + y * py) / flat) / length
        return np.arctan2(east, north)


def _transit(table: WindowTable, look: Looking) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Of windows (k,): the transit next to the middle, and at the middle the change of hour angle and of
    declination, radians per day, and the tangent of the declination.
    """
    middle = 0.5 * (table.start_tt_mjd + table.end_tt_mjd)
    pairs, tau = look(middle)
    (x, y, z), (vx, vy, vz) = pairs.geocentric_sky(tau)
    flat = np.hypot(x, y)
    turn = np.maximum(ROTATION_RAD_PER_UT1_DAY - (x * vy - y * vx) / flat**2, 1.0)
    drift = (vz * flat - z * (x * vx + y * vy) / flat) / (flat**2 + z**2)
    return middle - pairs.hour_angle_rad(tau) / turn, turn, drift, z / flat


def _plain_peak(table: WindowTable, look: InCells, lat_rad: float) -> FloatArray:
    """When a far target is highest (k,) in a window within one night.

    Where d(sin altitude)/dt = 0: at the transit, shifted by dec' (tan lat - tan dec) / turn^2 since the
    declination changes; or else at the end that is nearer to it. Where the shift is large (fast targets, near
    the poles) the window is sampled.
    """
    start, end = table.start_tt_mjd, table.end_tt_mjd
    transit, turn, drift, tan_dec = _transit(table, look)
    shift = drift * (math.tan(lat_rad) - tan_dec) / turn**2
    top = transit + shift
    at_start, at_end = (np.cos(turn * (time - top)) for time in (start, end))
    peak = np.where((top >= start) & (top <= end), top, np.where(at_start > at_end, start, end))
    odd = np.flatnonzero((np.abs(shift) > _LARGEST_SHIFT_DAYS) | (np.abs(drift) * (end - start) > _LARGEST_DRIFT_RAD))
    if odd.size:
        peak[odd] = _sampled_peak(table.take(odd), look.take(odd))
    return peak


def _long_peak(table: WindowTable, look: AtInstants) -> FloatArray:
    """When targets are highest (k,) that are near, or in windows of days: slow ones at the best of the
    transits and the ends; the others are sampled.
    """
    transit, turn, drift, _ = _transit(table, look)
    days = table.end_tt_mjd - table.start_tt_mjd
    most = math.ceil(float(np.max(days)) / 2.0) + 1
    turns = np.arange(-most, most + 1)[:, None] * (2.0 * np.pi / turn)
    peak = _highest(table, look, np.concatenate([transit + turns, [table.start_tt_mjd, table.end_tt_mjd]]))
    slow = ~look.series.near[look.objects] & (np.abs(drift) * np.maximum(days, 1.0) < _LARGEST_DRIFT_RAD)
    fast = np.flatnonzero(~slow)
    if fast.size:
        peak[fast] = _sampled_peak(table.take(fast), replace(look, objects=look.objects[fast]))
    return peak


def _sampled_peak(table: WindowTable, look: Looking) -> FloatArray:
    """When targets are highest (k,): sampled, ever closer around the best."""
    start, end = table.start_tt_mjd, table.end_tt_mjd
    samples = math.ceil(float(np.max(end - start)) * _SAMPLES_PER_DAY) + _SAMPLES
    peak, reach = 0.5 * (start + end), 0.5 * (end - start)
    for _ in range(_ROUNDS):
        peak = _highest(table, look, peak + np.linspace(-1.0, 1.0, samples)[:, None] * reach)
        reach, samples = 2.0 * reach / (samples - 1), _SAMPLES
    return peak


def _highest(table: WindowTable, look: Looking, times: FloatArray) -> FloatArray:
    """The time of highest altitude (k,) among times (m, k), clipped to the windows."""
    times = np.clip(times, table.start_tt_mjd, table.end_tt_mjd)
    return np.take_along_axis(times, look.altitude_sine(times).argmax(axis=0)[None], axis=0)[0]

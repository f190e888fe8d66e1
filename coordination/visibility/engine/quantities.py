"""What a window offers: its highest altitude and, there, airmass, V, motion and the Moon; where to point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Cells, Observing
from coordination.visibility.engine.pairs import RAD_D_TO_ARCSEC_MIN, Pairs
from coordination.visibility.engine.series import Series, at_site_light_time
from coordination.visibility.engine.table import WindowTable
from observatories.sites.atmosphere import airmass
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY
from observatories.sites.station import LIGHT_AU_PER_DAY, Station, turn_about_z
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.frames import CioTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]

_ONE_TRANSIT_DAYS = 0.9  # a shorter window of a far target has one highest point, or two equal ends
_SAMPLES, _SAMPLES_PER_DAY, _ROUNDS = 17, 48, 4  # of a window whose highest point has to be searched for
_CHUNK = 100_000
_MATRICES_PER_DAY = 24  # precession and nutation move 0.3" a day at most


@dataclass(frozen=True)
class Quantities:
    """Of n windows, in the order of their table.

    peak_tt_mjd (n,): when the target is highest. max_alt_deg (airless), airmass, v_mag (NaN where H is
    unknown), rate_arcsec_min, pa_deg (position angle of motion, north over east), moon_sep_deg (n,): then,
    topocentric. ra_deg, dec_deg (n, 3): astrometric ICRF place seen from the site at the start, the middle
    and the end.
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


def describe(table: WindowTable, groups: EphemerisBlocks | Sequence[BlockGroup], observing: Observing) -> Quantities:
    """Quantities of windows found with the same groups and the same observing."""
    if isinstance(groups, EphemerisBlocks):
        groups = [(np.arange(groups.n), groups)]
    sizes = {"ra_deg": (table.n, 3), "dec_deg": (table.n, 3)}
    columns = {column.name: np.full(sizes.get(column.name, table.n), np.nan) for column in fields(Quantities)}
    for targets, blocks in groups:
        series = Series.of(blocks)
        place = np.full(int(max(targets.max(initial=-1), table.target.max(initial=-1))) + 1, -1)
        place[targets] = np.arange(targets.size)
        rows = np.flatnonzero(place[table.target] >= 0)
        rows = rows[np.argsort(table.telescope[rows], kind="stable")]
        bounds = np.searchsorted(table.telescope[rows], np.arange(len(observing.telescopes) + 1))
        for telescope in np.flatnonzero(np.diff(bounds)):
            instants = _Instants(series, observing, int(telescope))
            for begin in range(bounds[telescope], bounds[telescope + 1], _CHUNK):
                some = rows[begin : min(begin + _CHUNK, bounds[telescope + 1])]
                found = _describe_some(table.take(some), instants, place[table.target[some]])
                for name, values in columns.items():
                    values[some] = found[name]
    return Quantities(**columns)


class _Instants:
    """Targets at single instants over one telescope: pairs whose cells have no length."""

    def __init__(self, series: Series, observing: Observing, telescope: int) -> None:
        self.series, self.observing = series, observing
        self.station = Station(observing.telescopes[telescope].place, observing.earth)
        self.first_day = np.floor(observing.start_tt_mjd)
        days = np.arange(self.first_day, observing.end_tt_mjd + 1.0) + 0.5
        days = np.clip(days, observing.start_tt_mjd, observing.end_tt_mjd)
        self.position_au, self.axes = self.station.in_meridian_frame(days)
        self.earth_velocity_au_d = -observing.sun_moon.sun.velocity_au_d(days)

    def __call__(self, objects: IntArray, tt_mjd: FloatArray, moon: bool = False) -> Pairs:
        """Pairs (k,) to be asked at tau = 0."""
        meridian = self.station.meridian_angle_rad(tt_mjd)
        day = (tt_mjd - self.first_day).astype(np.int64)
        position = self.position_au[day]
        earth_velocity = turn_about_z(self.earth_velocity_au_d[day], -meridian).T
        bodies = self.observing.sun_moon
        none = np.zeros((1, 3, tt_mjd.size))
        cells = Cells(
            start_tt_mjd=tt_mjd,
            end_tt_mjd=tt_mjd,
            middle_tt_mjd=tt_mjd,
            half_days=np.ones(tt_mjd.size),
            turn_rad=np.zeros(tt_mjd.size),
            meridian_rad=meridian,
            position_au=position,
            axes=self.axes[day],
            opens=day,
            closes=day,
            night=day.astype("datetime64[D]"),
            moon_au=turn_about_z(bodies.moon(tt_mjd), -meridian).T[None] if moon else none,
            sun_au=turn_about_z(bodies.sun(tt_mjd), -meridian).T if moon else none[0],
            earth_velocity_au_d=earth_velocity,
            illuminated=none[0, 0],
        )
        vector, velocity = self.series.at(objects, tt_mjd)
        vector, velocity = turn_about_z(vector, -meridian).T, turn_about_z(velocity, -meridian).T
        near = np.flatnonzero(self.series.near[objects])
        vector[:, near] = at_site_light_time(
            vector[:, near], velocity[:, near], position[near].T, earth_velocity[:, near]
        )
        every = np.arange(tt_mjd.size)
        return Pairs(self.series, cells, objects, every, np.stack([vector, velocity]))


def _describe_some(table: WindowTable, instants: _Instants, objects: IntArray) -> dict[str, FloatArray]:
    peak = _peak(table, instants, objects)
    zero = np.zeros(table.n)
    pairs = instants(objects, peak, moon=True)
    east, north = pairs.motion_rad_d(zero)
    max_alt_deg = np.degrees(np.arcsin(np.clip(pairs.altitude_sine(zero), -1.0, 1.0)))
    middle = 0.5 * (table.start_tt_mjd + table.end_tt_mjd)
    places = [_astrometric_deg(instants, objects, t) for t in (table.start_tt_mjd, middle, table.end_tt_mjd)]
    return {
        "peak_tt_mjd": peak,
        "max_alt_deg": max_alt_deg,
        "airmass": airmass(max_alt_deg),
        "v_mag": pairs.v_mag(zero),
        "rate_arcsec_min": np.hypot(east, north) * RAD_D_TO_ARCSEC_MIN,
        "pa_deg": np.degrees(np.arctan2(east, north)) % 360.0,
        "moon_sep_deg": np.degrees(np.arccos(np.clip(pairs.moon_separation_cosine(zero), -1.0, 1.0))),
        "ra_deg": np.stack([ra for ra, _ in places], axis=1),
        "dec_deg": np.stack([dec for _, dec in places], axis=1),
    }


def _peak(table: WindowTable, instants: _Instants, objects: IntArray) -> FloatArray:
    """When targets are highest (n,).

    A far target is highest at its transit, or at the end that is nearer to it (its own motion shifts that by
    seconds, and the altitude by less than 2"). Near targets and windows over many transits are sampled, ever
    closer around the best.
    """
    days = table.end_tt_mjd - table.start_tt_mjd
    careful = instants.series.near[objects] | (days > _ONE_TRANSIT_DAYS)
    peak = np.empty(table.n)
    plain = np.flatnonzero(~careful)
    start, end = table.start_tt_mjd[plain], table.end_tt_mjd[plain]
    middle = 0.5 * (start + end)
    pairs = instants(objects[plain], middle)
    transit = middle - pairs.hour_angle_rad(np.zeros(plain.size)) / _turn_rad_d(pairs)
    peak[plain] = _highest(instants, objects[plain], np.stack([start, np.clip(transit, start, end), end]))
    rest = np.flatnonzero(careful)
    if rest.size:
        peak[rest] = _sampled_peak(table.take(rest), instants, objects[rest])
    return peak


def _turn_rad_d(pairs: Pairs) -> FloatArray:
    """Change of hour angle (k,), radians per day: the Earth's rotation less the target's motion in right
    ascension.
    """
    (x, y, _), (vx, vy, _) = pairs.vectors_au
    motion = (x * vy - y * vx) / (x * x + y * y)
    return np.maximum(ROTATION_RAD_PER_UT1_DAY - motion, 1.0)


def _sampled_peak(table: WindowTable, instants: _Instants, objects: IntArray) -> FloatArray:
    start, end = table.start_tt_mjd, table.end_tt_mjd
    samples = math.ceil(float(np.max(end - start)) * _SAMPLES_PER_DAY) + _SAMPLES
    peak, reach = 0.5 * (start + end), 0.5 * (end - start)
    for _ in range(_ROUNDS):
        share = np.linspace(-1.0, 1.0, samples)[:, None]
        peak = _highest(instants, objects, np.clip(peak + share * reach, start, end))
        reach, samples = 2.0 * reach / (samples - 1), _SAMPLES
    return peak


def _highest(instants: _Instants, objects: IntArray, times: FloatArray) -> FloatArray:
    """The time of highest altitude among m times (m, n) of n targets."""
    best, at_best = times[0], np.full(times.shape[1], -2.0)
    for candidate in times:
        altitude = instants(objects, candidate).altitude_sine(np.zeros(objects.size))
        better = altitude > at_best
        best, at_best = np.where(better, candidate, best), np.where(better, altitude, at_best)
    return best


def _astrometric_deg(instants: _Instants, objects: IntArray, tt_mjd: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Right ascension and declination (n,) in the ICRF, degrees, as seen from the site, with light time only.

    Undoes annual aberration to first order in v/c (0.5 mas is left) and precession-nutation.
    """
    pairs = instants(objects, tt_mjd)
    x, y, z = pairs.topocentric(np.zeros(objects.size))
    seen = np.stack([x, y, z], axis=1)
    seen = turn_about_z(seen / np.linalg.norm(seen, axis=1, keepdims=True), pairs.cells.meridian_rad)
    beta = turn_about_z(pairs.cells.earth_velocity_au_d.T, pairs.cells.meridian_rad) / LIGHT_AU_PER_DAY
    true = seen * (1.0 + np.sum(seen * beta, axis=1, keepdims=True)) - beta
    hours, which = np.unique(np.round(tt_mjd * _MATRICES_PER_DAY), return_inverse=True)
    matrices = CioTable(hours[0] / _MATRICES_PER_DAY, hours[-1] / _MATRICES_PER_DAY).matrices(hours / _MATRICES_PER_DAY)
    x, y, z = np.einsum("nij,ni->jn", matrices[which], true)
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))

"""What a window offers: its highest altitude and, there, airmass, V, motion and the Moon; where to point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import Cells, Observing
from coordination.visibility.engine.instants import AtInstants, InCells
from coordination.visibility.engine.pairs import GM_SUN_AU3_D2, Pairs, Sight
from coordination.visibility.engine.series import Series, alike
from coordination.visibility.engine.table import WindowTable
from observatories.sites.atmosphere import airmass
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY
from observatories.sites.station import LIGHT_AU_PER_DAY, turn_about_z
from targets.orbits.blocks import EphemerisBlocks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]

_CHUNK = 16_384
_SAMPLES, _SAMPLES_PER_DAY, _ROUNDS = 17, 48, 4  # of a window whose highest point has to be searched for
_LARGEST_SHIFT_DAYS = 0.05  # of the highest point from the transit
_LARGEST_DRIFT_RAD = np.radians(3.0)  # of the declination during a window


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
    """k windows' targets at any times."""

    def take(self, index: IntArray) -> Looking:
        """The targets at `index`."""

    def sight(self, tt_mjd: FloatArray) -> Sight:
        """What is seen at times (k,)."""

    def altitude_sine(self, tt_mjd: FloatArray) -> FloatArray:
        """Of the targets at times (m, k)."""


def describe(table: WindowTable, groups: EphemerisBlocks | Sequence[BlockGroup], observing: Observing) -> Quantities:
    """Quantities of windows that were found with the same groups and the same observing."""
    if isinstance(groups, EphemerisBlocks):
        groups = [(np.arange(groups.n), groups)]
    triples = {"ra_deg", "dec_deg"}
    columns = {
        each.name: np.full((3, table.n) if each.name in triples else table.n, np.nan) for each in fields(Quantities)
    }
    place = np.full(int(table.target.max(initial=-1)) + 1, -1)
    for targets, blocks in groups if table.n else ():
        for members, series, terms, near in alike(blocks):
            place[:] = -1
            here = np.asarray(targets)[members]
            known = here < place.size
            place[here[known]] = np.flatnonzero(known)
            objects = place[table.target]
            rows = np.flatnonzero(objects >= 0)
            _Description(series, observing, columns).fill(table.take(rows), objects[rows], rows, terms, near)
    return Quantities(**{name: np.ascontiguousarray(values.T) for name, values in columns.items()})


@dataclass(frozen=True)
class _Description:
    """Windows of the targets of one series."""

    series: Series
    observing: Observing
    columns: dict[str, FloatArray]

    def fill(self, table: WindowTable, objects: IntArray, rows: IntArray, terms: int, near: bool) -> None:
        """Fill the columns' rows. Windows inside one cell share its expansion; the others are looked up
        instant by instant.
        """
        cells = self.observing.nights
        cell = cells.holding(table.telescope, table.start_tt_mjd)
        in_one = (table.end_tt_mjd <= cells.end_tt_mjd[cell]) & (table.telescope == cells.telescope[cell])
        inside, across = np.flatnonzero(in_one & (not near)), np.flatnonzero(~in_one | near)
        if inside.size:
            inside = inside[np.argsort(cell[inside], kind="stable")]
            expansion = self.series.expansion(cells, terms)
            to_icrf = _ToIcrf.of(cells, self.observing)
            for part in _chunks(inside):
                some = table.take(part)
                pairs = Pairs.expand(self.series, cells, objects[part], cell[part], expansion, near=False)
                look = InCells(pairs)
                peak = _plain_peak(some, look)
                times = np.stack([some.start_tt_mjd, 0.5 * (some.start_tt_mjd + some.end_tt_mjd), some.end_tt_mjd])
                self._fill(rows[part], look, peak, to_icrf.astrometric_deg(look.sight(times)), to_icrf)
        for part in _chunks(across):
            some = table.take(part)
            instants = AtInstants(self.series, self.observing, some.telescope, objects[part])
            middle = 0.5 * (some.start_tt_mjd + some.end_tt_mjd)
            places = []
            for time in (some.start_tt_mjd, middle, some.end_tt_mjd):
                sight = instants.sight(time)
                places.append(_ToIcrf.of(sight.pairs.cells, self.observing).astrometric_deg(sight))
            peak = _long_peak(some, instants)
            self._fill(rows[part], instants, peak, tuple(np.stack(each) for each in zip(*places, strict=True)), None)

    def _fill(
        self,
        rows: IntArray,
        look: Looking,
        peak: FloatArray,
        places: tuple[FloatArray, ...],
        to_icrf: _ToIcrf | None,
    ) -> None:
        sight, columns = look.sight(peak), self.columns
        east, north = sight.motion_rad_d
        max_alt_deg = np.degrees(np.arcsin(np.clip(sight.altitude_sine, -1.0, 1.0)))
        to_icrf = to_icrf or _ToIcrf.of(sight.pairs.cells, self.observing)
        columns["peak_tt_mjd"][rows] = peak
        columns["max_alt_deg"][rows] = max_alt_deg
        columns["airmass"][rows] = airmass(max_alt_deg)
        columns["v_mag"][rows] = sight.v_mag
        columns["rate_arcsec_min"][rows] = sight.rate_arcsec_min
        columns["pa_deg"][rows] = _turned_deg(np.degrees(np.arctan2(east, north) - to_icrf.north_rad(sight)))
        columns["moon_sep_deg"][rows] = np.degrees(np.arccos(np.clip(sight.moon_separation_cosine, -1.0, 1.0)))
        columns["ra_deg"][:, rows], columns["dec_deg"][:, rows] = places


def _chunks(rows: IntArray) -> Sequence[IntArray]:
    return [rows[begin : begin + _CHUNK] for begin in range(0, rows.size, _CHUNK)]


def _turned_deg(angle_deg: FloatArray) -> FloatArray:
    """The same angle in [0, 360)."""
    turned = angle_deg - 360.0 * np.floor(angle_deg / 360.0)
    return np.where(turned >= 360.0, 0.0, turned)


@dataclass(frozen=True)
class _ToIcrf:
    """From the cell frames of c cells to the ICRF.

    axes (3, 3, c): [ICRF axis, component in the cell frame, cell] at the middle; tilt (3, c): by which precession and
    nutation turn the cell frame in half a cell, radians (0.3" a day at most). velocity, and change in half a cell
    (3, c): of the Earth in units of the speed of light, cell frame.
    """

    axes: FloatArray
    tilt: FloatArray
    velocity: FloatArray
    change: FloatArray

    @classmethod
    def of(cls, cells: Cells, observing: Observing) -> _ToIcrf:
        middle, half, n = cells.middle_tt_mjd, cells.half_days, cells.n
        step = 0.25  # days to either side
        before, here, after = np.split(
            observing.to_cirs.matrices(np.concatenate([middle - step, middle, middle + step])), 3
        )
        turned = turn_about_z(np.swapaxes(here, 1, 2), -cells.meridian_rad[:, None])  # [cell, ICRF axis, component]
        spin = (after - before) @ np.swapaxes(here, 1, 2) / (2.0 * step)  # of CIRS, antisymmetric
        rate = np.stack([spin[:, 2, 1], spin[:, 0, 2], spin[:, 1, 0]], axis=1)
        tilt = turn_about_z(rate, -cells.meridian_rad) * half[:, None]
        sun = cells.sun_au
        pull = sun * (GM_SUN_AU3_D2 * half / np.sum(sun * sun, axis=0) ** 1.5)
        return cls(
            np.ascontiguousarray(np.moveaxis(turned, 0, 2)),
            np.ascontiguousarray(tilt.T).reshape(3, n),
            cells.earth_velocity_au_d / LIGHT_AU_PER_DAY,
            pull / LIGHT_AU_PER_DAY,
        )

    def astrometric_deg(self, sight: Sight) -> tuple[FloatArray, FloatArray]:
        """Right ascension and declination (..., k) in the ICRF, degrees, as seen from the site, with light time only.

        Undoes annual aberration to first order in v/c (0.5 mas is left) and precession-nutation.
        """
        cell, tau = sight.pairs.cell, sight.tau
        velocity, change = self.velocity.take(cell, axis=1), self.change.take(cell, axis=1)
        bx, by, bz = (velocity[k] + change[k] * tau for k in range(3))
        x, y, z = sight.topocentric_au
        inverse = 1.0 / sight.distance_au
        stretch = (1.0 + (x * bx + y * by + z * bz) * inverse) * inverse
        x, y, z = x * stretch - bx, y * stretch - by, z * stretch - bz
        tx, ty, tz = self.tilt.take(cell, axis=1)
        tx, ty, tz = tx * tau, ty * tau, tz * tau
        # Components in the cell frame of the middle, from those in the frame that has turned since.
        x, y, z = x - (ty * z - tz * y), y - (tz * x - tx * z), z - (tx * y - ty * x)
        axes = self.axes.take(cell, axis=2)
        x, y, z = (axis[0] * x + axis[1] * y + axis[2] * z for axis in axes)
        return _turned_deg(np.degrees(np.arctan2(y, x))), np.degrees(np.arctan2(z, np.sqrt(x * x + y * y)))

    def north_rad(self, sight: Sight) -> FloatArray:
        """Position angle (k,) of ICRF north, from north of date over east."""
        x, y, z = sight.topocentric_au
        px, py, pz = self.axes[2].take(sight.pairs.cell, axis=1)  # the ICRF pole
        flat = np.sqrt(x * x + y * y)
        east, north = (x * py - y * px) / flat, (pz * flat - z * (x * px + y * py) / flat) / sight.distance_au
        return np.arctan2(east, north)


def _transit(table: WindowTable, look: Looking) -> tuple[FloatArray, FloatArray, FloatArray, Sight]:
    """Of windows (k,): the transit next to the middle, and at the middle the change of hour angle and of
    declination, radians per day, and what is seen then.
    """
    middle = 0.5 * (table.start_tt_mjd + table.end_tt_mjd)
    sight = look.sight(middle)
    (x, y, z), (vx, vy, vz) = sight.geocentric_au, sight.velocity_au_d
    flat_squared = x * x + y * y
    flat = np.sqrt(flat_squared)
    turn = np.maximum(ROTATION_RAD_PER_UT1_DAY - (x * vy - y * vx) / flat_squared, 1.0)
    drift = (vz * flat - z * (x * vx + y * vy) / flat) / (flat_squared + z * z)
    return middle - sight.hour_angle_rad / turn, turn, drift, sight


def _plain_peak(table: WindowTable, look: InCells) -> FloatArray:
    """When a far target is highest (k,) in a window within one night.

    Where d(sin altitude)/dt = 0: at the transit, shifted by dec' (tan lat - tan dec) / turn^2 since the
    declination changes; or else at the end that is nearer to it. Where the shift is large (fast targets, near
    the poles) the window is sampled.
    """
    start, end = table.start_tt_mjd, table.end_tt_mjd
    transit, turn, drift, sight = _transit(table, look)
    x, y, z = sight.geocentric_au
    limits = look.pairs.cells.limits
    shift = drift * ((limits.sin_lat / limits.cos_lat)[look.pairs.telescope] - z / np.sqrt(x * x + y * y)) / turn**2
    top = transit + shift
    # At the end that is nearer to the top, counted in turns of the Earth, where the top itself is outside.
    turns = turn / (2.0 * np.pi)
    off_start, off_end = (np.abs(cycles - np.rint(cycles)) for cycles in (turns * (start - top), turns * (end - top)))
    peak = np.where((top >= start) & (top <= end), top, np.where(off_start < off_end, start, end))
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
        peak[fast] = _sampled_peak(table.take(fast), look.take(fast))
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

"""Two ways to look at targets at given times: through the cells of a search, or instant by instant."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import ILLUMINATION_TERMS, Cells, Observing
from coordination.visibility.engine.pairs import Pairs
from coordination.visibility.engine.series import Series, at_site_light_time
from observatories.sites.station import Station, turn_about_z

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_AT_ONCE = 50_000


@dataclass(frozen=True)
class InCells:
    """Far targets (k,) in their cells: expanded once, asked as often as wanted."""

    pairs: Pairs

    @classmethod
    def expand(cls, series: Series, cells: Cells, objects: IntArray, cell: IntArray, terms: int) -> InCells:
        """Targets (k,) in cells (k,) that are in order."""
        return cls(Pairs.expand(series, cells, objects, cell, terms, near=False))

    def take(self, index: IntArray) -> InCells:
        """The targets at `index`."""
        return InCells(self.pairs.take(index))

    def __call__(self, tt_mjd: FloatArray) -> tuple[Pairs, FloatArray]:
        """The pairs, and the tau (k,) that belong to times in their cells."""
        cells, cell = self.pairs.cells, self.pairs.cell
        return self.pairs, (tt_mjd - cells.middle_tt_mjd[cell]) / cells.half_days[cell]

    def altitude_sine(self, tt_mjd: FloatArray) -> FloatArray:
        """Of the targets at times (m, k)."""
        return np.stack([pairs.altitude_sine(tau) for pairs, tau in map(self, tt_mjd)])


@dataclass(frozen=True)
class AtInstants:
    """Any targets (k,) over one telescope at any times: each instant is a cell of no length."""

    series: Series
    observing: Observing
    telescope: int
    objects: IntArray

    def __call__(self, tt_mjd: FloatArray) -> tuple[Pairs, FloatArray]:
        """Pairs (k,) at times (k,), and tau = 0."""
        station = Station(self.observing.telescopes[self.telescope].place, self.observing.earth)
        bodies = self.observing.sun_moon
        meridian = station.meridian_angle_rad(tt_mjd)
        position, axes = station.in_meridian_frame(tt_mjd)
        earth_velocity = turn_about_z(-bodies.sun.velocity_au_d(tt_mjd), -meridian).T
        vector, velocity = self.series.at(self.objects, tt_mjd)
        vector, velocity = turn_about_z(vector, -meridian).T, turn_about_z(velocity, -meridian).T
        near = np.flatnonzero(self.series.near[self.objects])
        vector[:, near] = at_site_light_time(
            vector[:, near], velocity[:, near], position[near].T, earth_velocity[:, near]
        )
        k = tt_mjd.size
        every = np.arange(k)
        cells = Cells(
            start_tt_mjd=tt_mjd,
            end_tt_mjd=tt_mjd,
            middle_tt_mjd=tt_mjd,
            half_days=np.ones(k),
            turn_rad=np.zeros(k),
            meridian_rad=meridian,
            position_au=position,
            axes=axes,
            opens=every,
            closes=every,
            night=every.astype("datetime64[D]"),
            moon_au=turn_about_z(bodies.moon(tt_mjd), -meridian).T[None],
            sun_au=turn_about_z(bodies.sun(tt_mjd), -meridian).T,
            earth_velocity_au_d=earth_velocity,
            illuminated=np.zeros((ILLUMINATION_TERMS, k)),
        )
        return Pairs(self.series, cells, self.objects, every, np.stack([vector, velocity])), np.zeros(k)

    def altitude_sine(self, tt_mjd: FloatArray) -> FloatArray:
        """Of the targets at times (m, k)."""
        altitude = np.empty(tt_mjd.shape)
        at_once = max(1, _AT_ONCE // self.objects.size)
        for begin in range(0, len(tt_mjd), at_once):
            some = tt_mjd[begin : begin + at_once]
            pairs, tau = replace(self, objects=np.tile(self.objects, len(some)))(some.ravel())
            altitude[begin : begin + at_once] = pairs.altitude_sine(tau).reshape(some.shape)
        return altitude

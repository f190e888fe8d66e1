"""Targets over telescopes at any times: each instant is a cell of no length."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.cells import ILLUMINATION_TERMS, Cells, Observing
from coordination.visibility.engine.pairs import Pairs, Sight
from coordination.visibility.engine.series import Series, at_site_light_time
from observatories.sites.station import turn_about_z

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_AT_ONCE = 50_000


@dataclass(frozen=True)
class AtInstants:
    """Any targets (k,), each over its telescope (k,), or all over one."""

    series: Series
    observing: Observing
    telescope: int | IntArray
    objects: IntArray

    def take(self, index: IntArray) -> AtInstants:
        """The targets at `index`."""
        telescope = np.broadcast_to(self.telescope, self.objects.shape)
        return replace(self, telescope=telescope[index], objects=self.objects[index])

    def sight(self, tt_mjd: FloatArray) -> Sight:
        """What is seen at times (k,)."""
        pairs, tau = self(tt_mjd)
        return pairs.at(tau)

    def __call__(self, tt_mjd: FloatArray) -> tuple[Pairs, FloatArray]:
        """Pairs (k,) at times (k,), and tau = 0."""
        stations, bodies = self.observing.stations, self.observing.sun_moon
        telescope = np.broadcast_to(self.telescope, tt_mjd.shape)
        meridian = stations.meridian_angle_rad(telescope, tt_mjd)
        position, axes = stations.in_meridian_frame(telescope, tt_mjd)
        earth_velocity = turn_about_z(-bodies.sun.velocity_au_d(tt_mjd), -meridian).T
        vector, velocity = self.series.at(self.objects, tt_mjd)
        vector, velocity = turn_about_z(vector, -meridian).T, turn_about_z(velocity, -meridian).T
        near = np.flatnonzero(self.series.near[self.objects])
        vector[:, near] = at_site_light_time(
            vector[:, near], velocity[:, near], position[:, near], earth_velocity[:, near]
        )
        k = tt_mjd.size
        every = np.arange(k)
        cells = Cells(
            limits=self.observing.limits,
            telescope=telescope,
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
        telescope = np.broadcast_to(self.telescope, self.objects.shape)
        at_once = max(1, _AT_ONCE // self.objects.size)
        for begin in range(0, len(tt_mjd), at_once):
            some = tt_mjd[begin : begin + at_once]
            many = replace(self, telescope=np.tile(telescope, len(some)), objects=np.tile(self.objects, len(some)))
            altitude[begin : begin + at_once] = many.sight(some.ravel()).altitude_sine.reshape(some.shape)
        return altitude


@dataclass(frozen=True)
class InCells:
    """Far targets (k,) in their cells: expanded once, asked as often as wanted."""

    pairs: Pairs

    def take(self, index: IntArray) -> InCells:
        """The targets at `index`."""
        return InCells(self.pairs.take(index))

    def tau(self, tt_mjd: FloatArray) -> FloatArray:
        """The tau (..., k) that belongs to times (..., k) in their cells."""
        cells, cell = self.pairs.cells, self.pairs.cell
        return np.asarray((tt_mjd - cells.middle_tt_mjd[cell]) / self.pairs.half_days)

    def sight(self, tt_mjd: FloatArray) -> Sight:
        """What is seen at times (..., k)."""
        return self.pairs.at(self.tau(tt_mjd))

    def altitude_sine(self, tt_mjd: FloatArray) -> FloatArray:
        """Of the targets at times (m, k)."""
        return self.sight(tt_mjd).altitude_sine

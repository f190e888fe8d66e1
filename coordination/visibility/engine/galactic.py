"""The crowded band of the Milky Way: taken out of windows when the other limits are known.

Latitudes are those of the astrometric ICRF place that the site sees, the place that windows tell, against the galactic
pole of the IAU (1958) in the ICRF: right ascension 192.85948 deg, declination 27.12825 deg (Hipparcos, ESA SP-1200,
section 1.5.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from coordination.visibility.engine.edges import Edge
from coordination.visibility.engine.series import Series, alike, at_site_light_time
from coordination.visibility.engine.sweep import Changes, sweep
from coordination.visibility.engine.table import WindowTable
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.roots import find_roots
from observatories.sites.station import LIGHT_AU_PER_DAY, Station
from observatories.sites.sun_moon import SunMoon
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.frames import CioTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]

_RA, _DEC = np.radians([192.85948, 27.12825])
POLE_ICRF = np.array([np.cos(_DEC) * np.cos(_RA), np.cos(_DEC) * np.sin(_RA), np.sin(_DEC)])
_STEP_DAYS, _NEAR_STEP_DAYS = 20.0 / 1440.0, 5.0 / 1440.0
_TOLERANCE_DAYS = 1e-3 / 86400.0
_AT_ONCE = 60_000  # samples held in memory together


@dataclass(frozen=True)
class MilkyWay:
    """The galactic latitude of the objects of a series as one place sees them."""

    series: Series
    place: Place
    sun_moon: SunMoon
    earth: EarthOrientation

    def latitude_sine(self, objects: IntArray, tt_mjd: FloatArray) -> FloatArray:
        """Of objects (k,) at times (k,). Undoes annual aberration to first order in v/c: 0.5 mas are left."""
        vector, velocity = self.series.at(objects, tt_mjd)
        site = Station(self.place, self.earth).position_cirs_au(tt_mjd)
        earth_velocity = -self.sun_moon.sun.velocity_au_d(tt_mjd)
        near = np.flatnonzero(self.series.near[objects])
        if near.size:
            parts = (part[near].T for part in (vector, velocity, site, earth_velocity))
            vector[near] = at_site_light_time(*parts).T
        seen = vector - site
        seen /= np.linalg.norm(seen, axis=1, keepdims=True)
        beta = earth_velocity / LIGHT_AU_PER_DAY
        seen = seen * (1.0 + np.sum(seen * beta, axis=1, keepdims=True)) - beta
        seen /= np.linalg.norm(seen, axis=1, keepdims=True)
        pole = CioTable(float(tt_mjd.min()), float(tt_mjd.max())).matrices(tt_mjd) @ POLE_ICRF
        return np.asarray(np.sum(seen * pole, axis=1))


def without_milky_way(
    table: WindowTable,
    groups: Sequence[BlockGroup],
    places: Sequence[Place],
    least_deg: Sequence[float | None],
    sun_moon: SunMoon,
    earth: EarthOrientation,
) -> WindowTable:
    """A sorted table without the times at which targets are nearer to the galactic plane than their telescopes ask.

    places, least_deg: by telescope; None for no limit. New edges are named `galactic`.
    """
    asked = np.array([each is not None for each in least_deg], dtype=bool)
    if not asked.any() or not asked[table.telescope].any():
        return table
    parts = [table.take(~asked[table.telescope])]
    for targets, blocks in groups:
        for members, series, _, near in alike(blocks):
            here = np.asarray(targets)[members]
            place = np.full(max(int(table.target.max()), int(here.max(initial=0))) + 1, -1)
            place[here] = np.arange(here.size)
            for telescope in np.flatnonzero(asked).tolist():
                least = least_deg[telescope]
                rows = np.flatnonzero((table.telescope == telescope) & (place[table.target] >= 0))
                if rows.size and least is not None:
                    sky = MilkyWay(series, places[telescope], sun_moon, earth)
                    some = table.take(rows)
                    parts += _cut(some, place[some.target], sky, np.sin(np.radians(least)), near)
    return WindowTable.concatenate(parts).sorted()


def _cut(table: WindowTable, objects: IntArray, sky: MilkyWay, least_sine: float, near: bool) -> list[WindowTable]:
    """What is left of windows, the short ones first, so that those sampled together are about as long."""
    days = table.end_tt_mjd - table.start_tt_mjd
    order, found = np.argsort(days), []
    while order.size:
        samples = np.ceil(days[order] / (_NEAR_STEP_DAYS if near else _STEP_DAYS)).astype(int) + 5
        count = max(1, int(np.searchsorted(samples * np.arange(1, order.size + 1), _AT_ONCE, side="right")))
        rows, order = order[:count], order[count:]
        found.append(_cut_some(table.take(rows), objects[rows], sky, least_sine, int(samples[count - 1])))
    return found


def _cut_some(table: WindowTable, objects: IntArray, sky: MilkyWay, least_sine: float, samples: int) -> WindowTable:
    days = table.end_tt_mjd - table.start_tt_mjd

    def margin(item: IntArray, since: FloatArray) -> FloatArray:
        # Squared: smooth where the target crosses the plane itself.
        sine = sky.latitude_sine(objects[item], table.start_tt_mjd[item] + since)
        return np.asarray(sine * sine - least_sine * least_sine)

    times = days[:, None] * np.linspace(0.0, 1.0, samples)
    item = np.repeat(np.arange(table.n), samples)
    values = margin(item, times.ravel()).reshape(times.shape)
    roots = find_roots(margin, times, values, _TOLERANCE_DAYS)
    changes = Changes(int(Edge.GALACTIC), values[:, 0] >= 0.0, roots.item, roots.time, roots.rising)
    left = sweep([changes], np.zeros(table.n), days, table.opened_by, table.closed_by)
    whole = table.take(left.item)
    return replace(
        whole,
        start_tt_mjd=np.where(left.start == 0.0, whole.start_tt_mjd, whole.start_tt_mjd + left.start),
        end_tt_mjd=np.where(left.end == days[left.item], whole.end_tt_mjd, whole.start_tt_mjd + left.end),
        opened_by=left.opened_by,
        closed_by=left.closed_by,
    )

"""Cells: the pieces of darkness in which one telescope is searched, and all that does not depend on the
target there.

A cell is a dark interval of one night or, for near objects, a part of one. Inside it vectors are held in the
*cell frame*: CIRS turned so that x lies in the meridian of the place at the middle of the cell. Time is tau
in [-1, 1] over the cell.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from coordination.visibility.engine.edges import SEAM, Edge
from coordination.visibility.engine.limits import Limits
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY, EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.nights import nights_between
from observatories.sites.station import Station, turn_about_z
from observatories.sites.sun_moon import DarkIntervals, SunMoon, dark_intervals

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ILLUMINATION_TERMS = 6
MOON_TERMS = 9  # powers of tau of the Moon's vector: a day long cell is left exact to 0.001"
_SHORTEST_DAYS = 1e-3 / 86400.0  # a shorter cell, between a dusk and a noon, holds no window anyone could use


@dataclass(frozen=True)
class Telescope:
    """What the search knows of a telescope: where it stands and what it asks."""

    place: Place
    limits: Limits
    name: str = ""


@dataclass(frozen=True)
class Cells:
    """c cells of one telescope, in order of time.

    start_tt_mjd, end_tt_mjd, middle_tt_mjd, half_days (c,): t = middle + half * tau. turn_rad (c,): by which
    the Earth turns in half a cell. meridian_rad (c,): angle of the meridian in CIRS at the middle.
    position_au (c, 3), axes (c, 3, 3; rows east, north, zenith): in the meridian frame
    (`Station.in_meridian_frame`). opens, closes (c,): codes of `Edge`, or SEAM. night (c,): label. moon_au
    (MOON_TERMS, 3, c): powers of tau in the cell frame, sun_au (3, c): at the middle, illuminated
    (ILLUMINATION_TERMS, c): powers of tau of the illuminated fraction of the Moon. earth_velocity_au_d (3,
    c): in the cell frame at the middle.
    """

    start_tt_mjd: FloatArray
    end_tt_mjd: FloatArray
    middle_tt_mjd: FloatArray
    half_days: FloatArray
    turn_rad: FloatArray
    meridian_rad: FloatArray
    position_au: FloatArray
    axes: FloatArray
    opens: IntArray
    closes: IntArray
    night: NDArray[np.datetime64]
    moon_au: FloatArray
    sun_au: FloatArray
    earth_velocity_au_d: FloatArray
    illuminated: FloatArray

    @property
    def n(self) -> int:
        """Number of cells."""
        return self.middle_tt_mjd.size

    def tt_mjd(self, cell: IntArray, tau: FloatArray) -> FloatArray:
        """TT as MJD of tau in cells, element by element; the very ends where tau is -1 or 1."""
        inside = self.middle_tt_mjd[cell] + self.half_days[cell] * tau
        return np.where(tau == -1.0, self.start_tt_mjd[cell], np.where(tau == 1.0, self.end_tt_mjd[cell], inside))


def powers_from_nodes(nodes: FloatArray) -> FloatArray:
    """Matrix (m, m) from values at m nodes in [-1, 1] to coefficients of the powers of tau."""
    return np.asarray(np.linalg.inv(np.vander(nodes, increasing=True)))


@dataclass(frozen=True)
class Observing:
    """Telescopes over a span of time: the tables that every target shares. Make once, search many batches of
    targets.

    start_tt_mjd, end_tt_mjd: the span, TT as MJD. Raises EarthOrientationError where the rotation of the
    Earth is unknown.
    """

    telescopes: Sequence[Telescope]
    start_tt_mjd: float
    end_tt_mjd: float
    sun_moon: SunMoon
    earth: EarthOrientation
    _cells: dict[tuple[int, float], Cells] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not self.start_tt_mjd < self.end_tt_mjd:
            raise ValueError("a span must end after its start")
        self.earth.check([self.start_tt_mjd, self.end_tt_mjd])

    @property
    def least_days(self) -> FloatArray:
        """The shortest window that each telescope asks for, days."""
        return np.array([telescope.limits.min_duration_minutes / 1440.0 for telescope in self.telescopes])

    def cells(self, telescope: int, longest_days: float = 1.0) -> Cells:
        """The cells of one telescope (by index), none longer than `longest_days`; kept for the next batch."""
        key = (telescope, longest_days)
        if key not in self._cells:
            self._cells[key] = self._make_cells(self.telescopes[telescope], longest_days)
        return self._cells[key]

    def _make_cells(self, telescope: Telescope, longest_days: float) -> Cells:
        station = Station(telescope.place, self.earth)
        dark = dark_intervals(
            station, self.sun_moon.sun, self.start_tt_mjd, self.end_tt_mjd, telescope.limits.sun_alt_deg
        )
        bounds, opens, closes, night = _divided(self, telescope.place, dark, longest_days)
        middle, half = 0.5 * (bounds[0] + bounds[1]), 0.5 * (bounds[1] - bounds[0])
        meridian = station.meridian_angle_rad(middle)
        position, axes = station.in_meridian_frame(middle)
        ut1_days = self.earth.ut1_mjd(bounds[1]) - self.earth.ut1_mjd(bounds[0])
        nodes = chebyshev.chebpts1(MOON_TERMS)
        times = middle[:, None] + half[:, None] * nodes
        moon = self.sun_moon.moon(times.ravel()).reshape(*times.shape, 3)
        moon = turn_about_z(moon, np.broadcast_to(-meridian[:, None], times.shape))
        return Cells(
            start_tt_mjd=bounds[0],
            end_tt_mjd=bounds[1],
            middle_tt_mjd=middle,
            half_days=half,
            turn_rad=0.5 * ROTATION_RAD_PER_UT1_DAY * ut1_days,
            meridian_rad=meridian,
            position_au=position,
            axes=axes,
            opens=opens,
            closes=closes,
            night=night,
            moon_au=np.ascontiguousarray(np.einsum("mn,cnk->mkc", powers_from_nodes(nodes), moon)),
            sun_au=np.ascontiguousarray(turn_about_z(self.sun_moon.sun(middle), -meridian).T),
            earth_velocity_au_d=np.ascontiguousarray(
                turn_about_z(-self.sun_moon.sun.velocity_au_d(middle), -meridian).T
            ),
            illuminated=self._illuminated(middle, half),
        )

    def _illuminated(self, middle: FloatArray, half: FloatArray) -> FloatArray:
        nodes = chebyshev.chebpts1(ILLUMINATION_TERMS)
        times = middle[:, None] + half[:, None] * nodes
        values = self.sun_moon.illuminated_fraction(times.ravel()).reshape(times.shape)
        return np.asarray(powers_from_nodes(nodes) @ values.T)


def _divided(
    observing: Observing, place: Place, dark: DarkIntervals, longest_days: float
) -> tuple[FloatArray, IntArray, IntArray, NDArray[np.datetime64]]:
    """Dark intervals cut at the noons of the place and into parts: bounds (2, c), edge codes, nights."""
    nights = nights_between(place, observing.start_tt_mjd, observing.end_tt_mjd)
    noons = nights.end_tt_mjd[:-1].tolist()
    rows: list[tuple[float, float, int, int, int]] = []
    for begin, end, dusk, dawn in zip(
        dark.start_tt_mjd.tolist(),
        dark.end_tt_mjd.tolist(),
        dark.begins_with_dusk,
        dark.ends_with_dawn,
        strict=True,
    ):
        first, last = bisect.bisect_right(noons, begin), bisect.bisect_left(noons, end)
        for night in range(first, last + 1):
            low = begin if night == first else noons[night - 1]
            high = end if night == last else noons[night]
            opens = Edge.NIGHT if night > first else Edge.SUN if dusk else Edge.SPAN
            closes = Edge.NIGHT if night < last else Edge.SUN if dawn else Edge.SPAN
            if high - low >= _SHORTEST_DAYS:
                rows += _parts(low, high, opens, closes, night, longest_days)
    bounds = np.array([row[:2] for row in rows], dtype=float).reshape(-1, 2).T
    codes = np.array([row[2:] for row in rows], dtype=np.int64).reshape(-1, 3)
    return bounds, codes[:, 0], codes[:, 1], nights.date[codes[:, 2]]


def _parts(
    low: float, high: float, opens: int, closes: int, night: int, longest_days: float
) -> list[tuple[float, float, int, int, int]]:
    """An interval of one night in equal parts, as rows of start, end, what opens and closes, and the night."""
    parts = max(1, math.ceil((high - low) / longest_days - 1e-9))
    cuts = [low + (high - low) * k / parts for k in range(parts)] + [high]
    return [
        (cuts[k], cuts[k + 1], opens if k == 0 else SEAM, closes if k == parts - 1 else SEAM, night)
        for k in range(parts)
    ]

"""Cells: the pieces of darkness in which telescopes are searched, and all that does not depend on the target there.

A cell is a dark interval of one night of one telescope or, for near objects, a part of one. Inside it vectors are held
in the *cell frame*: CIRS turned so that x lies in the meridian of the place at the middle of the cell. Time is tau
in [-1, 1] over the cell.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from coordination.visibility.engine.edges import SEAM, Edge
from coordination.visibility.engine.limit_table import LimitTable
from coordination.visibility.engine.limits import Limits
from observatories.sites.earth_orientation import ROTATION_RAD_PER_UT1_DAY, EarthOrientation
from observatories.sites.geodesy import Place
from observatories.sites.nights import nights_between
from observatories.sites.station import Stations, turn_about_z
from observatories.sites.sun_moon import DarkIntervals, SunMoon, dark_intervals, illuminated_fraction
from targets.orbits.frames import CioTable

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ILLUMINATION_TERMS = 6
MOON_TERMS = 9  # powers of tau of the Moon's vector: a day long cell is left exact to 0.001"
_SHORTEST_DAYS = 1e-3 / 86400.0  # a shorter cell, between a dusk and a noon, holds no window anyone could use
_CELLS_AT_ONCE = 20_000  # of parts of nights: bounds the memory


@dataclass(frozen=True)
class Telescope:
    """What the search knows of a telescope: where it stands and what it asks."""

    place: Place
    limits: Limits
    name: str = ""


@dataclass(frozen=True)
class Cells:
    """c cells of telescopes, in order of time: all that one block of an ephemeris is needed for lies together.

    limits: of all telescopes; telescope (c,): index into them. start_tt_mjd, end_tt_mjd, middle_tt_mjd, half_days (c,):
    t = middle + half * tau. turn_rad (c,): by which the Earth turns in half a cell. meridian_rad (c,): angle of the
    meridian in CIRS at the middle. position_au (3, c), axes (3, 3, c; east, north, zenith): in the meridian frame
    (`Stations.in_meridian_frame`). opens, closes (c,): codes of `Edge`, or SEAM. night (c,): label. moon_au
    (MOON_TERMS, 3, c): powers of tau in the cell frame, sun_au (3, c): at the middle, illuminated (ILLUMINATION_TERMS,
    c): powers of tau of the illuminated fraction of the Moon. earth_velocity_au_d (3, c): in the cell frame at the
    middle.
    """

    limits: LimitTable
    telescope: IntArray
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

    @cached_property
    def _by_telescope(self) -> tuple[IntArray, FloatArray]:
        """The cells by telescope and time, and their ends on one axis with a stretch for each telescope."""
        order = np.lexsort((self.end_tt_mjd, self.telescope))
        return order, self._on_one_axis(self.telescope[order], self.end_tt_mjd[order])

    def _on_one_axis(self, telescope: IntArray, tt_mjd: FloatArray) -> FloatArray:
        first, last = self.start_tt_mjd.min(), self.end_tt_mjd.max()
        return np.asarray(telescope * (last - first + 2.0) + (tt_mjd - first))

    def holding(self, telescope: IntArray, tt_mjd: FloatArray) -> IntArray:
        """The cell (n,) of a telescope that a time is in, or the next one (of any telescope where there is none)."""
        order, ends = self._by_telescope
        place = np.searchsorted(ends, self._on_one_axis(telescope, tt_mjd), side="right")
        return order[np.minimum(place, self.n - 1)]


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

    def __post_init__(self) -> None:
        if not self.start_tt_mjd < self.end_tt_mjd:
            raise ValueError("a span must end after its start")
        self.earth.check([self.start_tt_mjd, self.end_tt_mjd])

    @property
    def least_days(self) -> FloatArray:
        """The shortest window that each telescope asks for, days."""
        return np.array([telescope.limits.min_duration_minutes / 1440.0 for telescope in self.telescopes])

    @cached_property
    def limits(self) -> LimitTable:
        """The limits of all telescopes."""
        return LimitTable.of([(telescope.place, telescope.limits) for telescope in self.telescopes])

    @cached_property
    def stations(self) -> Stations:
        """The places of all telescopes on the turning Earth."""
        return Stations([telescope.place for telescope in self.telescopes], self.earth)

    @cached_property
    def to_cirs(self) -> CioTable:
        """Precession and nutation over the span."""
        return CioTable(self.start_tt_mjd, self.end_tt_mjd)

    @cached_property
    def nights(self) -> Cells:
        """The cells of all telescopes, one for each dark interval of a night; kept for the next batch of targets."""
        return self._make_cells(self._dark, 1.0)

    def cells(self, longest_days: float) -> Iterator[Cells]:
        """All cells, none longer than `longest_days`. Parts of nights come some telescopes at a time, made anew."""
        if longest_days >= 1.0:
            yield self.nights
            return
        dark = self._dark
        parts = np.ceil((dark.end_tt_mjd - dark.start_tt_mjd) / longest_days + 1.0)
        before = np.cumsum(np.bincount(dark.station, weights=parts, minlength=len(self.telescopes)))
        batch = (before / _CELLS_AT_ONCE).astype(np.int64)[dark.station]
        for number in np.unique(batch):
            yield self._make_cells(dark.take(batch == number), longest_days)

    @cached_property
    def _dark(self) -> DarkIntervals:
        limits = np.array([telescope.limits.sun_alt_deg for telescope in self.telescopes])
        return dark_intervals(self.stations, self.sun_moon.sun, self.start_tt_mjd, self.end_tt_mjd, limits)

    def _make_cells(self, dark: DarkIntervals, longest_days: float) -> Cells:
        telescope, bounds, opens, closes, night = _divided(self, dark, longest_days)
        middle, half = 0.5 * (bounds[0] + bounds[1]), 0.5 * (bounds[1] - bounds[0])
        meridian = self.stations.meridian_angle_rad(telescope, middle)
        position, axes = self.stations.in_meridian_frame(telescope, middle)
        ut1_days = self.earth.ut1_mjd(bounds[1]) - self.earth.ut1_mjd(bounds[0])
        nodes = chebyshev.chebpts1(MOON_TERMS)
        times = middle[:, None] + half[:, None] * nodes
        sun, moon = (body(times.ravel()).reshape(*times.shape, 3) for body in (self.sun_moon.sun, self.sun_moon.moon))
        to_illumination = np.linalg.pinv(np.vander(nodes, ILLUMINATION_TERMS, increasing=True))
        moon_powers = np.einsum("mn,cnk->mkc", powers_from_nodes(nodes), turn_about_z(moon, -meridian[:, None]))
        return Cells(
            limits=self.limits,
            telescope=telescope,
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
            moon_au=np.ascontiguousarray(moon_powers),
            sun_au=np.ascontiguousarray(turn_about_z(sun[:, MOON_TERMS // 2], -meridian).T),
            earth_velocity_au_d=np.ascontiguousarray(
                turn_about_z(-self.sun_moon.sun.velocity_au_d(middle), -meridian).T
            ),
            illuminated=np.asarray(to_illumination @ illuminated_fraction(sun, moon).T),
        )


def _divided(
    observing: Observing, dark: DarkIntervals, longest_days: float
) -> tuple[IntArray, FloatArray, IntArray, IntArray, NDArray[np.datetime64]]:
    """Dark intervals cut at the noons of their places and into parts, by time: telescope (c,), bounds (2, c), edge
    codes, nights.
    """
    rows: list[tuple[float, float, int, int, int, int]] = []
    dates, noons = [], []
    for telescope in observing.telescopes:
        nights = nights_between(telescope.place, observing.start_tt_mjd, observing.end_tt_mjd)
        dates.append(nights.date)
        noons.append(nights.end_tt_mjd[:-1].tolist())
    first_night = np.cumsum([0, *(len(each) for each in dates)])
    for telescope_number, begin, end, dusk, dawn in zip(
        dark.station.tolist(),
        dark.start_tt_mjd.tolist(),
        dark.end_tt_mjd.tolist(),
        dark.begins_with_dusk.tolist(),
        dark.ends_with_dawn.tolist(),
        strict=True,
    ):
        cuts = noons[telescope_number]
        first, last = bisect.bisect_right(cuts, begin), bisect.bisect_left(cuts, end)
        for night in range(first, last + 1):
            low = begin if night == first else cuts[night - 1]
            high = end if night == last else cuts[night]
            opens = Edge.NIGHT if night > first else Edge.SUN if dusk else Edge.SPAN
            closes = Edge.NIGHT if night < last else Edge.SUN if dawn else Edge.SPAN
            if high - low >= _SHORTEST_DAYS:
                label = int(first_night[telescope_number]) + night
                rows += _parts(low, high, int(opens), int(closes), label, telescope_number, longest_days)
    rows.sort()
    bounds = np.array([row[:2] for row in rows], dtype=float).reshape(-1, 2).T
    codes = np.array([row[2:] for row in rows], dtype=np.int64).reshape(-1, 4)
    night_dates = np.concatenate([*dates, np.empty(0, dtype="datetime64[D]")])
    return codes[:, 3].copy(), bounds.copy(), codes[:, 0].copy(), codes[:, 1].copy(), night_dates[codes[:, 2]]


def _parts(
    low: float, high: float, opens: int, closes: int, night: int, telescope: int, longest_days: float
) -> list[tuple[float, float, int, int, int, int]]:
    """An interval of one night in equal parts, as rows: start, end, what opens and closes, night, telescope."""
    parts = max(1, math.ceil((high - low) / longest_days - 1e-9))
    if parts == 1:
        return [(low, high, opens, closes, night, telescope)]
    cuts = [low + (high - low) * k / parts for k in range(parts)] + [high]
    return [
        (
            cuts[k],
            cuts[k + 1],
            opens if k == 0 else SEAM,
            closes if k == parts - 1 else SEAM,
            night,
            telescope,
        )
        for k in range(parts)
    ]

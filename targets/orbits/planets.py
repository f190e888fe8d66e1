"""Where the attracting bodies are, from JPL kernels (SPK): the Sun, the planets, Pluto, the Moon and 16 large
asteroids.

The project carries excerpts of DE440 and of SB441-N16 for 1990 to 2050 (`kernels/build_excerpt.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jplephem.spk import SPK
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_KERNELS = Path(__file__).parent / "kernels"
PLANET_KERNEL = _KERNELS / "de440_1990-2050.bsp"
ASTEROID_KERNEL = _KERNELS / "sb441-n16_1990-2050.bsp"
AU_KM = 149597870.700
DAY_S = 86400.0
C_AU_D = 299792.458 * DAY_S / AU_KM
MJD_ZERO_JD = 2400000.5
# Light left earlier, and the integrator's steps are whole segments of 16 days: the ends of a kernel cannot be promised.
MARGIN_DAYS = 18.0
_GM_UNIT = DAY_S**2 / AU_KM**3  # km^3/s^2 -> au^3/d^2


@dataclass(frozen=True)
class Body:
    """A body that attracts: GM of DE440 (Park et al. 2021; systems include their moons) and radius."""

    name: str
    gm_au3_d2: float
    radius_au: float
    links: tuple[tuple[int, int], ...]  # (centre, target) segments of the kernel, to be summed from the barycentre


def _body(name: str, gm_km3_s2: float, radius_km: float, *links: tuple[int, int]) -> Body:
    return Body(name, gm_km3_s2 * _GM_UNIT, radius_km / AU_KM, links)


SUN = _body("sun", 132712440041.279419, 695700.0, (0, 10))
EARTH = _body("earth", 398600.435507, 6378.1366, (0, 3), (3, 399))
MOON = _body("moon", 4902.800118, 1737.4, (0, 3), (3, 301))
PERTURBERS = (
    _body("mercury", 22031.868551, 2440.5, (0, 1)),
    _body("venus", 324858.592000, 6051.8, (0, 2)),
    EARTH,
    MOON,
    _body("mars", 42828.375816, 3396.2, (0, 4)),
    _body("jupiter", 126712764.100000, 71492.0, (0, 5)),
    _body("saturn", 37940584.841800, 60268.0, (0, 6)),
    _body("uranus", 5794556.400000, 25559.0, (0, 7)),
    _body("neptune", 6836527.100580, 24764.0, (0, 8)),
    _body("pluto", 975.500000, 1188.3, (0, 9)),
)
BODIES = (SUN, *PERTURBERS)
BY_NAME = {body.name: body for body in BODIES}


def _asteroid(number: int, name: str, gm_km3_s2: float) -> Body:
    return _body(name, gm_km3_s2, 0.0, (0, 10), (10, 2_000_000 + number))


# The perturbers of JPL's small-body orbits (Farnocchia 2021, IOM 392R-21-005), with the masses of DE440.
ASTEROIDS = (
    _asteroid(1, "Ceres", 62.6288886444),
    _asteroid(2, "Pallas", 13.6658781460),
    _asteroid(3, "Juno", 1.9205707002),
    _asteroid(4, "Vesta", 17.2882328792),
    _asteroid(7, "Iris", 1.1398723232),
    _asteroid(10, "Hygiea", 5.6251476454),
    _asteroid(15, "Eunomia", 2.0230209871),
    _asteroid(16, "Psyche", 1.5896582442),
    _asteroid(31, "Euphrosyne", 1.0793714577),
    _asteroid(52, "Europa", 2.6830359243),
    _asteroid(65, "Cybele", 0.9381057564),
    _asteroid(87, "Sylvia", 2.1682320737),
    _asteroid(88, "Thisbe", 1.1898077088),
    _asteroid(107, "Camilla", 1.4437384032),
    _asteroid(511, "Davida", 3.8944831482),
    _asteroid(704, "Interamnia", 2.8304096393),
)


class SpanError(ValueError):
    """A date outside what the kernel covers; the message names the span."""


def iso_day(mjd: float) -> str:
    """The calendar date of an MJD, for messages."""
    return str(np.datetime64("1858-11-17") + np.timedelta64(int(np.floor(mjd)), "D"))


@dataclass(frozen=True)
class _Segment:
    """Chebyshev records of one kernel segment, ready for many times at once."""

    start_tdb_mjd: float
    record_days: float
    coefficients: FloatArray  # (n_records, n_coef, 3), km

    def evaluate(self, tdb_mjd: FloatArray, n_derivatives: int) -> list[FloatArray]:
        """[position] or [position, velocity] at times (n_t,), (n_t, 3) each in km and km/d."""
        n_records, n_coef, _ = self.coefficients.shape
        place = (tdb_mjd - self.start_tdb_mjd) / self.record_days
        record = np.clip(np.floor(place).astype(np.int64), 0, n_records - 1)
        s = 2.0 * (place - record) - 1.0
        basis, slope = np.zeros((2, n_coef, tdb_mjd.size))
        basis[0], basis[1], slope[1] = 1.0, s, 1.0
        for k in range(2, n_coef):
            basis[k] = 2.0 * s * basis[k - 1] - basis[k - 2]
            if n_derivatives > 1:
                slope[k] = 2.0 * (basis[k - 1] + s * slope[k - 1]) - slope[k - 2]
        rows = self.coefficients[record]
        weights = (basis, slope * (2.0 / self.record_days))
        return [np.einsum("kt,tkc->tc", each, rows) for each in weights[:n_derivatives]]


class Planets:
    """Barycentric ICRF positions and velocities of `BODIES` and `ASTEROIDS` over the span that the kernels share.

    Without arguments, from the kernels that the project carries. Other kernels may be given, such as longer
    ones; where they have no asteroids these are left out (0.008" after a year, 0.2 km). Opening costs a few
    milliseconds; the records of a body are read when it is first asked for.
    """

    def __init__(self, path: Path | str | None = None, *further: Path | str) -> None:
        self.paths = [PLANET_KERNEL, ASTEROID_KERNEL] if path is None else [Path(each) for each in (path, *further)]
        self._segments = {pair: each for path in self.paths for pair, each in SPK.open(str(path)).pairs.items()}
        needed = {link for body in BODIES for link in body.links}
        if missing := needed - set(self._segments):
            raise ValueError(f"{self._files} has no segments (centre, target) {sorted(missing)}")
        self.asteroids = tuple(body for body in ASTEROIDS if set(body.links) <= set(self._segments))
        used = [self._segments[link] for link in needed.union(*(body.links for body in self.asteroids))]
        self._first_tdb_mjd = max(segment.start_jd for segment in used) - MJD_ZERO_JD
        self._last_tdb_mjd = min(segment.end_jd for segment in used) - MJD_ZERO_JD
        self._segment = functools.cache(self._read_segment)

    @property
    def _files(self) -> str:
        return ", ".join(path.name for path in self.paths)

    @property
    def span_tdb_mjd(self) -> tuple[float, float]:
        """First and last date that may be asked for; the kernel itself reaches `MARGIN_DAYS` further at either end."""
        return self._first_tdb_mjd + MARGIN_DAYS, self._last_tdb_mjd - MARGIN_DAYS

    def require(self, first_tdb_mjd: float, last_tdb_mjd: float) -> None:
        """Raise `SpanError` unless both dates lie within the span."""
        first, last = self.span_tdb_mjd
        for date in (first_tdb_mjd, last_tdb_mjd):
            if not first <= date <= last:
                raise SpanError(
                    f"{iso_day(date)} is outside the span of the planetary kernel ({self._files}): "
                    f"{iso_day(first)} to {iso_day(last)} (TDB)"
                )

    def _read_segment(self, link: tuple[int, int]) -> _Segment:
        initial_jd, days, coefficients = self._segments[link].load_array()  # (3, n_records, n_coef)
        return _Segment(
            initial_jd - MJD_ZERO_JD, days, np.ascontiguousarray(np.moveaxis(coefficients, 0, 2), dtype=float)
        )

    def _barycentric(self, body: Body | str, tdb_mjd: ArrayLike, n_derivatives: int) -> list[FloatArray]:
        body = BY_NAME[body] if isinstance(body, str) else body
        times = np.asarray(tdb_mjd, dtype=float)
        flat = times.ravel()
        self._require_covered(flat)
        totals = [np.zeros((flat.size, 3)) for _ in range(n_derivatives)]
        for link in body.links:
            for total, part in zip(totals, self._segment(link).evaluate(flat, n_derivatives), strict=True):
                total += part
        return [(total / AU_KM).reshape(*times.shape, 3) for total in totals]

    def _require_covered(self, tdb_mjd: FloatArray) -> None:
        if tdb_mjd.size and not (self._first_tdb_mjd <= tdb_mjd.min() and tdb_mjd.max() <= self._last_tdb_mjd):
            self.require(tdb_mjd.min(), tdb_mjd.max())

    def position(self, body: Body | str, tdb_mjd: ArrayLike) -> FloatArray:
        """Barycentric ICRF position in au, shape (..., 3) for times of shape (...)."""
        return self._barycentric(body, tdb_mjd, 1)[0]

    def positions(self, bodies: Sequence[Body], tdb_mjd: ArrayLike) -> FloatArray:
        """Those of several bodies, (n_bodies, ..., 3): what their paths share is evaluated once."""
        times = np.asarray(tdb_mjd, dtype=float)
        self._require_covered(times)
        links = {link: np.empty(0) for body in bodies for link in body.links}
        for link in links:
            links[link] = self._segment(link).evaluate(times.ravel(), 1)[0]
        totals = np.zeros((len(bodies), times.size, 3))
        for total, body in zip(totals, bodies, strict=True):
            for link in body.links:
                total += links[link]
        totals /= AU_KM
        return totals.reshape(len(bodies), *times.shape, 3)

    def state(self, body: Body | str, tdb_mjd: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Barycentric ICRF position in au and velocity in au/d, each (..., 3) for times of shape (...)."""
        position, velocity = self._barycentric(body, tdb_mjd, 2)
        return position, velocity


@functools.cache
def default_planets() -> Planets:
    """The kernels that the project carries, opened once in a process."""
    return Planets()

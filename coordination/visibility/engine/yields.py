"""What segments of joint windows yield: baseline, parallax, range precision, and how good the worst member is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from coordination.visibility.engine.baselines import (
    AU_KM,
    Errors,
    parallax_arcsec,
    projected_baseline_km,
    range_error_fraction,
)
from coordination.visibility.engine.cells import Observing
from coordination.visibility.engine.instants import AtInstants
from coordination.visibility.engine.joint import JointTable
from coordination.visibility.engine.segments import Segments, expanded
from coordination.visibility.engine.series import alike
from observatories.sites.station import turn_about_z
from targets.orbits.blocks import EphemerisBlocks

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BlockGroup = tuple[IntArray, EphemerisBlocks]
# 1-sigma semi-major axes (n,) in arcsec, NaN where unknown, of targets (n,) at TT as MJD (n,).
Uncertainty = Callable[[IntArray, FloatArray], FloatArray]

SAMPLES = 3  # start, middle, end
_SIGMAS = 3.0
_AT_ONCE = 200_000


@dataclass(frozen=True)
class Yields:
    """Of s segments at their start, middle and end, (s, 3) each.

    tt_mjd: when. distance_au: geocentric. baseline_km: the largest projected baseline between members at different
    sites; one, other: their telescopes (-1 where all members are at one site; the figures that need two are NaN
    then). parallax_arcsec and range_error_fraction, range_error_km: by that pair. min_alt_deg: lowest (airless)
    altitude among the members. v_mag: faintest V among them. v_margin_mag: least of limit minus V; NaN where no member
    has a limit, or V is unknown. fits: 1 where the ellipse of 3 sigma fits every member's field, 0 where not, -1 where
    the uncertainty or no field is known.
    """

    tt_mjd: FloatArray
    distance_au: FloatArray
    baseline_km: FloatArray
    one: IntArray
    other: IntArray
    parallax_arcsec: FloatArray
    range_error_fraction: FloatArray
    range_error_km: FloatArray
    min_alt_deg: FloatArray
    v_mag: FloatArray
    v_margin_mag: FloatArray
    fits: IntArray


def yields_of(
    segments: Segments,
    joint: JointTable,
    groups: Sequence[BlockGroup],
    observing: Observing,
    site: ArrayLike,
    errors: Errors | None = None,
    *,
    field_arcsec: ArrayLike | None = None,
    uncertainty: Uncertainty | None = None,
) -> Yields:
    """What segments yield, with the groups and the telescopes in which their windows were found.

    site: number of the site of each telescope. field_arcsec (telescopes,): the smaller side of each field, NaN where
    unknown.
    """
    times = _samples(segments)
    target = joint.target[segments.joint]
    seen = _Seen.of(segments, target, times, groups, observing)
    largest = _largest_baselines(segments, seen, np.asarray(site), errors or Errors())
    first = segments.offset[:-1]
    limits = np.array([np.nan if t.limits.v_limit_mag is None else t.limits.v_limit_mag for t in observing.telescopes])
    margin = limits[segments.telescope][:, None] - seen.v_mag
    return Yields(
        tt_mjd=times,
        distance_au=np.linalg.norm(seen.target_au[first], axis=2),
        min_alt_deg=_over_members(np.fmin, seen.alt_deg, first),
        v_mag=_over_members(np.fmax, seen.v_mag, first),
        v_margin_mag=_over_members(np.fmin, margin, first),
        fits=_fits(segments, target, times, field_arcsec, uncertainty),
        **largest,
    )


def _samples(segments: Segments) -> FloatArray:
    start, end = segments.start_tt_mjd, segments.end_tt_mjd
    return np.stack([start, 0.5 * (start + end), end], axis=1)


def _over_members(pick: np.ufunc, values: FloatArray, first: IntArray) -> FloatArray:
    return np.asarray(pick.reduceat(values, first, axis=0)) if first.size else np.empty((0, SAMPLES))


@dataclass(frozen=True)
class _Seen:
    """Targets as members (m entries of the segments' lists) see them, at three times each.

    site_au, target_au (m, 3 times, 3): geocentric, CIRS. alt_deg, v_mag, rate_arcsec_min (m, 3).
    """

    site_au: FloatArray
    target_au: FloatArray
    alt_deg: FloatArray
    v_mag: FloatArray
    rate_arcsec_min: FloatArray

    @classmethod
    def of(
        cls,
        segments: Segments,
        target: IntArray,
        times: FloatArray,
        groups: Sequence[BlockGroup],
        observing: Observing,
    ) -> _Seen:
        m = segments.telescope.size
        vectors, numbers = (m, SAMPLES, 3), (m, SAMPLES)
        seen = cls(*(np.full(shape, np.nan) for shape in (vectors, vectors, numbers, numbers, numbers)))
        tt, whose = times[segments.segment], target[segments.segment]
        for targets, blocks in groups:
            for members, series, _, _ in alike(blocks):
                here = np.asarray(targets)[members]
                order = np.argsort(here)
                place = np.minimum(np.searchsorted(here[order], whose), here.size - 1)
                rows = np.flatnonzero(here[order][place] == whose)
                for begin in range(0, rows.size, _AT_ONCE // SAMPLES):
                    some = rows[begin : begin + _AT_ONCE // SAMPLES]
                    telescope, objects = (
                        np.repeat(each, SAMPLES) for each in (segments.telescope[some], order[place[some]])
                    )
                    seen._look(some, tt[some], AtInstants(series, observing, telescope, objects))
        return seen

    def _look(self, rows: IntArray, tt: FloatArray, look: AtInstants) -> None:
        shape, sight = tt.shape, look.sight(tt.ravel())
        meridian = sight.pairs.cells.meridian_rad
        site, target = (
            turn_about_z(np.stack(vector, axis=-1), meridian) for vector in (sight.site_au, sight.topocentric_au)
        )
        self.site_au[rows] = site.reshape(*shape, 3)
        self.target_au[rows] = (site + target).reshape(*shape, 3)
        sine = np.clip(sight.altitude_sine, -1.0, 1.0)
        self.alt_deg[rows] = np.degrees(np.arcsin(sine)).reshape(shape)
        self.v_mag[rows] = sight.v_mag.reshape(shape)
        self.rate_arcsec_min[rows] = sight.rate_arcsec_min.reshape(shape)


def _largest_baselines(segments: Segments, seen: _Seen, site: IntArray, errors: Errors) -> dict[str, Any]:
    """The columns that come of the pair of members with the largest projected baseline; the first of equal ones."""
    shape = (segments.n, SAMPLES)
    columns: dict[str, Any] = {
        name: np.full(shape, np.nan)
        for name in ("baseline_km", "parallax_arcsec", "range_error_fraction", "range_error_km")
    }
    columns |= {name: np.full(shape, -1) for name in ("one", "other")}
    members = np.diff(segments.offset)
    batch = np.cumsum(members * (members - 1) // 2) // _AT_ONCE
    for number in np.unique(batch):
        first, last = np.searchsorted(batch, [number, number + 1])
        one, other, owner = _pairs_apart(segments, site, int(first), int(last))
        for sample in range(SAMPLES):
            found = _largest(segments, seen, errors, one, other, owner, sample)
            for name, values in found.items():
                columns[name][np.unique(owner), sample] = values
    return columns


def _pairs_apart(segments: Segments, site: IntArray, first: int, last: int) -> tuple[IntArray, IntArray, IntArray]:
    """All pairs of members (entries of the segments' lists) of some segments that are at different sites, and their
    segment.
    """
    entry = np.arange(segments.offset[first], segments.offset[last])
    owner = segments.segment[entry]
    other, index = expanded(entry + 1, segments.offset[owner + 1] - entry - 1)
    one = entry[index]
    apart = site[segments.telescope[one]] != site[segments.telescope[other]]
    return one[apart], other[apart], owner[index][apart]


def _largest(
    segments: Segments, seen: _Seen, errors: Errors, one: IntArray, other: IntArray, owner: IntArray, sample: int
) -> dict[str, Any]:
    """Columns of the segments that own pairs, at one of the samples."""
    sites = seen.site_au[:, sample]
    baseline = projected_baseline_km(sites[one], sites[other], seen.target_au[one, sample])
    best = np.lexsort((-baseline, owner))[np.flatnonzero(np.diff(owner, prepend=-1))]
    a, b, km = one[best], other[best], baseline[best]
    middle = 0.5 * (sites[a] + sites[b])
    distance_au = np.linalg.norm(seen.target_au[a, sample] - middle, axis=1)
    parallax = parallax_arcsec(km, distance_au)
    error_arcsec = [errors.place_arcsec(seen.rate_arcsec_min[member, sample]) for member in (a, b)]
    fraction = range_error_fraction(parallax, *error_arcsec)
    return {
        "baseline_km": km,
        "one": segments.telescope[a],
        "other": segments.telescope[b],
        "parallax_arcsec": parallax,
        "range_error_fraction": fraction,
        "range_error_km": fraction * distance_au * AU_KM,
    }


def _fits(
    segments: Segments,
    target: IntArray,
    times: FloatArray,
    field_arcsec: ArrayLike | None,
    uncertainty: Uncertainty | None,
) -> IntArray:
    if uncertainty is None or field_arcsec is None or not segments.n:
        return np.full(times.shape, -1)
    field = np.asarray(field_arcsec, dtype=float)[segments.telescope]
    smallest = np.minimum.reduceat(field, segments.offset[:-1])[:, None]  # NaN where one is unknown
    sigma = uncertainty(np.repeat(target, SAMPLES), times.ravel()).reshape(times.shape)
    known = ~np.isnan(sigma) & ~np.isnan(smallest)
    return np.where(known, (2.0 * _SIGMAS * sigma <= smallest).astype(np.int64), -1)

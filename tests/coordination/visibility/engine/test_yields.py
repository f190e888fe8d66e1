"""What joint observations yield, against Astropy's places and against figures worked out by hand."""

import itertools

import numpy as np
import pytest

from coordination.visibility.engine.baselines import (
    AU_KM,
    Errors,
    parallax_arcsec,
    projected_baseline_km,
    range_error_fraction,
)
from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.joint import joint_windows
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.segments import segments_of
from coordination.visibility.engine.windows import find_windows
from coordination.visibility.engine.yields import yields_of
from observatories.sites.grouping import site_numbers
from observatories.sources.obscodes import find_code
from targets.orbits.elements import OrbitBatch
from tests.coordination.visibility.engine.oracle import START_TT_MJD, Sky, blocks_of, flybys, observing, orbits

DAYS = 4
CODES = ("W84", "I11", "J04", "954", "L01", "K91")  # Chile and Tenerife twice, 10 km and 100 m apart
V_LIMITS = (21.0, 20.0, 21.5, None, 19.5, 21.0)


def test_the_worked_example() -> None:
    parallax = parallax_arcsec(5400.0, 0.05)
    assert parallax == pytest.approx(149.0, abs=0.5)
    errors = Errors(astrometric_arcsec=0.2)
    fraction = range_error_fraction(parallax, errors.place_arcsec(3.0), errors.place_arcsec(4.0))
    assert fraction == pytest.approx(np.sqrt(2.0) * 0.2 / 149.0, rel=2e-3)
    assert 0.0018 < fraction < 0.0021


def test_a_baseline_along_the_line_of_sight_counts_nothing() -> None:
    one, other = np.array([[0.0, 0.0, 0.0]]), np.array([[6000.0, 0.0, 0.0]]) / AU_KM
    assert projected_baseline_km(one, other, np.array([[0.5, 0.0, 0.0]])) == pytest.approx(0.0, abs=1e-6)
    assert projected_baseline_km(one, other, np.array([[3000.0 / AU_KM, 0.5, 0.0]])) == pytest.approx(6000.0)
    slanted = projected_baseline_km(one, other, np.array([[500.0, 500.0, 0.0]]))
    assert slanted == pytest.approx(6000.0 * np.sqrt(0.5), rel=1e-6)


def test_motion_counts_by_the_error_of_the_clock() -> None:
    assert Errors(0.3, 2.0).place_arcsec(12.0) == pytest.approx(0.5)
    for wrong in ((-0.1, 0.0), (0.1, -1.0), (np.nan, 0.0), (0.1, np.inf)):
        with pytest.raises(ValueError, match="error"):
            Errors(*wrong)


class Found:
    """Real sites, far objects and fly-bys: joint windows, segments and what they yield."""

    def __init__(self) -> None:
        self.batch = OrbitBatch.concatenate([orbits(12, seed=4), flybys([0.002, 0.01, 0.03], START_TT_MJD + 2.0)])
        self.trajectory, self.groups = blocks_of(self.batch, DAYS)
        self.places = [find_code(code).place for code in CODES]
        telescopes = [
            Telescope(place, Limits(v_limit_mag=limit), code)
            for place, limit, code in zip(self.places, V_LIMITS, CODES, strict=True)
        ]
        self.observing = observing(telescopes, 0.5, DAYS - 0.5)
        self.windows = find_windows(self.groups, self.observing, cut_at_nights=False)
        self.sites = site_numbers(self.places)
        (self.joint,) = joint_windows(self.windows, self.sites, [2])
        self.segments = segments_of(self.joint, self.windows, len(telescopes))
        self.target = self.joint.target[self.segments.joint]

    def yields(self, **options):
        return yields_of(self.segments, self.joint, self.groups, self.observing, self.sites, **options)

    def position(self, target: int):
        one = self.trajectory.take([target])
        return lambda tdb: one.position(tdb)[0]


@pytest.fixture(scope="module")
def found() -> Found:
    return Found()


def test_the_sites_are_what_the_test_means(found: Found) -> None:
    assert found.sites.tolist() == [0, 0, 2, 2, 4, 5]
    assert found.segments.n > 30
    assert {"flyby at 0.002 au", "flyby at 0.01 au"} <= {found.batch.names[target] for target in found.target}


def baseline(one_au: np.ndarray, other_au: np.ndarray, sight_au: np.ndarray) -> float:
    """Projected baseline between two observers, the first of whom sees the target along a vector."""
    return float(projected_baseline_km(one_au[None], other_au[None], (one_au + sight_au)[None])[0])


def test_figures_are_those_of_astropy(found: Found) -> None:
    told, late = found.yields(errors=Errors(0.3)), found.yields(errors=Errors(0.3, 0.5))
    rows = np.unique(np.concatenate([np.arange(0, found.segments.n, 5), np.flatnonzero(found.target >= 12)[::3]]))
    for row in rows:
        position, h, g = (
            found.position(found.target[row]),
            *(float(values[found.target[row]]) for values in (found.batch.h_mag, found.batch.g)),
        )
        members = found.segments.members(row)
        skies = {m: Sky(found.places[m], told.tt_mjd[row]) for m in members}
        seen = {m: sky.astrometric(position)[0] for m, sky in skies.items()}
        altitude = np.min([sky.altaz(position)[1] for sky in skies.values()], axis=0)
        v_mag = {m: sky.v_mag(position, h, g) for m, sky in skies.items()}
        margins = [V_LIMITS[m] - v_mag[m] for m in members if V_LIMITS[m] is not None]
        assert told.min_alt_deg[row] == pytest.approx(altitude, abs=1e-3)
        assert told.v_mag[row] == pytest.approx(np.max(list(v_mag.values()), axis=0), abs=2e-3)
        if margins:
            assert told.v_margin_mag[row] == pytest.approx(np.min(margins, axis=0), abs=2e-3)
        for sample in range(3):
            best = max(
                baseline(skies[a].observer[sample], skies[b].observer[sample], seen[a][sample])
                for a, b in itertools.combinations(members, 2)
                if found.sites[a] != found.sites[b]
            )
            assert told.baseline_km[row, sample] == pytest.approx(best, rel=1e-3)
            one, other = int(told.one[row, sample]), int(told.other[row, sample])
            assert found.sites[one] != found.sites[other]
            # The light that both see at one instant left the target at instants that differ by 20 ms: 0.2 km.
            a, b = seen[one][sample], seen[other][sample]
            angle = np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b) * 206264.806
            assert told.parallax_arcsec[row, sample] == pytest.approx(angle, rel=1.5e-3)
            middle = np.linalg.norm(a + b) / 2.0
            fraction = told.range_error_fraction[row, sample]
            assert fraction * angle == pytest.approx(np.sqrt(2.0) * 0.3, rel=2e-3)
            assert late.range_error_fraction[row, sample] > fraction
            assert told.range_error_km[row, sample] == pytest.approx(fraction * middle * AU_KM, rel=2e-3)


def test_members_at_one_site_have_no_baseline(found: Found) -> None:
    (alone,) = joint_windows(found.windows, np.zeros(len(CODES)), [1])
    segments = segments_of(alone, found.windows, len(CODES))
    told = yields_of(segments, alone, found.groups, found.observing, np.zeros(len(CODES)))
    assert np.all(told.one == -1)
    assert np.all(np.isnan(told.baseline_km))
    assert not np.isnan(told.min_alt_deg).any()


def test_the_ellipse_of_three_sigma_fits_the_smallest_field_or_not(found: Found) -> None:
    field = np.array([600.0, 600.0, 600.0, 600.0, 300.0, np.nan])

    def sigma(target, tt_mjd):
        return np.where(target % 3 == 0, 99.0, np.where(target % 3 == 1, 60.0, np.nan))

    fits = found.yields(field_arcsec=field, uncertainty=sigma).fits
    told = set()
    for row in range(found.segments.n):
        members, kind = found.segments.members(row), found.target[row] % 3
        expected = -1 if kind == 2 or 5 in members else int(4 not in members)
        assert fits[row].tolist() == [expected] * 3
        told.add(expected)
    assert told == {-1, 0, 1}
    assert np.all(found.yields().fits == -1)

"""The bounds from which the search rules out pairs must be bounds."""

import numpy as np
import pytest

from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.pairs import RAD_D_TO_ARCSEC_MIN
from coordination.visibility.engine.places import places
from coordination.visibility.engine.series import Series
from coordination.visibility.engine.windows import find_windows
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.station import Station
from targets.orbits.elements import OrbitBatch
from tests.coordination.visibility.engine.oracle import PLACES, START_TT_MJD, blocks_of, flybys, observing, orbits

DAYS = 4
SAMPLES = 12  # in a block


@pytest.fixture(scope="module")
def groups():
    batch = OrbitBatch.concatenate([orbits(20, seed=31), flybys([0.001, 0.004, 0.02, 0.06], START_TT_MJD + 2.2)])
    return blocks_of(batch, DAYS)


def test_bounds_hold_everywhere(groups) -> None:
    trajectory, parts = groups
    for targets, blocks in parts:
        series = Series.of(blocks)
        times = (
            START_TT_MJD
            + (np.arange(series.n_blocks)[:, None] + np.linspace(1e-6, 1 - 1e-6, SAMPLES)) * series.block_days
        )
        vectors = series.at(np.repeat(np.arange(series.n), times.size), np.tile(times.ravel(), series.n))[0]
        vectors = vectors.reshape(series.n, series.n_blocks, SAMPLES, 3).transpose(1, 0, 2, 3)
        distance = np.linalg.norm(vectors, axis=3)
        least, most = (bound[:, :, None] for bound in series.distance_au)
        assert np.all((distance >= least) & (distance <= most))
        middle = series.middle_au.transpose(0, 2, 1)[:, :, None]
        cosine = np.sum(vectors * middle, axis=3) / distance / np.linalg.norm(middle, axis=3)
        assert np.all(np.arccos(np.clip(cosine, -1.0, 1.0)) <= series.reach_rad[:, :, None] + 1e-7)
        for name in ("Paranal", "Xinglong"):
            seen = places(
                trajectory.take(targets), times.ravel(), Station(PLACES[name], EarthOrientation.from_astropy())
            )
            for values, (low, high) in (
                (seen.v_mag, series.v_mag),
                (seen.rate_arcsec_min / RAD_D_TO_ARCSEC_MIN, series.rate_rad_d),
            ):
                table = values.reshape(series.n, series.n_blocks, SAMPLES).transpose(1, 0, 2)
                assert np.all(table >= low[:, :, None] - 1e-3)
                assert np.all(table <= high[:, :, None] + 1e-3)


def test_bounds_of_far_targets_are_tight(groups) -> None:
    series = Series.of(groups[1][0][1])
    assert np.median(series.v_mag[1] - series.v_mag[0]) < 0.2
    assert np.degrees(np.median(series.reach_rad)) < 1.5


def test_times_beyond_the_blocks_are_refused(groups) -> None:
    asked = observing([Telescope(PLACES["Paranal"], Limits())], 0.5, DAYS + 2.0)
    with pytest.raises(ValueError, match="the ephemeris covers TT MJD"):
        find_windows(groups[1], asked)

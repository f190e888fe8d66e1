"""V in windows and ephemerides follows the phase function that an orbit comes with."""

import numpy as np
import pytest

from coordination.visibility.engine.cells import Telescope
from coordination.visibility.engine.limits import Limits
from coordination.visibility.engine.places import places
from coordination.visibility.engine.quantities import describe
from coordination.visibility.engine.windows import find_windows
from observatories.sites.earth_orientation import EarthOrientation
from observatories.sites.station import Station
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.elements import OrbitBatch
from targets.orbits.photometry import comet_total_magnitude, g1_g2_of_g12, visual_magnitude_g1_g2
from targets.orbits.planets import default_planets
from targets.orbits.prefilter import brightest_possible_v
from tests.coordination.visibility.engine.oracle import PLACES, START_TT_MJD, blocks_of, flybys, observing, orbits

DAYS = 4
OPEN = Limits(sun_alt_deg=-12.0, min_alt_deg=10.0, moon_sep_deg=0.0, v_limit_mag=None)
NAN = np.nan


@pytest.fixture(scope="module")
def batch() -> OrbitBatch:
    some = OrbitBatch.concatenate([orbits(18, seed=4), flybys([0.003, 0.01], START_TT_MJD + 2.2)])
    kind = np.arange(len(some)) % 4
    return some.with_photometry(
        h_sigma_mag=0.2,
        g1=np.where(kind == 1, 0.4, NAN),
        g2=np.where(kind == 1, 0.3, NAN),
        g12=np.where(kind == 2, 0.6, NAN),
        m1_mag=np.where(kind == 3, 12.0, NAN),
        k1=np.where(kind == 3, 9.0, NAN),
    )


@pytest.fixture(scope="module")
def computed(batch):
    return blocks_of(batch, DAYS)


def test_places_use_the_system_of_each_orbit(batch, computed) -> None:
    trajectory, _ = computed
    found = places(trajectory, START_TT_MJD + np.array([1.0, 2.5]), None)
    r, delta, phase = found.r_au, found.delta_au, np.radians(found.phase_deg)
    h = batch.h_mag[:, None]
    np.testing.assert_allclose(found.v_mag[1::4], visual_magnitude_g1_g2(h, 0.4, 0.3, r, delta, phase)[1::4], atol=1e-9)
    of_both = g1_g2_of_g12(0.6)
    np.testing.assert_allclose(found.v_mag[2::4], visual_magnitude_g1_g2(h, *of_both, r, delta, phase)[2::4], atol=1e-9)
    np.testing.assert_allclose(found.v_mag[3::4], comet_total_magnitude(12.0, 9.0, r, delta)[3::4], atol=1e-9)


def test_windows_tell_the_same_brightness(computed) -> None:
    trajectory, groups = computed
    place = PLACES["Paranal"]
    sky = observing([Telescope(place, OPEN)], 0.5, DAYS - 0.5)
    table = find_windows(groups, sky)
    quantities = describe(table, groups, sky)
    station = Station(place, EarthOrientation.from_astropy())
    assert set((table.target % 4).tolist()) == {0, 1, 2, 3}
    for row, target in enumerate(table.target.tolist()):
        exact = places(trajectory.take([target]), quantities.peak_tt_mjd[[row]], station).v_mag[0, 0]
        assert quantities.v_mag[row] == pytest.approx(exact, abs=0.002)


def test_the_magnitude_limit_cuts_where_that_brightness_says(computed) -> None:
    trajectory, groups = computed
    place, faintest = PLACES["Paranal"], 23.0
    limited = Limits(**{**vars(OPEN), "v_limit_mag": faintest})
    table = find_windows(groups, observing([Telescope(place, OPEN), Telescope(place, limited)], 0.5, DAYS - 0.5))
    times = START_TT_MJD + 0.5 + np.arange(0.0, DAYS - 1.0, 1200.0 / 86400.0)
    v_mag = places(trajectory, times, Station(place, EarthOrientation.from_astropy())).v_mag
    kept = set()
    for target in range(len(v_mag)):
        told = np.zeros((2, times.size), dtype=bool)
        mine = table.take(table.target == target)
        for k, start, end in zip(mine.telescope, mine.start_tt_mjd, mine.end_tt_mjd, strict=True):
            told[k] |= (times >= start) & (times < end)
        clear = np.abs(v_mag[target] - faintest) > 0.001
        np.testing.assert_array_equal(told[1][clear], (told[0] & (v_mag[target] < faintest))[clear])
        kept |= {target % 4} if told[1].any() else set()
    assert kept == {0, 1, 2, 3}


def test_blocks_come_back_from_storage_with_their_systems(computed) -> None:
    _, groups = computed
    for _, blocks in groups:
        stored = EphemerisBlocks.stack([EphemerisBlocks.from_bytes(blocks.to_bytes(k)) for k in range(blocks.n)])
        times = blocks.start_tt_mjd + np.array([0.1, 1.7])
        np.testing.assert_array_equal(stored.evaluate(times)[2], blocks.evaluate(times)[2])


def test_the_prefilter_passes_what_is_bright_in_any_system(batch, computed) -> None:
    trajectory, _ = computed
    least = brightest_possible_v(batch, START_TT_MJD, START_TT_MJD + DAYS, default_planets())
    found = places(trajectory, START_TT_MJD + np.linspace(0.0, DAYS, 50), None)
    assert (least <= found.v_mag.min(axis=1) + 1e-6).all()

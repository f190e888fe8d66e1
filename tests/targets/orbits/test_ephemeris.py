"""Blocks of apparent places against direct computation and astropy; photometry; the brightness prefilter."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import CIRS, SkyCoord, get_body, solar_system_ephemeris
from astropy.time import Time

from coordination.common.timescales import tt_to_tdb_mjd
from targets.orbits.elements import OrbitBatch
from targets.orbits.ephemeris import (
    EphemerisBlocks,
    apparent_bodies,
    brightest_possible_v,
    brightest_v_two_body,
    build_blocks,
)
from targets.orbits.frames import CioTable, cio_matrices, deflect_by_sun
from targets.orbits.photometry import phase_dimming_mag, visual_magnitude
from targets.orbits.planets import C_AU_D, EARTH, MOON, PLANET_KERNEL, SUN, Planets
from targets.orbits.propagation import propagate

ARCSEC = np.radians(1.0 / 3600.0)
START, DAYS = 61366.0, 12


def apart_arcsec(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    a, b = (each / np.linalg.norm(each, axis=-1, keepdims=True) for each in (a, b))
    return np.linalg.norm(a - b, axis=-1) / ARCSEC


@pytest.fixture(scope="module")
def blocks(planets: Planets, mixed: OrbitBatch) -> EphemerisBlocks:
    far = mixed.take([0, 1, 2, 4])
    groups = build_blocks(propagate(far, START, START + DAYS + 1, planets), far, START, DAYS, planets)
    assert [index.tolist() for index, _ in groups] == [[0, 1, 2, 3]]
    return groups[0][1]


def seen_from(earth: np.ndarray, tdb: np.ndarray, trajectory) -> np.ndarray:
    """Geometric directions with light time, solved directly."""
    delay = np.zeros((trajectory.n, tdb.size))
    for _ in range(5):
        sight = trajectory.position(tdb - delay) - earth
        delay = np.linalg.norm(sight, axis=-1) / C_AU_D
    return sight


def test_blocks_agree_with_astropys_cirs(planets: Planets, mixed: OrbitBatch, blocks: EphemerisBlocks) -> None:
    times = START + np.linspace(0.01, DAYS - 0.01, 23)
    tdb = tt_to_tdb_mjd(times)
    far = propagate(mixed.take([0, 1, 2, 4]), START, START + DAYS + 1, planets)
    sight = seen_from(planets.position(EARTH, tdb), tdb, far)
    cirs, distance, _, _ = blocks.evaluate(times)
    np.testing.assert_allclose(distance, np.linalg.norm(sight, axis=-1), rtol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(cirs, axis=-1), distance, rtol=1e-8)
    # As stars at a great distance: astropy then applies aberration and precession-nutation, and the Sun's deflection,
    # 0.004" / tan(half the elongation), which the blocks leave out.
    to_sun = planets.position(SUN, tdb) - planets.position(EARTH, tdb)
    to_sun /= np.linalg.norm(to_sun, axis=-1, keepdims=True)
    elongation = np.arccos(np.einsum("nti,ti->nt", sight, to_sun) / np.linalg.norm(sight, axis=-1))
    allowed = 0.0005 + 1.03 * 0.00407 / np.tan(0.5 * elongation)
    with solar_system_ephemeris.set(str(PLANET_KERNEL)):
        frame = CIRS(obstime=Time(times, format="mjd", scale="tt"))
        for k in range(4):
            star = SkyCoord(*sight[k].T, representation_type="cartesian", unit=u.kpc, frame="icrs")
            assert (apart_arcsec(cirs[k], star.transform_to(frame).cartesian.xyz.value.T) < allowed[k]).all()


def test_a_close_flyby_gets_finer_blocks_that_stay_exact(planets: Planets) -> None:
    apophis = OrbitBatch.from_keplerian(
        ["Apophis"], 61200.0, 0.92235922069288, 0.1911492278906245, 3.340996879807268, 203.8936513092117,
        126.6795707340036, 175.3304027311879, 19.09, 0.24, nongrav=[[5e-13, -2.901766720242e-14, 0.0]],
    )  # fmt: skip
    start = 62237.0
    trajectory = propagate(apophis, start, start + 6.0, planets)
    ((index, fine),) = build_blocks(trajectory, apophis, start, 5, planets)
    assert index.tolist() == [0]
    assert fine.block_days < 0.2
    times = start + np.linspace(0.0, 5.0, 1001)
    tdb = tt_to_tdb_mjd(times)
    sight = seen_from(planets.position(EARTH, tdb), tdb, trajectory)[0]
    cirs, distance, _, _ = fine.evaluate(times)
    assert distance.min() < 0.00026
    np.testing.assert_allclose(distance[0], np.linalg.norm(sight, axis=-1), rtol=1e-6)
    # Directions: undo precession-nutation and the aberration of the Earth's velocity to first order, 20" in 0.002".
    velocity = planets.state(EARTH, tdb)[1] / C_AU_D
    back = np.einsum("tji,tj->ti", cio_matrices(times), cirs[0] / distance[0][:, None])
    direction = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
    along = np.einsum("ti,ti->t", direction, velocity)[:, None]
    assert apart_arcsec(back, direction * (1.0 - along / 2.0) + velocity).max() < 0.002


def test_v_and_phase_are_those_of_the_geometry(planets: Planets, mixed: OrbitBatch, blocks: EphemerisBlocks) -> None:
    times = START + np.linspace(0.0, DAYS, 17)
    tdb = tt_to_tdb_mjd(times)
    far = propagate(mixed.take([0, 1, 2, 4]), START, START + DAYS + 1, planets)
    sight = seen_from(planets.position(EARTH, tdb), tdb, far)
    from_sun = sight + planets.position(EARTH, tdb) - planets.position(SUN, tdb)
    r, delta = np.linalg.norm(from_sun, axis=-1), np.linalg.norm(sight, axis=-1)
    cosine = np.einsum("nti,nti->nt", sight, from_sun) / (r * delta)
    _, _, v_mag, phase = blocks.evaluate(times)
    np.testing.assert_allclose(np.cos(phase), cosine, atol=1e-8)
    expected = visual_magnitude(blocks.h_mag[:, None], blocks.g[:, None], r, delta, np.arccos(cosine))
    np.testing.assert_allclose(v_mag, expected, atol=1e-5)


def test_blocks_are_stored_cut_joined_and_stacked(planets: Planets, blocks: EphemerisBlocks) -> None:
    times = START + np.linspace(2.1, 6.9, 11)
    reference = blocks.evaluate(times)
    restored = EphemerisBlocks.stack([EphemerisBlocks.from_bytes(blocks.to_bytes(i)) for i in range(blocks.n)])
    middle = restored.covering(START + 2.1, START + 6.9)
    assert (middle.start_tt_mjd, middle.end_tt_mjd) == (START + 2.0, START + 7.0)
    rolled = blocks.covering(START, START + 4.0).followed_by(blocks.covering(START + 4.0, START + 9.0))
    for other in (restored, middle, rolled):
        for got, wanted in zip(other.evaluate(times), reference, strict=True):
            np.testing.assert_allclose(got, wanted, rtol=1e-12)
    np.testing.assert_array_equal(blocks.take([2, 0]).cirs_au, blocks.cirs_au[[2, 0]])
    with pytest.raises(ValueError, match="not within the blocks"):
        blocks.covering(START - 1.0, START + 1.0)
    with pytest.raises(ValueError, match="joined only where they meet"):
        middle.followed_by(blocks)
    with pytest.raises(ValueError, match="cut short"):
        EphemerisBlocks.from_bytes(blocks.to_bytes(0)[:-8])
    with pytest.raises(ValueError, match="no ephemeris blocks"):
        EphemerisBlocks.from_bytes(b"\x07\x00" + blocks.to_bytes(0)[2:])
    with pytest.raises(ValueError, match="outside the blocks' span"):
        blocks.evaluate([START - 0.1])


def test_sun_and_moon_agree_with_astropy(planets: Planets) -> None:
    times = START + np.linspace(0.0, 27.0, 40)
    got = apparent_bodies(("sun", "moon"), times, planets)
    moment = Time(times, format="mjd", scale="tt")
    with solar_system_ephemeris.set(str(PLANET_KERNEL)):
        for name, body in (("sun", SUN), ("moon", MOON)):
            there = get_body(name, moment).cartesian.xyz.to_value(u.au).T  # GCRS: apparent, but for precession-nutation
            back = np.einsum("tji,tj->ti", cio_matrices(times), got[name])
            assert apart_arcsec(back, there).max() < 0.03
            tdb, distance = tt_to_tdb_mjd(times), np.linalg.norm(got[name], axis=-1)
            sight = planets.position(body, tdb - distance / C_AU_D) - planets.position(EARTH, tdb)
            np.testing.assert_allclose(distance, np.linalg.norm(sight, axis=-1), rtol=1e-9)


def test_interpolated_matrices_are_the_exact_ones() -> None:
    times = 61000.0 + np.random.default_rng(1).uniform(0.0, 40.0, 200)
    error = CioTable(61000.0, 61040.0).matrices(times) - cio_matrices(times)
    assert np.abs(error).max() < 2e-10  # 0.04 mas


def test_the_sun_bends_light_by_its_known_amounts() -> None:
    """A star at 90 deg from the Sun, seen from 1 au, moves 4.07 mas away from it."""
    direction, to_observer = np.array([1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0])
    bent = deflect_by_sun(direction, 1e9 * direction, to_observer)
    assert bent[1] / ARCSEC == pytest.approx(-0.00407, abs=1e-5)


def test_phase_function_starts_at_zero_and_dims_with_phase() -> None:
    assert phase_dimming_mag(0.0, 0.15) == 0.0
    np.testing.assert_allclose(phase_dimming_mag(np.radians([1.0, 20.0]), 0.15), [0.15, 1.0], atol=0.01)
    dimming = phase_dimming_mag(np.radians(np.linspace(0.0, 150.0, 100)), 0.15)
    assert (np.diff(dimming) > 0).all()


def test_the_prefilter_is_near_the_truth_and_its_margin_covers_it(planets: Planets, mixed: OrbitBatch) -> None:
    objects = mixed.take([0, 1, 2, 3, 4])
    end = START + DAYS
    v_mag, distance = brightest_v_two_body(objects, START, end, planets)
    possible = brightest_possible_v(objects, START, end, planets)
    times = START + np.linspace(0.0, DAYS, 200)
    trajectory = propagate(objects, START, end + 1.0, planets)
    for index, blocks in build_blocks(trajectory, objects, START, DAYS, planets):
        _, true_distance, true_v, _ = blocks.evaluate(times)
        np.testing.assert_allclose(v_mag[index], true_v.min(axis=1), atol=0.1)
        np.testing.assert_allclose(distance[index], true_distance.min(axis=1), rtol=0.01)
        assert (possible[index] < true_v.min(axis=1)).all()
    assert np.isnan(brightest_possible_v(mixed.take([5]), START, end, planets)).all()

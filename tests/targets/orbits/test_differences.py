"""What changed from one orbit to the next: none, a known number of sigmas, a known shift on the sky."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets.orbits.covariance import OrbitCovariance
from targets.orbits.differences import Difference, differences
from targets.orbits.elements import OrbitBatch
from targets.orbits.planets import C_AU_D, EARTH, Planets
from targets.orbits.propagation import propagate

from .test_uncertainty import made_up

DATES = np.array([61010.0, 61060.0])


def along(covariance: OrbitCovariance, axis: int, sigmas: float) -> np.ndarray:
    """A displacement of so many sigmas along an axis of the ellipsoid, as `OrbitCovariance.orbits` takes it."""
    scale = np.sqrt(np.diagonal(covariance.matrix))
    values, vectors = np.linalg.eigh(covariance.matrix / np.outer(scale, scale))
    moved = np.zeros((9, 1))
    moved[:6, 0] = sigmas * np.sqrt(values[axis]) * vectors[:, axis] * scale
    return moved


def between(newer: OrbitBatch, older: OrbitBatch, covariances: list, planets: Planets) -> Difference:
    (found,), _path = differences(OrbitBatch.concatenate([newer, older]), covariances, DATES, planets)
    return found


def test_the_same_orbit_is_no_difference(planets: Planets) -> None:
    covariance = made_up()
    orbit = covariance.orbits(np.zeros((9, 1)))
    later = propagate(orbit, 61000.0, 61150.0, planets).batch_at(61150.0)  # as published at another epoch
    for newer in (orbit, later):
        found = between(newer, orbit, [None, covariance], planets)
        assert np.abs(found.elements).max() < 1e-8
        assert found.distance_sigma < 1e-3
        assert found.shift_arcsec.max() < 1e-4


@settings(max_examples=12, deadline=None)
@given(axis=st.integers(0, 5), sigmas=st.floats(-5.0, 5.0))
def test_so_many_sigmas_along_an_axis_of_the_ellipsoid_are_found_again(
    axis: int, sigmas: float, planets: Planets
) -> None:
    covariance = made_up()
    moved = along(covariance, axis, sigmas)
    older, newer = covariance.orbits(np.zeros((9, 1))), covariance.orbits(moved)
    found = between(newer, older, [None, covariance], planets)
    assert found.epoch_tdb_mjd == covariance.epoch_tdb_mjd
    assert found.distance_sigma == pytest.approx(abs(sigmas), abs=1e-3)
    np.testing.assert_allclose(found.elements, moved[:6, 0], atol=1e-9)
    np.testing.assert_allclose(found.sigma, np.sqrt(np.diagonal(covariance.matrix)))


def test_the_older_ones_covariance_counts_else_the_newer_ones_else_none(planets: Planets) -> None:
    covariance = made_up()
    moved = along(covariance, 5, 2.0)
    displaced = replace(covariance, elements=covariance.elements + moved[:6, 0], epoch_tdb_mjd=61000.0)
    older, newer = covariance.orbits(np.zeros((9, 1))), covariance.orbits(moved)
    wider = replace(displaced, matrix=4.0 * covariance.matrix)
    assert between(newer, older, [wider, covariance], planets).distance_sigma == pytest.approx(2.0, abs=1e-3)
    assert between(newer, older, [wider, None], planets).distance_sigma == pytest.approx(1.0, abs=1e-3)
    neither = between(newer, older, [None, None], planets)
    assert np.isnan(neither.distance_sigma)
    assert np.isnan(neither.sigma).all()
    np.testing.assert_allclose(neither.elements, moved[:6, 0], atol=1e-9)


def test_the_shift_on_the_sky_is_that_of_the_places(planets: Planets) -> None:
    covariance = made_up()
    older, newer = covariance.orbits(np.zeros((9, 1))), covariance.orbits(along(covariance, 5, 3.0))
    found = between(newer, older, [None, covariance], planets)
    earth = planets.position(EARTH, DATES)
    path = propagate(OrbitBatch.concatenate([newer, older]), 60990.0, 61070.0, planets)
    sight = path.position(DATES) - earth
    for _ in range(3):  # light time, solved by itself
        sight = path.position(DATES - np.linalg.norm(sight, axis=-1) / C_AU_D) - earth
    unit = sight / np.linalg.norm(sight, axis=-1, keepdims=True)
    angle = np.degrees(2.0 * np.arcsin(0.5 * np.linalg.norm(unit[0] - unit[1], axis=-1))) * 3600.0
    np.testing.assert_allclose(found.shift_arcsec, angle, atol=1e-3)
    assert found.shift_arcsec.min() > 0.01
    ra, dec = np.arctan2(unit[..., 1], unit[..., 0]), np.arcsin(unit[..., 2])
    np.testing.assert_allclose(found.north_arcsec, np.degrees(dec[0] - dec[1]) * 3600.0, atol=2e-3)
    np.testing.assert_allclose(found.east_arcsec, np.degrees(ra[0] - ra[1]) * np.cos(dec[1]) * 3600.0, atol=2e-3)


def test_angles_are_taken_the_short_way_and_perihelia_of_one_revolution(planets: Planets) -> None:
    covariance = made_up(elements=np.array([0.4, 0.8, 61040.0, 359.99999, 60.0, 8.0]))
    period_days = 365.2568983 * (0.8 / 0.6) ** 1.5
    moved = np.zeros((9, 1))
    moved[3] = 2e-5
    newer, older = covariance.orbits(moved), covariance.orbits(np.zeros((9, 1)))
    shifted = replace(covariance, elements=covariance.elements + np.array([0, 0, period_days, 0, 0, 0]))
    found = between(newer, older, [None, shifted], planets)
    assert found.elements[3] == pytest.approx(2e-5, abs=1e-9)
    assert abs(found.elements[2]) < 1e-4

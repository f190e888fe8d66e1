"""The kernels: their span, their asteroids, and agreement with jplephem's own evaluation."""

import numpy as np
import pytest
from jplephem.spk import SPK

from targets.orbits.planets import ASTEROIDS, AU_KM, MJD_ZERO_JD, PLANET_KERNEL, Planets, SpanError


def test_positions_and_velocities_are_those_of_jplephem(planets: Planets) -> None:
    tdb = np.linspace(*planets.span_tdb_mjd, 500)
    kernel = SPK.open(str(PLANET_KERNEL))
    position, velocity = planets.state("moon", tdb)
    parts = [kernel[link].compute_and_differentiate(MJD_ZERO_JD, tdb) for link in ((0, 3), (3, 301))]
    # jplephem keeps time in two parts; one double has steps of half a microsecond, which the Moon crosses at 30 km/s
    np.testing.assert_allclose(position.T * AU_KM, parts[0][0] + parts[1][0], rtol=0, atol=5e-5)
    np.testing.assert_allclose(velocity.T * AU_KM, parts[0][1] + parts[1][1], rtol=0, atol=5e-3)
    kernel.close()


def test_shapes_follow_the_times(planets: Planets) -> None:
    assert planets.position("earth", 61000.0).shape == (3,)
    assert planets.position("earth", np.full((4, 5), 61000.0)).shape == (4, 5, 3)
    np.testing.assert_allclose(np.linalg.norm(planets.position("earth", [61000.0])), 0.98, atol=0.01)


def test_the_span_holds_1990_to_2050_and_is_named_in_errors(planets: Planets) -> None:
    first, last = planets.span_tdb_mjd
    assert first < 47892.0  # 1990-01-01
    assert last > 69807.0  # 2050-01-01
    with pytest.raises(SpanError, match=r"2050-08-10 .*1989-12-19 to 2050-01-14"):
        planets.position("sun", 70028.0)


def test_a_kernel_without_asteroids_leaves_them_out(planets: Planets) -> None:
    assert planets.asteroids == ASTEROIDS
    assert Planets(PLANET_KERNEL).asteroids == ()
    ceres = planets.position(ASTEROIDS[0], 61000.0) - planets.position("sun", 61000.0)
    assert 2.5 < np.linalg.norm(ceres) < 3.0

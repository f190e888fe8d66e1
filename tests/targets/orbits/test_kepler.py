"""Two-body motion: conserved quantities, closed forms, and agreement of every kind of orbit with Kepler's equation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.orbits.kepler import GM_SUN, Conics, universal_anomaly, universal_functions

distances = st.floats(0.05, 30.0)
eccentricities = st.one_of(st.floats(0.0, 0.999), st.floats(1.0, 3.0), st.floats(0.99999, 1.00001))


def conic(q: float, e: float, since: float) -> Conics:
    return Conics(
        np.array([q]), np.array([e]), np.array([since]), np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])
    )


@given(distances, eccentricities, st.floats(-400.0, 400.0))
def test_energy_and_angular_momentum_are_those_of_the_elements(q: float, e: float, t: float) -> None:
    position, velocity = (each[0, 0] for each in conic(q, e, 0.0).state_after([[t]]))
    r = np.linalg.norm(position)
    energy = 0.5 * velocity @ velocity - GM_SUN / r
    assert energy == pytest.approx(-GM_SUN * (1.0 - e) / (2.0 * q), abs=1e-13 * GM_SUN / q)
    assert np.cross(position, velocity)[2] == pytest.approx(np.sqrt(GM_SUN * q * (1.0 + e)), rel=1e-12)


@given(distances, eccentricities, st.floats(-300.0, 300.0), st.floats(-300.0, 300.0))
def test_going_there_and_back_ends_where_it_began(q: float, e: float, since: float, t: float) -> None:
    position, velocity = conic(q, e, since).state_after([[0.0]])
    start = np.concatenate([position[0, 0], velocity[0, 0]])
    there = np.concatenate([each[0, 0] for each in Conics.from_state(start[None]).state_after([[t]])])
    back = np.concatenate([each[0, 0] for each in Conics.from_state(there[None]).state_after([[-t]])])
    # Near a deep perihelion a rounding of the state is a rounding of the time.
    size = np.linalg.norm(start[:3]) + np.linalg.norm(there[:3])
    assert np.linalg.norm(back[:3] - start[:3]) < 1e-9 * size


@given(st.floats(0.0, 0.98), st.floats(-np.pi, np.pi))
def test_the_universal_anomaly_of_an_ellipse_solves_keplers_equation(e: float, mean_anomaly: float) -> None:
    q = np.array(1.0 - e)  # a = 1 au
    s = universal_anomaly(q, np.array(e), np.array(mean_anomaly / np.sqrt(GM_SUN)))
    eccentric = float(s) * np.sqrt(GM_SUN)
    assert eccentric - e * np.sin(eccentric) == pytest.approx(mean_anomaly, abs=1e-13)


def test_a_parabola_follows_barkers_equation() -> None:
    q, t = 0.8, np.linspace(-500.0, 500.0, 41)
    position, _ = conic(q, 1.0, 0.0).state_after(t[None])
    half = np.arctan2(position[0, :, 1], position[0, :, 0]) / 2.0
    barker = np.tan(half) + np.tan(half) ** 3 / 3.0
    np.testing.assert_allclose(barker, np.sqrt(GM_SUN / (2.0 * q**3)) * t, rtol=1e-11, atol=1e-12)


@given(st.floats(-0.3, 0.3), st.floats(0.01, 2.0))
def test_series_and_closed_forms_of_the_universal_functions_agree(beta: float, s: float) -> None:
    g1, g2, g3 = universal_functions(np.array(beta), np.array(s))
    # s - G1 = beta G3, and G1^2 + beta G2^2 = 2 G2: the identities of sine and cosine
    assert float(s - g1) == pytest.approx(float(beta * g3), abs=1e-14)
    assert float(g1 * g1 + beta * g2 * g2) == pytest.approx(float(2.0 * g2), rel=1e-13)

"""The propagator against itself there and back, against an independent integration, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets.orbits import collocation
from targets.orbits.elements import OrbitBatch
from targets.orbits.forces import PlanetTable, perturbations, sun_gravity
from targets.orbits.planets import AU_KM, EARTH, SUN, Planets, SpanError, default_planets
from targets.orbits.propagation import propagate

METRE_AU = 1e-3 / AU_KM


def farthest_m(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b, axis=-1).max() / METRE_AU)


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.7, 3.5), st.floats(0.0, 0.7), st.floats(0.0, 60.0), st.floats(0.0, 360.0), st.floats(60000.0, 62000.0)
)
def test_a_year_there_and_back_ends_where_it_began(a: float, e: float, i: float, m: float, epoch: float) -> None:
    planets = default_planets()
    orbit = OrbitBatch.from_keplerian(["x"], epoch, a, e, i, 80.0, 210.0, m)
    there = propagate(orbit, epoch + 365.0, epoch + 365.0, planets).batch_at(epoch + 365.0)
    back = propagate(there, epoch, epoch, planets).state_at(epoch)
    # Encounters stretch differences: a millimetre becomes metres.
    assert farthest_m(back[:, :3], orbit.state[:, :3]) < 20.0


def rk4(orbit: OrbitBatch, end: float, planets: Planets, step_days: float) -> np.ndarray:
    """The same forces by the classical method with small steps."""

    def acceleration(t: float, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        # Some forces are interpolated between nodes, so the table has as many as a step of the collocation.
        table = PlanetTable.at(np.full((collocation.N_NODES, 1), t), planets)
        everywhere = np.repeat(x[:, None, :], collocation.N_NODES, axis=1)
        sparse = np.repeat(v[:, None, :], collocation.N_SPARSE, axis=1)
        others, _, _ = perturbations(everywhere, sparse, table, orbit.nongrav.T)
        return (sun_gravity(everywhere, table) + others)[:, 0]

    t = float(orbit.epoch_tdb_mjd[0])
    sun = planets.state(SUN, t)
    x, v = orbit.state[:, :3].T + sun[0][:, None], orbit.state[:, 3:].T + sun[1][:, None]
    for _ in range(round((end - t) / step_days)):
        h = step_days
        a1 = acceleration(t, x, v)
        a2 = acceleration(t + h / 2, x + h / 2 * v, v + h / 2 * a1)
        a3 = acceleration(t + h / 2, x + h / 2 * (v + h / 2 * a1), v + h / 2 * a2)
        a4 = acceleration(t + h, x + h * (v + h / 2 * a2), v + h * a3)
        x, v = x + h * v + h * h / 6 * (a1 + a2 + a3), v + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        t += h
    return x.T


def test_an_independent_integration_of_the_same_forces_agrees(planets: Planets, mixed: OrbitBatch) -> None:
    orbit = mixed.take([1, 3, 4])
    orbit = OrbitBatch.from_state(orbit.names, 61203.0, orbit.state, nongrav=orbit.nongrav)
    end = 61215.0
    got = propagate(orbit, end, end, planets).position([end])[:, 0]
    assert farthest_m(got, rk4(orbit, end, planets, 0.05)) < 0.02


def test_objects_together_go_the_way_they_go_alone(planets: Planets, mixed: OrbitBatch) -> None:
    times = np.linspace(61190.0, 61440.0, 101)  # some epochs lie before, some within
    together = propagate(mixed, times[0], times[-1], planets).position(times)
    for k in range(len(mixed)):
        alone = propagate(mixed.take([k]), times[0], times[-1], planets).position(times)
        assert farthest_m(together[k], alone[0]) < 0.05


def test_the_state_at_the_epoch_is_the_one_given(planets: Planets, mixed: OrbitBatch) -> None:
    trajectory = propagate(mixed, 61100.0, 61420.0, planets)
    for k, epoch in enumerate(mixed.epoch_tdb_mjd[:4]):
        np.testing.assert_allclose(trajectory.state_at(epoch)[k], mixed.state[k], rtol=0, atol=2e-12)


def test_velocity_is_the_slope_of_position_and_both_kinds_of_times_agree(planets: Planets, mixed: OrbitBatch) -> None:
    trajectory = propagate(mixed, 61200.0, 61220.0, planets)
    times = np.array([61219.5, 61200.0, 61207.9999, 61208.0, 61216.3])
    h = 1e-3
    slope = (trajectory.position(times + h)[:, 1:4] - trajectory.position(times - h)[:, 1:4]) / (2 * h)
    np.testing.assert_allclose(trajectory.velocity(times)[:, 1:4], slope, atol=1e-9)
    own = np.broadcast_to(times, (len(mixed), times.size))
    np.testing.assert_allclose(trajectory.position(own), trajectory.position(times), rtol=0, atol=1e-15)
    part = trajectory.take([4, 1])
    np.testing.assert_allclose(part.position(times), trajectory.position(times)[[4, 1]], rtol=0, atol=1e-14)


def test_continuing_from_a_stored_state_changes_nothing(planets: Planets, mixed: OrbitBatch) -> None:
    whole = propagate(mixed, 61500.0, 61520.0, planets).position([61515.0])
    stored = propagate(mixed, 61460.0, 61460.0, planets).batch_at(61460.0)
    assert farthest_m(propagate(stored, 61510.0, 61520.0, planets).position([61515.0]), whole) < 0.05


def test_non_gravitational_terms_accelerate_along_their_axes(planets: Planets) -> None:
    """A1 outwards, A2 ahead, A3 along the pole of the orbit: 1e-8 au/d^2 at 1 au over two days is 2e-8 au."""
    plain = OrbitBatch.from_keplerian(["x"], 61000.0, 1.0, 0.001, 0.0, 0.0, 0.0, 120.0)
    r, v = plain.state[0, :3], plain.state[0, 3:]
    axes = np.array([r / np.linalg.norm(r), v / np.linalg.norm(v), np.cross(r, v) / np.linalg.norm(np.cross(r, v))])
    base = propagate(plain, 61002.0, 61002.0, planets).position([61002.0])[0, 0]
    for k in range(3):
        pushed = OrbitBatch.from_state(["x"], 61000.0, plain.state, nongrav=1e-8 * np.eye(3)[[k]])
        moved = propagate(pushed, 61002.0, 61002.0, planets).position([61002.0])[0, 0] - base
        np.testing.assert_allclose(axes @ moved, 2e-8 * np.eye(3)[k], atol=1.2e-9)


@pytest.mark.parametrize("miss_km", [0.0, 5000.0, 7000.0])
def test_an_object_that_meets_the_earth_stays_finite(planets: Planets, miss_km: float) -> None:
    t = 61400.0
    earth, sun = planets.state(EARTH, t), planets.state(SUN, t)
    state = np.concatenate([earth[0] - sun[0] + [1e-6, miss_km / AU_KM, 0], earth[1] - sun[1] + [0.012, 0, 0]])
    before = propagate(OrbitBatch.from_state(["x"], t, state[None]), t - 10, t - 10, planets).batch_at(t - 10)
    after = propagate(before, t - 1, t + 1, planets)
    # The finest step, 42 s, straddles the surface, where a force that is none above and one below has a kink.
    assert farthest_m(after.position([t])[0], state[:3] + sun[0]) < (30.0 if miss_km < 6378.0 else 1.0)
    assert np.isfinite(after.position(np.linspace(t - 1, t + 1, 100))).all()


def test_a_large_asteroid_does_not_attract_itself(planets: Planets) -> None:
    t = 61000.0
    pallas = next(body for body in planets.asteroids if body.name == "Pallas")
    state = np.concatenate(planets.state(pallas, t)) - np.concatenate(planets.state(SUN, t))
    moved = propagate(OrbitBatch.from_state(["Pallas"], t, state[None]), t + 400, t + 400, planets)
    assert farthest_m(moved.position([t + 400])[0], planets.position(pallas, [t + 400])) < 1e5


def test_dates_out_of_the_kernel_or_in_wrong_order_are_refused(planets: Planets, mixed: OrbitBatch) -> None:
    with pytest.raises(SpanError, match="2056"):
        propagate(mixed, 61200.0, 72000.0, planets)
    old = OrbitBatch.from_state(["x"], 40000.0, mixed.state[:1])
    with pytest.raises(SpanError, match="1968"):
        propagate(old, 61200.0, 61210.0, planets)
    with pytest.raises(ValueError, match="before the start"):
        propagate(mixed, 61200.0, 61199.0, planets)
    with pytest.raises(SpanError, match="not within the trajectory"):
        propagate(mixed, 61200.0, 61210.0, planets).position([61250.0])

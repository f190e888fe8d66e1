"""Distances between orbits and the Earth's, against a dense grid and against published ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets.orbits import moid
from targets.orbits.moid import moid_au


@pytest.mark.parametrize(
    ("elements", "expected_au"),
    [
        ((1.13326, 0.2227, 10.83, 304.3, 178.8), 0.149),  # (433) Eros
        ((1.24131, 0.5337, 26.69, 215.5, 132.5), 0.341),  # (1036) Ganymed
        ((0.89693, 0.2037, 6.035, 2.06, 66.22), 0.0029),  # (101955) Bennu
    ],
)
def test_as_published(elements, expected_au):
    assert moid_au(*([each] for each in elements))[0] == pytest.approx(expected_au, abs=1e-3)


def on_a_grid(q, e, i, node, peri) -> float:
    """The least distance of two dense samples: never smaller than the truth."""
    ahead, aside = moid._axes(*np.radians([i, node, peri]))
    limit = np.pi if e < 1.0 else np.arccos(-1.0 / e) - 1e-3
    body = moid._body(q * (1.0 + e), e, np.linspace(-limit, limit, 1500), ahead, aside)
    body = body[np.linalg.norm(body, axis=1) < 3.0]
    if not body.size:
        return np.inf
    earth = moid._earth(np.linspace(-np.pi, np.pi, 800))
    squares = (body**2).sum(axis=1)[:, None] + (earth**2).sum(axis=1) - 2.0 * body @ earth.T
    return float(np.sqrt(squares.clip(0.0).min()))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 1.3), st.floats(0.0, 1.5), st.floats(0.0, 179.0), st.floats(0, 360), st.floats(0, 360))
def test_it_is_the_least_distance_of_the_two_orbits(q, e, i, node, peri):
    found, grid = float(moid_au([q], [e], [i], [node], [peri])[0]), on_a_grid(q, e, i, node, peri)
    assert found <= grid + 1e-6
    assert found >= grid - 1e-2  # the spacing of the grid


def test_many_are_the_same_as_one_by_one():
    rng = np.random.default_rng(5)
    many = rng.uniform([0.1, 0.0, 0.0, 0.0, 0.0], [1.3, 0.95, 40.0, 360.0, 360.0], (2500, 5)).T
    together = moid_au(*many)
    assert [moid_au(*many[:, [k]])[0] for k in (0, 1999, 2000, 2499)] == pytest.approx(together[[0, 1999, 2000, 2499]])
    assert moid_au(*np.empty((5, 0))).shape == (0,)

"""Zeros of sampled curves: sign changes, and pairs that hide between samples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatories.sites.roots import find_roots, refine


def roots_of(curves, start: float, end: float, samples: int, tolerance: float = 1e-10):
    times = np.broadcast_to(np.linspace(start, end, samples), (len(curves), samples))
    values = np.array([curve(t) for curve, t in zip(curves, times, strict=True)])

    def function(item: np.ndarray, time: np.ndarray) -> np.ndarray:
        return np.array([curves[k](t) for k, t in zip(item, time, strict=True)]).reshape(item.shape)

    return find_roots(function, times, values, tolerance)


@given(st.floats(0.02, 6.2), st.floats(-0.95, 0.95))
def test_all_zeros_of_a_shifted_sine(phase: float, level: float) -> None:
    found = roots_of([lambda t: np.sin(t + phase) - level], 0.0, 12.0, 40)
    k = np.arange(-2, 5)
    exact = np.concatenate([np.arcsin(level) + 2 * np.pi * k, np.pi - np.arcsin(level) + 2 * np.pi * k]) - phase
    exact = np.sort(exact[(exact > 0.0) & (exact < 12.0)])
    np.testing.assert_allclose(found.time, exact, atol=1e-7)
    np.testing.assert_array_equal(found.rising, np.cos(exact + phase) > 0.0)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("centre", [0.03, 0.31, 0.5, 0.97])
@pytest.mark.parametrize("depth", [1e-3, 1e-6, 1e-9])
def test_a_graze_between_samples_is_found(sign: float, centre: float, depth: float) -> None:
    found = roots_of([lambda t: sign * ((t - centre) ** 2 - depth)], 0.0, 1.0, 8, 1e-12)
    exact = centre + np.array([-1.0, 1.0]) * np.sqrt(depth)
    exact = exact[(exact >= 0.0) & (exact <= 1.0)]
    np.testing.assert_allclose(found.time, exact, atol=1e-9)


def test_a_near_miss_is_no_root() -> None:
    assert roots_of([lambda t: (t - 0.4) ** 2 + 1e-9, lambda t: -1.0 + 0.0 * t], 0.0, 1.0, 8).time.size == 0


def test_curves_keep_their_numbers() -> None:
    found = roots_of([lambda t: t - 0.2, lambda t: 1.0 + 0.0 * t, lambda t: 0.7 - t], 0.0, 1.0, 5)
    assert found.item.tolist() == [0, 2]
    np.testing.assert_allclose(found.time, [0.2, 0.7], atol=1e-9)
    assert found.rising.tolist() == [True, False]


def test_flat_and_steep_and_broken_curves_are_refined_to_the_width_asked_for() -> None:
    curves = [lambda t: (t - 0.3) ** 3, lambda t: np.tanh(1e6 * (t - 0.3)), lambda t: np.where(t < 0.3, -1.0, 5.0)]
    item = np.arange(3)

    def function(k: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.array([curves[j](time) for j, time in zip(k, t, strict=True)])

    low, high = np.zeros(3), np.ones(3)
    time = refine(function, item, low, high, function(item, low), function(item, high), 1e-9)
    np.testing.assert_allclose(time, 0.3, atol=2e-9)

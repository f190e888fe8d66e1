"""Phase functions against published values, and how they behave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.orbits.photometry import (
    comet_total_magnitude,
    g1_g2_of_g12,
    g1_g2_of_g12_star,
    phase_dimming_g1_g2_mag,
    phase_dimming_mag,
    visual_magnitude,
    visual_magnitude_g1_g2,
    visual_magnitude_sigma,
)

# Slopes at the nodes as Penttila et al. (2016) tabulate them: here they come from the splines' continuity.
SLOPES = {
    1: ([30.0, 60.0, 90.0, 120.0], [-0.55463432, -0.24404599, -0.094980438, -0.021411424]),
    2: ([30.0, 60.0, 90.0, 120.0], [-0.76705367, -0.45665789, -0.28071809, -0.11173257]),
    3: ([0.3, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0], [-41.180439, -10.366915, -7.5784615, -3.6960950, -0.78605652,
                                                -0.46527012, -0.20459545]),
}  # fmt: skip


def flux(phase_deg: np.ndarray, function: int) -> np.ndarray:
    g1, g2 = {1: (1.0, 0.0), 2: (0.0, 1.0), 3: (0.0, 0.0)}[function]
    return 10.0 ** (-0.4 * phase_dimming_g1_g2_mag(np.radians(phase_deg), g1, g2))


@pytest.mark.parametrize("function", [1, 2, 3])
def test_the_three_functions_have_the_slopes_of_the_tables(function: int) -> None:
    nodes, slopes = (np.array(values) for values in SLOPES[function])
    step = 1e-5
    found = (flux(nodes + step, function) - flux(nodes - step, function)) / np.radians(2.0 * step)
    np.testing.assert_allclose(found, slopes, rtol=2e-3)


def test_values_at_the_nodes_and_on_the_straight_part() -> None:
    np.testing.assert_allclose(flux(np.array([7.5, 30.0, 150.0]), 1), [0.75, 0.33486016, 0.0036396989], rtol=1e-7)
    np.testing.assert_allclose(flux(np.array([7.5, 30.0, 150.0]), 2), [0.925, 0.62884169, 0.00016505689], rtol=1e-7)
    np.testing.assert_allclose(flux(np.array([0.0, 1.0, 20.0]), 3), [1.0, 0.57735424, 0.016107006], rtol=1e-7)
    np.testing.assert_allclose(flux(np.array([3.75]), 1), 0.875)
    assert np.isinf(phase_dimming_g1_g2_mag(np.radians(40.0), 0.0, 0.0))


def test_the_other_systems_are_g1_g2_of_one_parameter() -> None:
    np.testing.assert_allclose(g1_g2_of_g12([0.1, 0.68]), [[0.13691, 0.669592], [0.53088, 0.1407]])
    np.testing.assert_allclose(g1_g2_of_g12_star(0.68), [0.84293649 * 0.68, 0.53513350 * 0.32])


@given(st.floats(0.0, 0.9), st.floats(0.0, 148.0), st.floats(0.01, 2.0))
def test_objects_fade_with_the_phase(g12: float, phase_deg: float, more_deg: float) -> None:
    g1, g2 = g1_g2_of_g12_star(g12)
    near, far = phase_dimming_g1_g2_mag(np.radians([phase_deg, phase_deg + more_deg]), g1, g2)
    assert far > near


def test_the_systems_agree_for_a_usual_asteroid() -> None:
    """G = 0.15 and the G12* of the same darkness: within a tenth of a magnitude where most observations are."""
    phase = np.radians([0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0])
    h_g = visual_magnitude(20.0, 0.15, 1.1, 0.2, phase)
    g1_g2 = visual_magnitude_g1_g2(20.0, *g1_g2_of_g12_star(0.53), 1.1, 0.2, phase)
    np.testing.assert_allclose(g1_g2, h_g, atol=0.12)
    assert g1_g2[0] == h_g[0] == pytest.approx(20.0 + 5.0 * np.log10(0.22))


def test_a_comet_brightens_with_both_distances() -> None:
    assert comet_total_magnitude(8.0, 10.0, 1.0, 1.0) == 8.0
    assert comet_total_magnitude(8.0, 10.0, 10.0, 1.0) == 18.0
    np.testing.assert_allclose(comet_total_magnitude(8.0, [10.0, 5.0], 10.0, 10.0), [23.0, 18.0])


def test_the_error_of_v_is_that_of_h_and_of_the_slope() -> None:
    phase, h = 1e-6, 1e-5
    np.testing.assert_allclose(visual_magnitude_sigma(0.3, 0.15, [0.0, 1.0]), 0.3)
    assert np.isnan(visual_magnitude_sigma(np.nan, 0.15, phase))
    for phase in np.radians([0.0, 20.0, 90.0]):
        slope = (phase_dimming_mag(phase, 0.15 + h) - phase_dimming_mag(phase, 0.15 - h)) / (2.0 * h)
        assert visual_magnitude_sigma(0.3, 0.15, phase, 0.1) == pytest.approx(np.hypot(0.3, 0.1 * slope), rel=1e-6)
    with pytest.raises(ValueError, match="h_sigma_mag is -1"):
        visual_magnitude_sigma(-1.0, 0.15, phase)
    with pytest.raises(ValueError, match="g_sigma is -1"):
        visual_magnitude_sigma(1.0, 0.15, phase, -1.0)

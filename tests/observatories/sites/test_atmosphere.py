"""Refraction and airmass."""

import erfa
import numpy as np
import pytest

from observatories.sites.atmosphere import airmass, refraction_deg


def test_refraction_at_the_horizon_and_overhead() -> None:
    assert refraction_deg(0.0) * 60.0 == pytest.approx(34.5, abs=0.2)
    assert refraction_deg(90.0) == pytest.approx(0.0, abs=2e-5)
    assert refraction_deg(-5.0) == refraction_deg(0.0)


def test_refraction_is_near_sofas_away_from_the_horizon() -> None:
    a, b = erfa.refco(1010.0, 10.0, 0.5, 0.6)
    altitude = np.array([15.0, 20.0, 30.0, 45.0, 70.0])
    tangent = 1.0 / np.tan(np.radians(altitude))
    np.testing.assert_allclose(
        refraction_deg(altitude) * 3600.0, np.degrees(a * tangent + b * tangent**3) * 3600.0, rtol=0.04
    )


def test_thin_air_refracts_less() -> None:
    assert refraction_deg(20.0, 4200.0) < 0.65 * refraction_deg(20.0)


def test_airmass() -> None:
    np.testing.assert_allclose(airmass([90.0, 30.0]), [1.0, 1.994], atol=1e-3)
    assert airmass(0.0) == pytest.approx(37.9, abs=0.2)
    assert np.isnan(airmass(-1.0))

"""Stars and fields, which the window search takes like targets: compared with SOFA and Astropy."""

import erfa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from targets.orbits.fixed_directions import blocks_of_directions

START_TT_MJD = 61368.0  # 2026-11-24
JD_OF_MJD = 2400000.5


def arcsec_between(one, other) -> float:
    return float(np.degrees(np.linalg.norm(np.asarray(one) - np.asarray(other))) * 3600.0)


@settings(max_examples=50)
@given(
    ra_deg=st.floats(0.0, 360.0),
    dec_deg=st.floats(-90.0, 90.0),
    first_day=st.integers(-3000, 3000),
    after_days=st.floats(0.0, 14.0),
)
def test_apparent_places_are_those_of_sofa(planets, ra_deg, dec_deg, first_day, after_days):
    start = START_TT_MJD + first_day
    blocks = blocks_of_directions([ra_deg], [dec_deg], start, 14, planets)
    vector, distance, v_mag, _ = blocks.evaluate([start + after_days])
    astrom, _ = erfa.apci13(JD_OF_MJD, start + after_days)
    catalogue = erfa.s2c(np.radians(ra_deg), np.radians(dec_deg))
    aberrated = erfa.ab(catalogue, astrom["v"], astrom["em"], astrom["bm1"])
    seen = vector[0, 0] / distance[0, 0]
    assert arcsec_between(seen, astrom["bpn"] @ aberrated) < 1e-4  # the series of nutation is interpolated
    # With the bending of light by the Sun, which is left out.
    bent = erfa.s2c(*erfa.atciqz(np.radians(ra_deg), np.radians(dec_deg), astrom))
    away = np.arccos(np.clip(-np.dot(catalogue, astrom["eh"]), -1.0, 1.0))
    if away > np.radians(20.0):
        assert arcsec_between(seen, bent) < 0.03
    assert np.isnan(v_mag).all()


def test_a_day_is_described_to_far_below_a_milliarcsecond(planets):
    blocks = blocks_of_directions([12.0, 200.0], [40.0, -89.0], START_TT_MJD, 3, planets)
    last = np.abs(blocks.cirs_au[:, :, -1]).max() / blocks.distance_au[0, 0, 0]
    assert np.degrees(last) * 3600.0 < 1e-6


@pytest.mark.parametrize(("ra_deg", "dec_deg"), [(np.nan, 0.0), (np.inf, 0.0), (10.0, 90.001), (10.0, np.nan)])
def test_what_is_no_direction_is_refused(planets, ra_deg, dec_deg):
    with pytest.raises(ValueError, match="direction"):
        blocks_of_directions([ra_deg], [dec_deg], START_TT_MJD, 1, planets)


def test_dates_outside_the_kernel_are_refused(planets):
    with pytest.raises(ValueError, match="1990"):
        blocks_of_directions([10.0], [0.0], 20000.0, 1, planets)

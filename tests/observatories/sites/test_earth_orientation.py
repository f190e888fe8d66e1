"""UT1, the Earth rotation angle and polar motion against Astropy, across a leap second and beyond the table."""

import numpy as np
import pytest
from astropy.time import Time
from astropy.utils import iers

from observatories.sites.earth_orientation import EarthOrientation, EarthOrientationError

EARTH = EarthOrientation.from_astropy()


def test_astropy_is_kept_offline() -> None:
    assert iers.conf.auto_download is False
    assert iers.conf.auto_max_age is None


# the leap second of 31 December 2016; a predicted date
@pytest.mark.parametrize("around_utc_mjd", [57754.0, 61366.3])
def test_ut1_is_astropys(around_utc_mjd: float) -> None:
    time = Time(around_utc_mjd + np.linspace(-1.5, 1.5, 301), format="mjd", scale="utc")
    ours = EARTH.ut1_mjd(time.tt.mjd)
    np.testing.assert_allclose((ours - time.ut1.mjd) * 86400.0, 0.0, atol=5e-5)


def test_ut1_is_continuous_across_a_leap_second() -> None:
    tt = 57754.0 + np.linspace(-0.01, 0.01, 2001)
    rate = np.diff(EARTH.ut1_mjd(tt)) / np.diff(tt)
    assert np.all(np.abs(rate - 1.0) < 1e-5)


def test_the_span_is_named_outside_it() -> None:
    first, last = EARTH.span_tt_mjd
    for tt in (first - 1.0, last + 1.0, np.nan):
        with pytest.raises(EarthOrientationError, match=r"known from 1973-01-02 to 20\d\d"):
            EARTH.ut1_mjd(tt)


def test_the_last_row_is_held() -> None:
    last = EARTH.tt_mjd[-1]
    drift_s = (EARTH.ut1_mjd(last + 500.0) - (last + 500.0)) * 86400.0
    assert drift_s == pytest.approx(EARTH.ut1_minus_tt_s[-1], abs=1e-5)


def test_the_table_names_its_release_and_where_prediction_begins() -> None:
    assert EARTH.version.startswith("IERS-A 0.20")
    assert EARTH.tt_mjd[0] < EARTH.measured_until_tt_mjd < EARTH.tt_mjd[-1]

import datetime as dt

import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from coordination.common import timescales

INSTANTS = st.datetimes(min_value=dt.datetime(1975, 1, 1), max_value=dt.datetime(2049, 12, 31)).map(
    lambda t: np.datetime64(t, "us")
)


@given(INSTANTS)
def test_utc_and_tt_are_inverse_of_each_other(utc):
    again = timescales.tt_mjd_to_utc(timescales.utc_to_tt_mjd(utc))
    assert abs(again - utc) <= np.timedelta64(1, "us")  # a double holds an MJD to 0.6 microseconds


@given(st.lists(INSTANTS, min_size=1, max_size=5))
def test_scales_agree_with_astropy(instants):
    utc = np.array(instants)
    time = Time(utc, scale="utc")
    tt = timescales.utc_to_tt_mjd(utc)
    assert np.allclose(tt, time.tt.mjd, rtol=0, atol=2e-11)  # two microseconds
    assert np.allclose(timescales.tt_to_tdb_mjd(tt), time.tdb.mjd, rtol=0, atol=15e-6 / 86400)
    assert np.allclose(timescales.tdb_to_tt_mjd(timescales.tt_to_tdb_mjd(tt)), tt, rtol=0, atol=2e-11)


def test_a_leap_second_is_counted():
    before, after = np.array(["2016-12-31T23:59:59", "2017-01-01T00:00:00"], dtype="datetime64[us]")
    elapsed_s = (timescales.utc_to_tt_mjd(after) - timescales.utc_to_tt_mjd(before)) * 86400
    assert elapsed_s == pytest.approx(2.0, abs=1e-5)


def test_an_aware_datetime_is_taken_and_a_naive_one_refused():
    aware = dt.datetime(2026, 11, 22, 20, 0, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert timescales.utc_to_tt_mjd(aware) == timescales.utc_to_tt_mjd(np.datetime64("2026-11-22T12:00:00"))
    with pytest.raises(ValueError, match="naive"):
        timescales.utc_to_tt_mjd(dt.datetime(2026, 11, 22, 20, 0))


def test_iso_text_is_rounded_not_cut():
    assert timescales.iso_utc(np.datetime64("2026-11-22T23:59:59.999600", "us")) == "2026-11-23T00:00:00.000Z"

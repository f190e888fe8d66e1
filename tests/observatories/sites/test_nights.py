"""Nights run from local mean solar noon to the next and are labelled by the local date of their evening."""

import numpy as np
import pytest

from coordination.common.timescales import tt_mjd_to_utc, utc_to_tt_mjd
from observatories.sites.geodesy import Place
from observatories.sites.nights import night_dates, nights_between, noon_utc


@pytest.mark.parametrize(
    ("lon", "noon"),
    [
        (0.0, "2026-11-22T12:00"),
        (117.6, "2026-11-22T04:09:36"),
        (-70.4045, "2026-11-22T16:41:37.08"),
        (180.0, "2026-11-22T00:00"),
        (-180.0, "2026-11-22T00:00"),
        (-179.5, "2026-11-22T23:58"),
        (289.5955, "2026-11-22T16:41:37.08"),
    ],
)
def test_noon(lon: float, noon: str) -> None:
    assert noon_utc(Place(lon, 10.0), np.datetime64("2026-11-22")) == np.datetime64(noon)


def test_the_label_is_the_date_of_the_evening() -> None:
    hawaii = Place(-156.26, 20.7)
    instants = utc_to_tt_mjd(np.array(["2026-11-22T22:24:00", "2026-11-22T22:26:00", "2026-11-23T15:00"], "M8[us]"))
    assert night_dates(hawaii, instants).astype(str).tolist() == ["2026-11-21", "2026-11-22", "2026-11-22"]


@pytest.mark.parametrize("lon", [-180.0, -156.3, 0.0, 21.3, 179.99])
def test_nights_cover_a_span_without_gaps(lon: float) -> None:
    place = Place(lon, -30.0)
    # a leap second inside
    start, end = utc_to_tt_mjd(np.array(["2016-12-29T05:00", "2017-01-03T05:00"], "M8[us]"))
    nights = nights_between(place, float(start), float(end))
    assert nights.start_tt_mjd[0] == start
    assert nights.end_tt_mjd[-1] == end
    np.testing.assert_array_equal(nights.start_tt_mjd[1:], nights.end_tt_mjd[:-1])
    assert np.all(np.diff(nights.date) == np.timedelta64(1, "D"))
    np.testing.assert_array_equal(tt_mjd_to_utc(nights.start_tt_mjd[1:]), noon_utc(place, nights.date[1:]))
    np.testing.assert_array_equal(night_dates(place, 0.5 * (nights.start_tt_mjd + nights.end_tt_mjd)), nights.date)


def test_a_span_that_ends_at_a_noon_does_not_touch_the_next_night() -> None:
    place = Place(30.0, 0.0)
    noons = utc_to_tt_mjd(noon_utc(place, np.array(["2026-11-22", "2026-11-23"], "M8[D]")))
    nights = nights_between(place, float(noons[0]), float(noons[1]))
    assert nights.date.astype(str).tolist() == ["2026-11-22"]

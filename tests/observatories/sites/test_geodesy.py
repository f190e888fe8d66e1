"""Places: coordinates, parallax constants, distances."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import EarthLocation

from observatories.sites.geodesy import Place, PlaceError, distances_km


@pytest.mark.parametrize("lon", [0.0, -70.8, 180.0, -180.0, 289.2])
@pytest.mark.parametrize("lat", [0.0, 90.0, -90.0, 31.96])
def test_itrf_is_astropys(lon: float, lat: float) -> None:
    theirs = EarthLocation.from_geodetic(lon * u.deg, lat * u.deg, 2100.0 * u.m)
    np.testing.assert_allclose(
        Place(lon, lat, 2100.0).itrf_m(), [c.to_value("m") for c in theirs.geocentric], atol=1e-6
    )


def test_zero_is_a_coordinate_like_any_other() -> None:
    place = Place(0.0, 0.0, 0.0)
    np.testing.assert_allclose(place.itrf_m(), [6378137.0, 0.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(place.axes_itrf(), [[0, 1, 0], [0, 0, 1], [1, 0, 0]], atol=1e-15)


def test_parallax_constants_give_back_the_place() -> None:
    place = Place(203.744, 20.707, 3037.0)
    x, y, z = place.itrf_m() / 6378137.0
    again = Place.from_parallax(203.744, float(np.hypot(x, y)), float(z))
    assert again.lat_deg == pytest.approx(20.707, abs=1e-9)
    assert again.height_m == pytest.approx(3037.0, abs=1e-3)
    assert again.lon_deg == 203.744


@pytest.mark.parametrize("constants", [(0.0, 0.0, 0.0), (float("nan"), 0.7, 0.7), (10.0, float("nan"), 0.5)])
def test_spacecraft_and_the_geocentre_are_no_places(constants: tuple[float, float, float]) -> None:
    with pytest.raises(PlaceError, match="parallax constants"):
        Place.from_parallax(*constants)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("lat_deg", (0.0, 90.1)),
        ("lat_deg", (0.0, float("nan"))),
        ("lon_deg", (1e4, 0.0)),
        ("height_m", (0.0, 0.0, 1e6)),
    ],
)
def test_a_bad_value_is_named(field: str, values: tuple[float, ...]) -> None:
    with pytest.raises(PlaceError) as refusal:
        Place(*values)
    assert refusal.value.field == field
    assert field in str(refusal.value)


def test_longitude_is_turned_into_one_east_longitude() -> None:
    assert [Place(lon, 0.0).lon_east_deg for lon in (-180.0, 180.0, 190.0, -190.0, 360.0)] == [
        180.0,
        180.0,
        -170.0,
        170.0,
        0.0,
    ]


def test_distances_are_chords() -> None:
    apart = distances_km([Place(0.0, 0.0), Place(180.0, 0.0), Place(0.0, 0.1)])
    assert apart[0, 1] == pytest.approx(2 * 6378.137)
    assert apart[0, 2] == pytest.approx(11.06, abs=0.01)
    assert np.all(apart == apart.T)

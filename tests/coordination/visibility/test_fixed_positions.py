"""Windows of fixed places on the sky: their edges compared with Astropy, nothing of the window search in between."""

import datetime as dt

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_body, get_sun
from astropy.time import Time

from coordination.visibility.fixed_positions import windows_of_position
from observatories.models import Closure, Observatory, Organisation, Telescope
from targets.services.ephemerides import Span

SPAN = Span(dt.datetime(2026, 11, 24, tzinfo=dt.UTC), dt.datetime(2026, 11, 28, tzinfo=dt.UTC))
PLACES = (("Chile", -70.4, -24.6), ("La Palma", -17.9, 28.8), ("Svalbard", 16.0, 78.2))


@pytest.fixture
def telescopes(db) -> list[Telescope]:
    organisation = Organisation.objects.create(name="Institute", slug="institute")
    return [
        Telescope.objects.create(
            observatory=Observatory.objects.create(
                name=name, longitude_deg=longitude_deg, latitude_deg=latitude_deg, height_m=2000.0
            ),
            organisation=organisation,
            name=f"1 m at {name}",
            aperture_m=1.0,
            field_width_deg=0.5,
            field_height_deg=0.5,
            limiting_v_mag=1.0,  # of targets: a position has no magnitude
            rate_max_arcsec_min=0.001,
        )
        for name, longitude_deg, latitude_deg in PLACES
    ]


def seen(telescope: Telescope, star: SkyCoord, instants: list[dt.datetime]) -> tuple[np.ndarray, ...]:
    """Altitude of the star and of the Sun, and the star's distance from the Moon, degrees."""
    place = telescope.observatory
    location = EarthLocation.from_geodetic(place.longitude_deg, place.latitude_deg, place.height_m)
    time = Time(instants, scale="utc")
    frame = AltAz(obstime=time, location=location)
    here = star.transform_to(frame)
    moon = get_body("moon", time, location).transform_to(frame)
    return here.alt.deg, get_sun(time).transform_to(frame).alt.deg, here.separation(moon).deg


@pytest.mark.parametrize(("ra_deg", "dec_deg"), [(79.2, 45.9), (10.7, -8.2), (201.4, -43.0), (0.0, 0.0)])
def test_inside_a_window_all_limits_hold_and_just_outside_one_does_not(telescopes, ra_deg, dec_deg):
    star = SkyCoord(ra_deg * u.deg, dec_deg * u.deg)
    windows = windows_of_position(ra_deg, dec_deg, telescopes, SPAN)
    assert windows
    by_id = {telescope.pk: telescope for telescope in telescopes}
    moment = dt.timedelta(seconds=3)
    for window in windows:
        length = window.ends_at - window.starts_at
        inside = [window.starts_at + moment, *(window.starts_at + length * k / 20 for k in range(1, 20))]
        altitude, sun, moon = seen(by_id[window.telescope_id], star, [*inside, window.ends_at - moment])
        assert altitude.min() > 20.0
        assert sun.max() < -18.0
        assert moon.min() > 30.0
        assert altitude.max() - 0.5 < window.peak_altitude_deg < altitude.max() + 1.0
        for instant in (window.starts_at - moment, window.ends_at + moment):
            if SPAN.starts_at < instant < SPAN.ends_at:
                altitude, sun, moon = seen(by_id[window.telescope_id], star, [instant])
                assert altitude[0] < 20.0 or sun[0] > -18.0 or moon[0] < 30.0


@pytest.mark.parametrize(("ra_deg", "dec_deg"), [(79.2, 45.9), (10.7, -8.2), (201.4, -43.0)])
def test_no_window_is_missed(telescopes, ra_deg, dec_deg):
    star = SkyCoord(ra_deg * u.deg, dec_deg * u.deg)
    windows = windows_of_position(ra_deg, dec_deg, telescopes, SPAN)
    instants = [SPAN.starts_at + dt.timedelta(minutes=10 * k) for k in range(1, 6 * 24 * 4)]
    for telescope in telescopes:
        altitude, sun, moon = seen(telescope, star, instants)
        possible = (altitude > 20.05) & (sun < -18.05) & (moon > 30.05)
        mine = [window for window in windows if window.telescope_id == telescope.pk]
        for instant in np.array(instants)[possible]:
            assert any(w.starts_at <= instant < w.ends_at for w in mine) or lasts_less_than_asked(
                instant, possible, instants
            ), (telescope, instant)


def lasts_less_than_asked(instant, possible, instants) -> bool:
    """Whether neither neighbour is possible too: then it may be shorter than the ten minutes asked for."""
    k = instants.index(instant)
    return not possible[max(k - 1, 0)] and not possible[min(k + 1, len(instants) - 1)]


def test_a_closure_is_taken_out(telescopes):
    whole = windows_of_position(79.2, 45.9, telescopes[1:2], SPAN)
    middle = whole[0].starts_at + (whole[0].ends_at - whole[0].starts_at) / 2
    Closure.objects.create(telescope=telescopes[1], starts_at=middle, ends_at=SPAN.ends_at, reason="mirror")
    (left,) = windows_of_position(79.2, 45.9, telescopes[1:2], SPAN)
    assert left.starts_at == whole[0].starts_at
    assert abs(left.ends_at - middle) < dt.timedelta(milliseconds=1)

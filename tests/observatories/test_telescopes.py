"""Telescopes and the limits that make sense."""

import pytest
from django.db import IntegrityError, transaction

from coordination.common.models import Event
from coordination.common.problems import DomainError, ForbiddenError
from observatories import services
from observatories.models import Telescope

pytestmark = pytest.mark.django_db


def test_a_telescope_starts_with_sensible_limits(telescope):
    assert (telescope.sun_altitude_max_deg, telescope.altitude_min_deg, telescope.moon_separation_min_deg) == (
        -18,
        20,
        30,
    )
    assert (telescope.state, telescope.is_demo, telescope.horizon) == ("active", False, None)
    event = Event.objects.get(kind="telescope.added")
    assert event.subject == f"telescope:{telescope.pk}"


def test_a_change_is_recorded_with_what_changed_and_no_change_is_not(telescope):
    services.update_telescope(telescope.pk, altitude_min_deg=30.0, limiting_v_mag=20.5)
    services.update_telescope(telescope.pk, altitude_min_deg=30.0)
    event = Event.objects.get(kind="telescope.updated")
    assert event.payload == {"changed": ["altitude_min_deg"]}
    assert telescope.history.count() == 2


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"altitude_min_deg": 60, "altitude_max_deg": 40}, "the minimum below the maximum"),
        ({"altitude_min_deg": -5}, "Altitude limits lie within 0 and 90 deg"),
        ({"altitude_max_deg": 95}, "Altitude limits lie within 0 and 90 deg"),
        ({"altitude_min_deg": float("nan")}, "Altitude limits lie within 0 and 90 deg"),
        ({"hour_angle_min_h": -5}, "Give both hour-angle limits or neither"),
        ({"hour_angle_max_h": 5}, "Give both hour-angle limits or neither"),
        ({"hour_angle_min_h": 5, "hour_angle_max_h": -5}, "the first below the second"),
        ({"hour_angle_min_h": -13, "hour_angle_max_h": 5}, "within -12 and 12 h"),
        ({"sun_altitude_max_deg": 3}, "Sun's altitude limit lies within -90 and 0 deg"),
        ({"moon_separation_min_deg": 181}, "Moon's separation lies within 0 and 180 deg"),
        ({"limiting_v_mag": 31}, "limiting magnitude lies within 0 and 30"),
        ({"aperture_m": 0}, "Aperture and field are greater than zero"),
        ({"aperture_m": float("nan")}, "Aperture and field are greater than zero"),
        ({"field_width_deg": -1}, "Aperture and field are greater than zero"),
        ({"rate_max_arcsec_min": 0}, "fastest sky motion is greater than zero"),
        ({"window_min_s": 100000}, "at most a day"),
        ({"setup_s": -1}, "setup_s: Ensure this value is greater than or equal to 0"),
        ({"state": "broken"}, "state: Value 'broken' is not a valid choice"),
        ({"horizon_mask": [[0, 15], [0, 20]]}, "azimuth 0 occurs twice"),
        ({"horizon_mask": [[400, 15]]}, "azimuths of a horizon mask are numbers from 0 to 360"),
        ({"horizon_mask": {"0": 15}}, r"list of \[azimuth, altitude\]"),
        ({"horizon_mask": [[0, "high"]]}, r"list of \[azimuth, altitude\]"),
    ],
)
def test_limits_that_contradict_themselves_are_refused_with_what_would_do(telescope, limits, message):
    with pytest.raises(DomainError, match=message):
        services.update_telescope(telescope.pk, **limits)
    unchanged = Telescope.objects.get(pk=telescope.pk)
    assert all(getattr(unchanged, name) == getattr(telescope, name) for name in limits)


@pytest.mark.parametrize(
    ("limits", "constraint"),
    [
        ({"altitude_min_deg": 60, "altitude_max_deg": 40}, "telescope_altitude_limits"),
        ({"hour_angle_min_h": -5}, "telescope_hour_angle_limits"),
        ({"sun_altitude_max_deg": 3}, "telescope_sun_altitude"),
        ({"moon_separation_min_deg": -1}, "telescope_moon_separation"),
        ({"aperture_m": float("nan")}, "telescope_figures"),
        ({"rate_max_arcsec_min": float("inf")}, "telescope_rate"),
        ({"limiting_v_mag": float("nan")}, "telescope_limiting_magnitude"),
    ],
)
def test_the_database_refuses_them_too(telescope, limits, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Telescope.objects.filter(pk=telescope.pk).update(**limits)


def test_a_horizon_mask_is_kept_and_read(telescope):
    services.update_telescope(telescope.pk, horizon_mask=[[0, 15], [180, 30.5]])
    horizon = Telescope.objects.get(pk=telescope.pk).horizon
    assert horizon is not None
    assert horizon.altitude_at(180.0) == 30.5
    services.update_telescope(telescope.pk, horizon_mask=[])
    assert Telescope.objects.get(pk=telescope.pk).horizon is None


def test_fields_that_nobody_may_set_are_named(telescope):
    with pytest.raises(DomainError, match="created_at is not a field that can be changed"):
        services.update_telescope(telescope.pk, created_at=None)


def test_unknown_telescopes_and_names_taken_are_refused(telescope):
    with pytest.raises(DomainError, match="There is no telescope 0"):
        services.update_telescope(0, name="x")
    with pytest.raises(DomainError, match="already exists"):
        services.add_telescope(
            observatory_id=telescope.observatory_id, organisation_id=telescope.organisation_id, name=telescope.name,
            aperture_m=1, field_width_deg=1, field_height_deg=1, limiting_v_mag=20,
        )  # fmt: skip


def test_telescopes_for_windows_come_in_the_order_asked_for(telescope, organisation, django_assert_num_queries):
    other = services.add_telescope(
        observatory_id=telescope.observatory_id, organisation_id=organisation.pk, name="Dos", aperture_m=2,
        field_width_deg=1, field_height_deg=1, limiting_v_mag=22,
    )  # fmt: skip
    with django_assert_num_queries(1):
        found = services.telescopes_for_windows([other.pk, telescope.pk])
        places = [t.observatory.place for t in found]
    assert found == [other, telescope]
    assert [place and place.height_m for place in places] == [2600.0, 2600.0]


def test_no_windows_for_a_telescope_without_a_place(telescope):
    nowhere = services.create_observatory(name="Somewhere in orbit", kind="unfixed")
    services.update_telescope(telescope.pk, observatory_id=nowhere.pk)
    with pytest.raises(DomainError, match="has no fixed place"):
        services.telescopes_for_windows([telescope.pk])
    with pytest.raises(DomainError, match="There is no telescope 0"):
        services.telescopes_for_windows([0])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("moon_separation_new_deg", float("nan")),
        ("moon_separation_new_deg", 181.0),
        ("galactic_latitude_min_deg", float("nan")),
        ("galactic_latitude_min_deg", 89.5),
        ("galactic_latitude_min_deg", -1.0),
    ],
)
def test_limits_of_moon_and_milky_way_that_cannot_be_are_refused(telescope, field, value):
    with pytest.raises(DomainError):
        services.update_telescope(telescope.pk, **{field: value})


def test_limits_of_moon_and_milky_way_reach_the_window_search(telescope):
    from coordination.visibility.computing import LIMIT_FIELDS, engine_telescope

    changed = services.update_telescope(telescope.pk, moon_separation_new_deg=10.0, galactic_latitude_min_deg=15.0)
    limits = engine_telescope(changed).limits
    assert (limits.moon_sep_new_deg, limits.galactic_latitude_min_deg) == (10.0, 15.0)
    assert {"moon_separation_new_deg", "galactic_latitude_min_deg"} <= set(LIMIT_FIELDS)


def test_managers_change_their_own_telescopes_but_not_whose_they_are(telescope, person):
    manager, stranger = person("mona", "manager"), person("sara", "scheduler")
    services.update_telescope(telescope.pk, altitude_min_deg=25.0, actor=manager)
    for actor, changes in (
        (manager, {"is_demo": True}),
        (manager, {"organisation_id": telescope.organisation_id}),
        (stranger, {"altitude_min_deg": 30.0}),
    ):
        with pytest.raises(ForbiddenError):
            services.update_telescope(telescope.pk, actor=actor, **changes)
    telescope.refresh_from_db()
    assert (telescope.altitude_min_deg, telescope.is_demo) == (25.0, False)

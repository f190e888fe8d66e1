"""The administration of observatories and people: what a member of staff meets there."""

import datetime as dt

import pytest
from django.urls import reverse

from coordination.common.models import Event
from observatories import services
from observatories.models import Closure, Membership, Observatory, Organisation, Telescope, User
from observatories.sources.obscodes import find_code

pytestmark = pytest.mark.django_db

MEMBERSHIPS = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
CLOSURES = {"closures-TOTAL_FORMS": 0, "closures-INITIAL_FORMS": 0}
DUSK = {"starts_at_0": "2026-12-01", "starts_at_1": "22:00:00"}
DAWN = {"ends_at_0": "2026-12-02", "ends_at_1": "09:30:00"}


def address(name: str, *args: object) -> str:
    return reverse(f"admin:observatories_{name}", args=args)


def told(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


@pytest.fixture
def closure(telescope) -> Closure:
    day = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    return services.add_closure(
        telescope_id=telescope.pk, starts_at=day, ends_at=day + dt.timedelta(days=1), reason="new mirror coating"
    )


@pytest.fixture
def rows(telescope, closure, organisation, person):
    user = person("sara", "scheduler")
    return {
        "organisation": organisation,
        "user": user,
        "observatory": telescope.observatory,
        "telescope": telescope,
        "closure": closure,
    }


@pytest.mark.parametrize(
    ("model", "search", "shown"),
    [
        ("organisation", "southern", "Southern Sky Institute"),
        ("user", "sara", "sara"),
        ("observatory", "ZZ9", "Cerro Prueba"),
        ("telescope", "zz9", "Uno 1 m"),
        ("closure", "coating", "new mirror coating"),
    ],
)
def test_every_list_form_search_and_history_opens(admin_client, rows, model, search, shown):
    for response in (
        admin_client.get(address(f"{model}_changelist")),
        admin_client.get(address(f"{model}_changelist"), {"q": search}),
        admin_client.get(address(f"{model}_change", rows[model].pk)),
    ):
        assert response.status_code == 200
        assert shown in response.content.decode()
    assert shown not in admin_client.get(address(f"{model}_changelist"), {"q": "nothing like it"}).content.decode()
    assert admin_client.get(address(f"{model}_add")).status_code == 200
    assert admin_client.get(address(f"{model}_history", rows[model].pk)).status_code == 200
    assert admin_client.get(address(f"{model}_delete", rows[model].pk)).status_code == 200


def test_lists_cost_the_same_however_long_they_are(admin_client, django_assert_max_num_queries):
    services.load_demo()
    with django_assert_max_num_queries(12):
        response = admin_client.get(address("telescope_changelist"))
    assert "Simonyi Survey Telescope" in response.content.decode()
    with django_assert_max_num_queries(8):
        admin_client.get(address("observatory_changelist"), {"telescopes": "yes", "kind__exact": "fixed"})


def test_observatories_with_and_without_telescopes(admin_client, telescope):
    services.import_observatories([find_code("309")])
    listed = address("observatory_changelist")
    with_telescopes = admin_client.get(listed, {"telescopes": "yes"}).content.decode()
    assert "Cerro Prueba" in with_telescopes
    assert "Cerro Paranal" not in with_telescopes
    without = admin_client.get(listed, {"telescopes": "no"}).content.decode()
    assert "Cerro Paranal" in without
    assert "Cerro Prueba" not in without


def test_a_place_is_entered_and_gets_its_time_zone(admin_client):
    given = {
        "name": "Dome",
        "kind": "fixed",
        "mpc_code": "",
        "longitude_deg": "0",
        "latitude_deg": "0",
        "height_m": "0",
    }
    response = admin_client.post(address("observatory_add"), given, follow=True)
    assert "was added successfully" in told(response)
    place = Observatory.objects.get()
    assert (place.longitude_deg, place.time_zone, place.mpc_code) == (0.0, "Etc/GMT", None)
    assert Event.objects.get().actor == User.objects.get()
    assert place.history.get().history_user.is_superuser


def test_a_place_that_cannot_be_comes_back_with_the_reason(admin_client):
    given = {"name": "Dome", "kind": "fixed", "longitude_deg": "200", "latitude_deg": "0", "height_m": "0"}
    response = admin_client.post(address("observatory_add"), given)
    assert "Longitude is -180 to 180 deg" in response.content.decode()
    assert not Observatory.objects.exists()


def test_moving_an_imported_place_makes_it_the_word_of_staff(admin_client):
    services.import_observatories([find_code("309")])
    paranal = Observatory.objects.get()
    given = {"name": paranal.name, "kind": "fixed", "mpc_code": "309", "height_m": "2635.5"}
    given |= {"longitude_deg": str(paranal.longitude_deg), "latitude_deg": str(paranal.latitude_deg)}
    admin_client.post(address("observatory_change", paranal.pk), given)
    paranal.refresh_from_db()
    assert (paranal.height_m, paranal.coordinate_source) == (2635.5, "staff")


def telescope_form(observatory, organisation, **changes):
    figures = {"aperture_m": 1, "field_width_deg": 0.5, "field_height_deg": 0.5, "limiting_v_mag": 21, "setup_s": 60}
    limits: dict[str, object] = {
        "altitude_min_deg": 20,
        "altitude_max_deg": 85,
        "sun_altitude_max_deg": -15,
        "slew_s": 30,
    }
    limits |= {"moon_separation_min_deg": 25, "window_min_s": 900, "horizon_mask": "[[0, 20], [90, 35]]"}
    place = {"name": "Dos", "observatory": observatory.pk, "organisation": organisation.pk, "state": "active"}
    return {**figures, **limits, **place, **CLOSURES, **changes}


def test_a_telescope_is_entered_changed_and_removed(admin_client, observatory, organisation):
    response = admin_client.post(address("telescope_add"), telescope_form(observatory, organisation), follow=True)
    assert "was added successfully" in told(response)
    telescope = Telescope.objects.get()
    assert (telescope.horizon_mask, telescope.is_demo, telescope.window_min_s) == ([[0, 20], [90, 35]], False, 900)

    changed = telescope_form(observatory, organisation, altitude_min_deg=30)
    admin_client.post(address("telescope_change", telescope.pk), changed)
    telescope.refresh_from_db()
    assert telescope.altitude_min_deg == 30
    assert Event.objects.get(kind="telescope.updated").payload == {"changed": ["altitude_min_deg"]}

    asked = admin_client.get(address("telescope_delete", telescope.pk)).content.decode()
    assert "Dos: with its 0 closures and all its visibility windows" in asked
    admin_client.post(address("telescope_delete", telescope.pk), {"post": "yes"})
    assert not Telescope.objects.exists()
    assert Event.objects.filter(kind="telescope.removed").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"altitude_min_deg": 86}, "the minimum below the maximum"),
        ({"hour_angle_min_h": -4}, "Give both hour-angle limits or neither"),
        ({"horizon_mask": "[[0, 95]]"}, "altitudes of a horizon mask are numbers from -90 to 90"),
        ({"aperture_m": "nan"}, "Enter a number"),
    ],
)
def test_bad_limits_come_back_with_the_reason(admin_client, observatory, organisation, change, reason):
    response = admin_client.post(address("telescope_add"), telescope_form(observatory, organisation, **change))
    assert reason in response.content.decode()
    assert not Telescope.objects.exists()


def test_an_observatory_in_use_cannot_be_deleted(admin_client, telescope):
    response = admin_client.post(
        address("observatory_changelist"),
        {"action": "delete_selected", "_selected_action": [telescope.observatory_id], "post": "yes"},
        follow=True,
    )
    assert response.status_code == 200
    assert Observatory.objects.filter(pk=telescope.observatory_id).exists()


def test_a_scheduler_closes_and_opens_the_own_telescope(client, telescope, person):
    scheduler = person("sara", "scheduler")
    client.force_login(scheduler)
    given = {"telescope": telescope.pk, "reason": "wind", **DUSK, **DAWN}
    response = client.post(address("closure_add"), given, follow=True)
    assert "was added successfully" in told(response)
    closure = Closure.objects.get()
    assert closure.starts_at == dt.datetime(2026, 12, 1, 22, 0, tzinfo=dt.UTC)
    assert closure.created_by == scheduler
    assert Event.objects.get(kind="closure.added").actor == scheduler

    assert "wind" in client.get(address("telescope_change", telescope.pk)).content.decode()
    client.post(address("closure_delete", closure.pk), {"post": "yes"})
    assert not Closure.objects.exists()
    assert Event.objects.filter(kind="closure.removed").exists()


def test_a_closure_that_ends_before_it_starts_comes_back(admin_client, telescope):
    given = {
        "telescope": telescope.pk,
        "reason": "wind",
        **DUSK,
        "ends_at_0": DUSK["starts_at_0"],
        "ends_at_1": "20:00",
    }
    response = admin_client.post(address("closure_add"), given)
    assert "A closure ends after it starts" in response.content.decode()
    assert not Closure.objects.exists()


def test_closures_of_others_are_out_of_reach(client, telescope, closure, person):
    elsewhere = Organisation.objects.create(name="Elsewhere", slug="elsewhere")
    client.force_login(person("ernst", "manager", at=elsewhere))
    assert "new mirror coating" not in client.get(address("closure_changelist")).content.decode()
    assert "new mirror coating" not in client.get(address("telescope_change", telescope.pk)).content.decode()
    assert client.get(address("closure_change", closure.pk), follow=True).redirect_chain  # as if it did not exist
    client.post(address("closure_delete", closure.pk), {"post": "yes"})
    assert Closure.objects.exists()
    given = {"telescope": telescope.pk, "reason": "spite", **DUSK, **DAWN}
    response = client.post(address("closure_add"), given)
    assert "Only schedulers and managers of Southern Sky Institute" in response.content.decode()
    assert Closure.objects.count() == 1


def test_a_member_reads_closures_and_enters_none(client, closure, person):
    client.force_login(person("mia", "member"))
    assert "new mirror coating" in client.get(address("closure_changelist")).content.decode()
    assert client.get(address("closure_add")).status_code == 403
    assert client.post(address("closure_delete", closure.pk), {"post": "yes"}).status_code == 403
    client.force_login(person("nemo"))
    assert client.get(address("closure_changelist")).status_code == 403


def test_people_join_an_organisation_on_its_page(admin_client, organisation, person):
    sara = person("sara")
    given = {"name": organisation.name, "slug": organisation.slug, **MEMBERSHIPS}
    given |= {"memberships-TOTAL_FORMS": 1, "memberships-0-user": sara.pk, "memberships-0-role": "manager"}
    given |= {"memberships-0-organisation": organisation.pk}
    admin_client.post(address("organisation_change", organisation.pk), given)
    assert Membership.objects.get().role == "manager"
    assert Membership.history.count() == 1


def test_a_person_is_entered_with_a_password_that_works(admin_client, client):
    secret = "windy-night-at-2600-m"
    given = {"username": "sara", "usable_password": "true", "password1": secret, "password2": secret}
    response = admin_client.post(address("user_add"), given, follow=True)
    assert "was added successfully" in told(response)
    assert User.objects.get(username="sara").check_password(secret)

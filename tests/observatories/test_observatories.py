"""Observatories: imported from MPC codes, or entered by staff, whose word counts more."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from coordination.common.models import Event
from coordination.common.problems import DomainError
from observatories import services
from observatories.models import Observatory
from observatories.sources.obscodes import find_code

pytestmark = pytest.mark.django_db


def import_some(*codes):
    return services.import_observatories([find_code(code) for code in codes])


def test_the_whole_list_is_imported_and_imported_again_without_change(capsys, django_assert_max_num_queries):
    call_command("import_observatories")
    said = capsys.readouterr()
    assert said.out == ""
    assert "2722 created, 0 updated, 0 unchanged, 12 rejected" in said.err
    assert "508 Zeist: the parallax constants 0.617, 0.783 lie 6.7 km below the ellipsoid" in said.err
    assert Observatory.objects.filter(kind="unfixed", longitude_deg=None, time_zone="").count() == 34
    assert not Observatory.objects.filter(kind="fixed", time_zone="").exists()
    stamps = dict(Observatory.objects.values_list("mpc_code", "pk"))

    with django_assert_max_num_queries(10):
        call_command("import_observatories")
    assert "0 created, 0 updated, 2722 unchanged, 12 rejected" in capsys.readouterr().err
    assert dict(Observatory.objects.values_list("mpc_code", "pk")) == stamps
    assert Observatory.history.count() == 2722
    assert Event.objects.filter(kind="observatories.imported").count() == 1


def test_known_codes_have_their_places_and_time_zones():
    import_some("309", "X05", "000", "250")
    paranal, rubin, greenwich, hubble = (
        Observatory.objects.get(mpc_code=code) for code in ("309", "X05", "000", "250")
    )
    assert (paranal.longitude_deg, paranal.time_zone) == (-70.40431, "America/Santiago")
    assert paranal.latitude_deg == pytest.approx(-24.6272, abs=1e-4)
    assert paranal.height_m == pytest.approx(2637.1, abs=0.1)
    assert rubin.latitude_deg == pytest.approx(-30.2446, abs=1e-4)
    assert (greenwich.longitude_deg, greenwich.kind, greenwich.time_zone) == (0.0, "fixed", "Europe/London")
    assert greenwich.place is not None
    assert (hubble.kind, hubble.longitude_deg, hubble.place) == ("unfixed", None, None)


def test_a_newer_list_updates_what_changed(tmp_path, capsys):
    import_some("309", "X05", "250")
    records = {
        "309": {"Longitude": 289.6, "cos": 0.909943, "sin": -0.414336, "Name": "Cerro Paranal"},
        "X05": {"Longitude": 289.25058, "cos": 0.864981, "sin": -0.500958, "Name": "Rubin"},
        "250": {"Name": "Hubble Space Telescope"},
        "ZZ1": {"Longitude": 10.0, "cos": 0.651, "sin": 0.757, "Name": "New one"},
    }
    newer = tmp_path / "codes.json"
    newer.write_text(json.dumps(records))
    call_command("import_observatories", str(newer))
    assert "1 created, 2 updated, 1 unchanged, 0 rejected" in capsys.readouterr().err
    assert Observatory.objects.get(mpc_code="309").longitude_deg == -70.4
    assert Observatory.objects.get(mpc_code="X05").name == "Rubin"
    assert Observatory.objects.get(mpc_code="309").history.count() == 2


def test_coordinates_of_staff_survive_every_import(capsys):
    import_some("309")
    paranal = Observatory.objects.get(mpc_code="309")
    services.update_observatory(paranal.pk, height_m=2635.4)
    result = import_some("309", "X05")
    paranal.refresh_from_db()
    assert (paranal.height_m, paranal.coordinate_source) == (2635.4, "staff")
    assert (result.created, result.updated, result.kept) == (1, 0, 1)


def test_a_changed_name_alone_does_not_take_the_coordinates_over():
    import_some("309")
    paranal = Observatory.objects.get(mpc_code="309")
    services.update_observatory(paranal.pk, name="Paranal")
    paranal.refresh_from_db()
    assert paranal.coordinate_source == "mpc"


def test_a_broken_list_is_refused_with_exit_code_2(tmp_path):
    truncated = tmp_path / "codes.json"
    truncated.write_text('{"309": {"Longitude": 289.6')
    with pytest.raises(CommandError, match="is not JSON") as refusal:
        call_command("import_observatories", str(truncated))
    assert refusal.value.returncode == 2
    assert not Observatory.objects.exists()


def test_staff_enter_a_place_without_a_code():
    place = services.create_observatory(
        name="Null Island Dome", longitude_deg=0.0, latitude_deg=0.0, height_m=0.0, mpc_code=" "
    )
    place.refresh_from_db()
    assert (place.longitude_deg, place.latitude_deg, place.height_m) == (0.0, 0.0, 0.0)
    assert (place.mpc_code, place.coordinate_source, place.time_zone) == (None, "staff", "Etc/GMT")
    assert Event.objects.get().kind == "observatory.added"


def test_moving_a_place_moves_its_time_zone(observatory):
    assert observatory.time_zone == "America/Santiago"
    moved = services.update_observatory(observatory.pk, longitude_deg=149.07, latitude_deg=-31.27)
    assert moved.time_zone == "Australia/Sydney"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"longitude_deg": 200.0}, "Longitude is -180 to 180 deg"),
        ({"latitude_deg": -91.0}, "latitude -90 to 90 deg"),
        ({"height_m": 12000.0}, "height -500 to 10000 m"),
        ({"height_m": None}, "A fixed place needs longitude, latitude and height"),
        ({"kind": "unfixed"}, "one without a fixed place has none"),
        ({"name": ""}, "name: This field cannot be blank."),
        ({"mpc_code": "zz9"}, "already exists"),
    ],
)
def test_places_that_cannot_be_are_refused(observatory, given, message):
    good = {"name": "Elsewhere", "longitude_deg": 10.0, "latitude_deg": 20.0, "height_m": 300.0}
    with pytest.raises(DomainError, match=message):
        services.create_observatory(**{**good, **given})
    assert Observatory.objects.get() == observatory


def test_the_database_refuses_coordinates_of_a_spacecraft_too(observatory):
    with pytest.raises(IntegrityError, match="observatory_fixed_has_coordinates"), transaction.atomic():
        Observatory.objects.filter(pk=observatory.pk).update(kind="unfixed")
    with pytest.raises(IntegrityError, match="observatory_coordinate_ranges"), transaction.atomic():
        Observatory.objects.filter(pk=observatory.pk).update(longitude_deg=float("nan"))


def test_an_observatory_with_telescopes_is_not_removed(telescope):
    with pytest.raises(DomainError, match="has telescopes and cannot be deleted"):
        services.remove_observatory(telescope.observatory_id)
    services.remove_telescope(telescope.pk)
    services.remove_observatory(telescope.observatory_id)
    assert not Observatory.objects.exists()

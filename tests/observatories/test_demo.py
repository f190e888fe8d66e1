"""The demonstration network: loaded, used, removed without a trace."""

import datetime as dt

import pytest
from django.core.management import CommandError, call_command

from observatories import services
from observatories.models import Closure, Membership, Observatory, Organisation, Telescope

pytestmark = pytest.mark.django_db

CONTINENTS = {  # a telescope of each, by code
    "Asia": "327",
    "Europe": "246",
    "Africa": "M22",
    "North America": "G96",
    "South America": "X05",
    "Oceania": "474",
}


@pytest.fixture
def demo(db):
    call_command("load_demo")


def test_real_telescopes_on_six_continents(demo):
    telescopes = Telescope.objects.select_related("observatory", "organisation")
    assert len(telescopes) >= 20
    assert {t.observatory.mpc_code for t in telescopes} >= set(CONTINENTS.values())
    assert all(t.is_demo and t.organisation.is_demo and t.observatory.place is not None for t in telescopes)
    assert all("estimates" in t.figures_note and len(t.figures_note) > 200 for t in telescopes)
    longitudes = sorted(t.observatory.longitude_deg or 0.0 for t in telescopes)
    gaps = [after - before for before, after in zip(longitudes, [*longitudes[1:], longitudes[0] + 360], strict=True)]
    assert max(gaps) < 60


def test_figures_stand_as_in_the_file(demo):
    rubin = Telescope.objects.select_related("observatory").get(observatory__mpc_code="X05")
    assert rubin.observatory.name == "Simonyi Survey Telescope, Rubin Observatory"
    assert (rubin.aperture_m, rubin.limiting_v_mag, rubin.altitude_max_deg) == (8.4, 24.0, 86.5)
    tololo = Telescope.objects.get(observatory__mpc_code="W85")
    assert (tololo.hour_angle_min_h, tololo.hour_angle_max_h, tololo.altitude_min_deg) == (-4.5, 4.5, 30)
    assert tololo.organisation.name == "Las Cumbres Observatory"


def test_only_the_codes_it_needs_are_imported(demo):
    codes = set(Observatory.objects.values_list("mpc_code", flat=True))
    assert codes == set(Telescope.objects.values_list("observatory__mpc_code", flat=True))


def test_loading_again_changes_nothing_not_even_what_staff_changed(demo, capsys):
    before = Telescope.objects.count()
    rubin = Telescope.objects.get(observatory__mpc_code="X05")
    services.update_telescope(rubin.pk, limiting_v_mag=24.5)
    call_command("load_demo")
    said = capsys.readouterr()
    assert "0 telescopes and 0 organisations created" in said.err
    assert said.out == ""
    rubin.refresh_from_db()
    assert (rubin.limiting_v_mag, Telescope.objects.count()) == (24.5, before)


def test_an_organisation_that_is_there_is_used_and_stays(telescope):
    lco = Organisation.objects.create(name="LCO", slug="lco")
    call_command("load_demo")
    assert lco.telescopes.count() >= 5
    call_command("remove_demo")
    assert list(Telescope.objects.all()) == [telescope]
    assert set(Organisation.objects.all()) == {lco, telescope.organisation}


def test_removing_takes_the_demo_and_nothing_else(demo, telescope, capsys):
    observatories = Observatory.objects.count()
    call_command("remove_demo")
    assert "35 telescopes and 21 organisations removed" in capsys.readouterr().err
    assert list(Telescope.objects.all()) == [telescope]
    assert list(Organisation.objects.all()) == [telescope.organisation]
    assert Observatory.objects.count() == observatories
    call_command("remove_demo")
    assert "0 telescopes and 0 organisations removed" in capsys.readouterr().err


def test_a_demo_row_that_was_adopted_stays(demo):
    rubin = Telescope.objects.select_related("organisation").get(observatory__mpc_code="X05")
    services.update_telescope(rubin.pk, is_demo=False)
    with pytest.raises(
        CommandError, match=r"in use: 1 telescope that is not demo \(Simonyi Survey Telescope\)"
    ) as refusal:
        call_command("remove_demo")
    assert refusal.value.returncode == 2
    Organisation.objects.filter(pk=rubin.organisation_id).update(is_demo=False)
    call_command("remove_demo")
    assert list(Telescope.objects.all()) == [rubin]


def test_removal_is_refused_while_people_or_closures_hang_on_it(demo, person):
    lco = Organisation.objects.get(slug="lco")
    person("sara", "scheduler", at=lco)
    closure = services.add_closure(
        telescope_id=lco.telescopes.values_list("pk", flat=True)[0],
        starts_at=dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
        ends_at=dt.datetime(2026, 12, 2, tzinfo=dt.UTC),
        reason="engineering",
    )
    with pytest.raises(CommandError, match="in use: 1 closure, 1 membership that are not demo"):
        call_command("remove_demo")
    services.remove_closure(closure.pk)
    with pytest.raises(CommandError, match="in use: 1 membership that is not demo"):
        call_command("remove_demo")
    assert Telescope.objects.filter(is_demo=True).count() == 35
    Membership.objects.all().delete()
    call_command("remove_demo")
    assert not Telescope.objects.exists()
    assert not Closure.objects.exists()

"""Targets at the desk: what changed between versions of an orbit, names, merging; lists exported as they are shown."""

import csv
import datetime as dt
import io

import numpy as np
import pytest
from django.urls import reverse

from coordination.common.models import Event
from observatories.models import User
from targets.models import Candidate, CloseApproach, Designation, Orbit, RiskAssessment, Target
from targets.orbits.covariance import ELEMENTS
from targets.services import orbit_versions

pytestmark = pytest.mark.django_db

SIGMAS = np.array([2e-7, 2e-7, 2e-4, 3e-5, 4e-5, 1e-5])


def version_of(target: Target, number: int, **changes) -> Orbit:
    """A solution of JPL's with a covariance, as another `number` of one object."""
    values = {
        "target": target, "source": "sbdb", "reference": f"JPL#{number}", "epoch_tdb_jd": 2461400.5, "a_au": 1.4,
        "e": 0.4, "i_deg": 8.0, "node_deg": 30.0, "peri_deg": 60.0, "mean_anomaly_deg": 100.0, "h_mag": 19.0,
        "fingerprint": f"version-{number}", "arc_days": 300.0 + number, "observation_count": 100 + number,
        "covariance": {"epoch": "2461400.5", "labels": list(ELEMENTS), "data": np.diag(SIGMAS**2).tolist()}, **changes,
    }  # fmt: skip
    orbit = Orbit.objects.create(**values)
    Target.objects.filter(pk=target.pk).update(current_orbit=orbit)
    target.current_orbit = orbit
    return orbit


def called(designation: str, kind: str = "provisional", **fields) -> Target:
    target = Target.objects.create(designation=designation, **fields)
    key = designation.upper().replace(" ", "")
    Designation.objects.create(target=target, text=designation, key=key, kind=kind)
    return target


@pytest.fixture
def ours(db) -> Target:
    return called("2030 KN1")


@pytest.fixture
def staff(db, signed_in):
    return signed_in(User.objects.create_user("reader", "r@example.org", "pass-for-tests", is_staff=True))


def address(page: str, target: Target) -> str:
    return reverse(f"desk:target-{page}", args=[target.pk])


# --- orbit versions


def test_versions_say_what_each_changed_of_the_one_before(staff, ours):
    version_of(ours, 1)
    version_of(ours, 2)
    version_of(ours, 3, i_deg=8.0 + 3e-5, h_mag=19.1)  # three sigma of the inclination
    page = staff.get(address("orbits", ours))
    newest, same, oldest = page.context["rows"]
    assert newest.version.is_current
    assert (newest.arc, newest.observations, newest.h) == ("+1 d", "+1", "+0.10 mag")
    assert newest.elements[5].in_sigma == "+3.00"
    assert float(newest.distance) == pytest.approx(3.0, abs=0.01)
    assert newest.version.difference.shift_arcsec[0] > 0.001
    assert float(same.distance) == pytest.approx(0.0, abs=1e-3)
    assert same.version.difference.shift_arcsec.max() < 1e-3
    assert (oldest.elements, oldest.shifts) == ([], [])
    figure = page.context["figure"]
    assert len(figure.table.rows) == len(page.context["found"].dates)
    assert len(figure.table.columns) == 4  # time, 1-sigma now and before, shift
    assert "<svg" in page.text
    assert "3.00 sigma in all" in page.text


def test_an_orbit_without_covariance_is_compared_in_elements_and_on_the_sky(staff, ours):
    version_of(ours, 1, covariance=None, u_parameter="4")
    version_of(ours, 2, covariance=None, u_parameter="4", i_deg=8.01)
    newest, _oldest = staff.get(address("orbits", ours)).context["rows"]
    assert (newest.distance, newest.elements[5].in_sigma) == ("–", "–")
    assert newest.elements[5].moved == "+1.00e-02"
    assert newest.version.is_estimate
    assert newest.version.difference.shift_arcsec[0] > 1.0


def test_an_orbit_of_an_epoch_that_no_table_knows_is_listed_without_figures(staff, ours):
    for number, epoch in enumerate((2461400.5, 2320000.5, 2461400.5)):
        version_of(ours, number, epoch_tdb_jd=epoch, covariance=None, u_parameter="4")
    page = staff.get(address("orbits", ours))
    assert [bool(row.elements) for row in page.context["rows"]] == [False, False, False]
    assert "epoch outside the planetary tables" in page.text
    empty = called("2030 KN2")
    assert "There is no orbit yet." in staff.get(address("orbits", empty)).text


def test_ten_versions_are_compared_with_as_many_queries_as_two(staff, ours, queries_of):
    version_of(ours, 1)
    version_of(ours, 2)
    few = queries_of(staff, address("orbits", ours))
    for number in range(3, 15):
        version_of(ours, number)
    assert queries_of(staff, address("orbits", ours)) == few
    rows = staff.get(address("orbits", ours)).context["rows"]
    assert len(rows) == orbit_versions.MOST
    assert rows[-1].elements  # compared with one that is not shown


def test_pages_of_a_confidential_target_are_not_there(staff, ours, admin_client):
    Target.objects.filter(pk=ours.pk).update(visibility="campaign")
    for page in ("orbits", "names", "merge"):
        assert staff.get(address(page, ours)).status_code == 404
        assert staff.get(reverse(f"desk:target-{page}", args=[10**9])).status_code == 404
        assert admin_client.get(address(page, ours)).status_code == 200


# --- names


def test_an_alias_is_added_and_removed(admin_client, ours):
    names = address("names", ours)
    page = admin_client.post(names, {"add": "1", "designation": "K31A12B"}, follow=True)
    assert "2031 AB12" in page.text
    assert ours.history.first().history_user.username == "admin"
    added = ours.designations.get(text="2031 AB12")
    assert admin_client.post(names, {"remove": str(added.pk)}).status_code == 302
    assert ours.designations.count() == 1
    page = admin_client.post(names, {"remove": str(ours.designations.get().pk)})
    assert "it stays" in page.text
    assert ours.designations.count() == 1
    assert (
        "designation removed: 2031 AB12"
        in admin_client.get(reverse("admin:targets_target_history", args=[ours.pk])).text
    )


def test_what_another_target_is_called_leads_to_merging(admin_client, ours):
    other = called("2030 YZ9")
    page = admin_client.post(address("names", ours), {"add": "1", "designation": "2030yz9"})
    assert "2030 YZ9 is what 2030 YZ9 is called here." in page.context["form"].errors["designation"][0]
    assert f"{address('merge', ours)}?other=2030+YZ9" in page.text
    assert Target.objects.filter(pk=other.pk).exists()


# --- merging


def test_two_targets_are_merged_after_a_preview_and_with_a_reason(admin_client, ours):
    other = called("1234567", "number", is_marked=True)
    version_of(other, 1)
    look = admin_client.get(address("merge", ours), {"other": "1234567"})
    preview = look.context["preview"]
    assert (preview.kept, preview.merged) == (other, ours)  # the number stays
    assert f'name="keep" value="{other.pk}"' in look.text
    other_way = admin_client.get(address("merge", ours), {"other": "1234567", "keep": str(ours.pk)})
    assert other_way.context["preview"].kept == ours

    sent = {"other": "1234567", "keep": str(other.pk), "reason": ""}
    refused = admin_client.post(address("merge", ours), sent)
    assert refused.context["confirm"].errors["reason"]
    assert Target.objects.count() == 2
    done = admin_client.post(address("merge", ours), {**sent, "reason": "MPEC 2026-W01"})
    assert done["Location"] == reverse("admin:targets_target_change", args=[other.pk])
    assert set(Target.objects.get().designations.values_list("text", flat=True)) == {"2030 KN1", "1234567"}
    assert Event.objects.get(kind="target.merged").actor.username == "admin"
    history = admin_client.get(reverse("admin:targets_target_history", args=[other.pk]))
    assert "merged with 2030 KN1: MPEC 2026-W01" in history.text


@pytest.mark.parametrize(
    ("other", "said"), [("2030 KN1", "the same target"), ("2030 KM1", "Nearest: 2030 KN1"), ("", "required")]
)
def test_what_cannot_be_the_other_is_said_at_the_field(admin_client, ours, other, said):
    page = admin_client.get(address("merge", ours), {"other": other})
    assert said in page.context["form"].errors["other"][0]
    assert page.context["preview"] is None


def test_two_permanent_numbers_are_not_merged_whatever_is_sent(admin_client):
    one, two = called("1234567", "number"), called("1234568", "number")
    assert "They cannot be merged." in admin_client.get(address("merge", one), {"other": "1234568"}).text
    sent = {"other": "1234568", "keep": str(one.pk), "reason": "typed"}
    page = admin_client.post(address("merge", one), sent)
    assert "Two permanent numbers" in page.context["confirm"].errors["reason"][0]
    assert Target.objects.filter(pk=two.pk).exists()


def test_staff_who_are_no_administrators_neither_merge_nor_name(staff, ours):
    called("2030 YZ9")
    for page, sent in (
        ("names", {"add": "1", "designation": "2031 AB12"}),
        ("merge", {"other": "2030 YZ9", "reason": "x"}),
    ):
        assert staff.get(address(page, ours)).status_code == 403
        assert staff.post(address(page, ours), sent).status_code == 403
    assert Target.objects.count() == 2
    change = reverse("admin:targets_target_change", args=[ours.pk])
    assert "Orbit versions" in staff.get(change).text
    assert "Merge" not in staff.get(change).text


# --- lists


def exported(client, model: str, **filters) -> list[dict[str, str]]:
    answer = client.get(reverse(f"admin:targets_{model}_changelist"), {"export": "csv", **filters})
    assert answer["Content-Type"].startswith("text/csv")
    assert answer.streaming
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode())))


def test_lists_are_exported_without_what_one_may_not_know_of(staff, admin_client, ours, queries_of):
    secret = called("P21xyz1", "temporary", visibility="campaign")
    at = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    for target in (ours, secret):
        version_of(target, 1)
        CloseApproach.objects.create(target=target, at=at, tdb_jd=2461406.5, distance_au=0.01)
        Candidate.objects.create(target=target, temporary_designation=target.designation)
        RiskAssessment.objects.create(
            target=target, impact_probability=1e-4, palermo_cumulative=-2.0, palermo_maximum=-2.0, assessed_at=at
        )
    for model in ("target", "orbit", "closeapproach", "candidate", "riskassessment"):
        page = reverse(f"admin:targets_{model}_changelist")
        assert "export=csv" in staff.get(page).text, model
        for client, count in ((staff, 1), (admin_client, 2)):
            rows = exported(client, model)
            assert len(rows) == count, model
            assert ("P21xyz1" in str(rows)) == (count == 2), model
    (row,) = exported(staff, "orbit", q="2030 KN1")
    assert (row["target"], row["inclination (deg)"]) == ("2030 KN1", "8.0")
    assert exported(staff, "target", visibility__exact="campaign") == []
    assert staff.get(reverse("admin:targets_ephemeris_changelist"), {"export": "csv"}).status_code == 200


def test_what_is_derived_of_a_target_leads_to_its_history(staff, ours):
    orbit = version_of(ours, 1)
    history = reverse("admin:targets_target_history", args=[ours.pk])
    assert staff.get(reverse("admin:targets_orbit_history", args=[orbit.pk]))["Location"] == history
    assert staff.get(history).status_code == 200
    Target.objects.filter(pk=ours.pk).update(visibility="campaign")
    assert staff.get(reverse("admin:targets_orbit_history", args=[orbit.pk])).status_code == 404
    assert staff.get(history).status_code == 404
    assert staff.get(reverse("admin:targets_orbit_change", args=[orbit.pk])).status_code == 302

"""Two targets that turn out to be one object: everything in every room becomes that of one, and nothing is lost."""

import pytest
from django.apps import apps

from coordination.booking.models import Booking, Slot
from coordination.campaigns.models import CampaignTarget
from coordination.common import merging
from coordination.common.models import Event
from coordination.common.problems import DomainError, ForbiddenError, UnknownError
from coordination.partners.models import Notice
from targets.models import Candidate, Designation, Orbit, Target
from targets.services.merge_preview import preview_merge
from targets.services.merging import in_order_of_staying, merge_targets

pytestmark = pytest.mark.django_db

ELEMENTS = {"e": 0.2, "a_au": 1.4, "i_deg": 5.0, "node_deg": 1.0, "peri_deg": 2.0, "mean_anomaly_deg": 3.0}


def called(designation: str, kind: str, **fields) -> Target:
    target = Target.objects.create(designation=designation, **fields)
    Designation.objects.create(target=target, text=designation, key=designation.upper().replace(" ", ""), kind=kind)
    return target


def with_orbit(target: Target, fingerprint: str, last_observed_on: str) -> Orbit:
    orbit = Orbit.objects.create(
        target=target,
        source="mpc",
        epoch_tdb_jd=2461000.5,
        fingerprint=fingerprint,
        last_observed_on=last_observed_on,
        **ELEMENTS,
    )
    Target.objects.filter(pk=target.pk).update(current_orbit=orbit)
    return orbit


@pytest.fixture
def known(db) -> Target:
    return called("2030 KN1", "provisional")


@pytest.fixture
def candidate(db) -> Target:
    """What nobody knows yet to be the known one."""
    target = called("P21xyz1", "temporary", visibility="signed_in", is_marked=True)
    Candidate.objects.create(target=target, temporary_designation="P21xyz1")
    return target


def test_what_refers_to_targets_is_moved_by_its_room_or_goes_with_its_target():
    """A new reference to targets has to say here what becomes of it when two are merged."""
    moved = {
        "targets.Designation", "targets.Orbit", "targets.Candidate", "targets.OrbitCheck", "targets.RiskAssessment",
        "targets.CloseApproach", "campaigns.CampaignTarget", "booking.Slot", "booking.Booking", "partners.Notice",
    }  # fmt: skip
    derived = {
        "targets.Ephemeris", "visibility.VisibilityWindow", "visibility.ComputedWindow",
        "targets.EphemerisComparison", "targets.HorizonsTable",
    }  # computed or asked for anew  # fmt: skip
    by_way = {"campaigns.Campaign"}  # of CampaignTarget
    refer = {
        field.model._meta.label
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model is Target
    }
    refer = {label for label in refer if not label.rpartition(".")[2].startswith("Historical")}
    assert refer - by_way == moved | derived
    assert set(merging._repoints) == {"partners", "campaigns", "booking"}


def test_campaigns_slots_bookings_and_notices_move_with_their_history(world, known):
    world.claim("chile")
    booking, notice = (
        Booking.objects.get(),
        Notice.objects.create(user=world.lead, event=Event.objects.first(), title="{target}", target=world.target),
    )
    merge_targets(known.pk, world.target.pk)
    assert world.reload().target == known
    assert Slot.history.first().target_id == known.pk
    booking.refresh_from_db()
    notice.refresh_from_db()
    assert (booking.target, booking.state, notice.target) == (known, "held", known)
    assert list(CampaignTarget.objects.values_list("target_id", flat=True)) == [known.pk]
    world.claim("canary")  # what is claimed now is of the kept target
    assert not Booking.objects.exclude(target=known).exists()


def test_a_campaign_that_holds_both_holds_one(world, known):
    CampaignTarget.objects.create(campaign=world.campaign, target=known)
    merge_targets(known.pk, world.target.pk)
    assert CampaignTarget.objects.get().target == known


def test_a_merged_candidate_leaves_nothing_behind(known, candidate):
    orbit = with_orbit(known, "a", "2026-01-01")
    merge_targets(known.pk, candidate.pk)
    known.refresh_from_db()
    assert (known.current_orbit, known.is_marked, known.visibility) == (orbit, True, "public")
    assert set(known.designations.values_list("text", flat=True)) == {"2030 KN1", "P21xyz1"}
    assert known.candidates.get().temporary_designation == "P21xyz1"
    assert not Target.objects.filter(pk=candidate.pk).exists()


@pytest.mark.parametrize(("theirs", "better"), [("2026-02-01", "b"), ("2025-02-01", "a")])
def test_the_better_of_the_two_orbits_is_the_current_one(known, candidate, theirs, better):
    with_orbit(known, "a", "2026-01-01")
    with_orbit(candidate, "b", theirs)
    merge_targets(known.pk, candidate.pk)
    known.refresh_from_db()
    assert known.current_orbit.fingerprint == better
    assert known.orbits.count() == 2
    assert Event.objects.filter(kind="orbit.updated").exists() == (better == "b")


def test_the_same_orbit_is_kept_once(known, candidate):
    with_orbit(known, "a", "2026-01-01")
    with_orbit(candidate, "a", "2026-01-01")
    merge_targets(known.pk, candidate.pk)
    assert known.orbits.count() == 1


def test_what_was_told_of_the_merged_target_is_told_of_the_kept_one(known, candidate):
    Event.objects.create(kind="target.candidate_added", subject="target:0", payload={"target": candidate.pk, "a": 1})
    merge_targets(known.pk, candidate.pk)
    assert Event.objects.get(kind="target.candidate_added").payload == {"target": known.pk, "a": 1}


def test_two_permanent_numbers_are_two_objects_and_a_target_is_not_merged_with_itself(known):
    with pytest.raises(DomainError, match="Two permanent numbers"):
        merge_targets(called("1234567", "number").pk, called("1234568", "number").pk)
    with pytest.raises(DomainError, match="itself"):
        merge_targets(known.pk, known.pk)


def test_who_has_to_decide_sees_before_what_moves(world, known):
    world.claim("chile")
    Notice.objects.create(user=world.lead, event=Event.objects.first(), title="{target}", target=world.target)
    with_orbit(known, "a", "2026-01-01")
    with_orbit(world.target, "b", "2026-02-01")
    known.refresh_from_db()
    world.target.refresh_from_db()
    preview = preview_merge(known, world.target)
    assert preview.moves == {
        "designations": 0, "orbits": 1, "risk assessments": 0, "close approaches": 0, "facts as a candidate": 0,
        "notices": 1, "campaigns": 1, "slots": 1, "bookings": 1, "windows": 0,
    }  # fmt: skip
    assert (preview.current_orbit.fingerprint, preview.conflict, preview.opens) == ("b", "", False)
    kept = merge_targets(known.pk, world.target.pk, reason="MPEC 2026-W01")
    assert kept.current_orbit == preview.current_orbit
    assert kept.history.first().history_change_reason == "merged with 2026 AB1: MPEC 2026-W01"


def test_the_preview_says_what_is_in_the_way_and_who_learns_of_it(known, candidate):
    assert preview_merge(known, candidate).opens
    assert preview_merge(candidate, known).hides
    assert "Two permanent numbers" in preview_merge(called("1234567", "number"), called("1234568", "number")).conflict


def test_people_merge_as_administrators_only(world, known):
    with pytest.raises(ForbiddenError):
        merge_targets(known.pk, world.target.pk, actor=world.lead)
    with pytest.raises(UnknownError):
        merge_targets(known.pk, 10**9)


def test_numbers_stay_then_provisional_designations_then_who_was_here_first(known, candidate):
    numbered, later = called("1234567", "number"), called("2030 KN2", "provisional")
    assert in_order_of_staying([candidate, later, numbered, known]) == [numbered, known, later, candidate]

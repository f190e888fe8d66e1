"""What scheduled jobs make of what providers say: appear, change, leave; and nothing of what cannot be true."""

import datetime as dt
import errno
import socket

import pytest

from coordination.common import jobs
from coordination.common.models import Event, QuarantinedReply, RunRecord, SourceState
from targets.jobs import asking
from targets.jobs import orbits as jobs_of_orbits
from targets.models import Candidate, CloseApproach, Designation, Orbit, OrbitCheck, RiskAssessment, Target
from targets.services.joining import join_named

from .conftest import START, target

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)


def kinds(prefix: str = "") -> list[str]:
    return list(Event.objects.filter(kind__startswith=prefix).order_by("pk").values_list("kind", flat=True))


# --- orbits


def test_a_tracked_target_gets_its_orbit_with_the_covariance_and_a_version_only_when_the_solution_changed(
    run, providers, clock
):
    synthetica = target("990001")
    record = run("refresh_orbits")
    assert (record.state, record.counts["fetched"], record.counts["changed"]) == ("succeeded", 1, 1)
    synthetica.refresh_from_db()
    orbit = synthetica.current_orbit
    assert (orbit.source, orbit.reference, orbit.observation_count) == ("sbdb", "JPL#12", 240)
    assert orbit.covariance["labels"][-1] == "A2"
    assert orbit.solved_at == dt.datetime(2026, 11, 20, 16, 15, 30, tzinfo=dt.UTC)  # published in Pacific time
    assert {"2030 AA", "Synthetica"} <= set(synthetica.designations.values_list("text", flat=True))
    clock.shift(DAY)
    assert run("refresh_orbits").counts["changed"] == 0
    providers.state.edit(
        {
            "bodies.990001.solution_id": "13",
            "bodies.990001.solved_at": "2026-11-25 09:00:00",
            "bodies.990001.e": 0.30001,
        }
    )
    clock.shift(DAY)
    assert run("refresh_orbits").counts["changed"] == 1
    assert list(Orbit.objects.order_by("pk").values_list("reference", flat=True)) == ["JPL#12", "JPL#13"]
    synthetica.refresh_from_db()
    assert synthetica.current_orbit.reference == "JPL#13"
    assert kinds("orbit.") == ["orbit.updated", "orbit.updated"]


def test_only_tracked_targets_are_asked_for_and_those_once_a_day(run, providers, clock):
    target("990001")
    Target.objects.create(designation="2030 BB1")
    run("refresh_orbits")
    clock.shift(dt.timedelta(hours=1))
    run("refresh_orbits")
    assert providers.calls["sbdb"] == 1
    clock.shift(DAY)
    run("refresh_orbits")
    assert providers.calls["sbdb"] == 2


def test_close_to_the_earth_an_orbit_is_asked_for_every_hour(run, providers, clock):
    synthetica = target("990001")
    CloseApproach.objects.create(target=synthetica, at=START + DAY, tdb_jd=2461370.0, distance_au=0.01)
    for _ in range(3):
        run("refresh_orbits")
        clock.shift(dt.timedelta(hours=1))
    assert providers.calls["sbdb"] == 3


def test_a_designation_that_means_two_objects_is_not_guessed(run, providers):
    target("2030 BB1")
    providers.state.aliases["2030 BB1"] = ["990001", "2030 BB1"]
    record = run("refresh_orbits")
    assert record.findings == [
        {
            "object": "2030 BB1",
            "why": "sbdb: several objects match",
            "candidates": ["990001", "2030 BB1"],
        }
    ]
    assert OrbitCheck.objects.get().candidates == ["990001", "2030 BB1"]
    assert not Orbit.objects.exists()


def test_a_solution_that_was_put_back_is_quarantined_and_the_newer_one_stays(run, providers, clock):
    target("990001")
    run("refresh_orbits")
    providers.state.edit(
        {"bodies.990001.solution_id": "11", "bodies.990001.solved_at": "2026-11-01 08:00:00", "bodies.990001.e": 0.31}
    )
    clock.shift(DAY)
    record = run("refresh_orbits")
    assert record.counts["failed"] == 1
    assert Orbit.objects.count() == 1
    assert "older than the one before" in QuarantinedReply.objects.get().reason


def test_when_a_provider_is_down_the_job_stops_asking_and_goes_on_later_with_who_is_left(run, providers, clock):
    for number in range(6):
        target(f"99100{number}")
    providers.misbehave("sbdb", "503", retry_after_s=0)
    record = run("refresh_orbits")
    assert (record.state, record.counts["left"]) == ("failed", 3)
    assert "left alone until" in record.message
    assert providers.calls["sbdb"] == 3
    providers.behave()
    clock.shift(dt.timedelta(hours=1))
    assert run("refresh_orbits").state == "succeeded"
    assert providers.calls["sbdb"] == 9


def asking_jobs() -> list[str]:
    """Those that ask somebody though no target has positions yet, which would be compared."""
    return [job.name for job in jobs.registered() if job.sources and job.name != "compare_ephemerides"]


def test_offline_nothing_is_sent_and_each_run_says_so_once(run, providers, settings):
    settings.PROVIDERS_OFFLINE = ["all"]
    for number in range(5):
        target(f"99100{number}")
    asking = asking_jobs()
    assert {"refresh_orbits", "refresh_neocp", "refresh_earth_orientation"} < set(asking)
    for times in (1, 2):
        for job in jobs.registered():
            record = run(job.name)
            assert (record.state, record.findings) == ("offline" if job.name in asking else "succeeded", [])
        records = RunRecord.objects.filter(state="offline").values_list("job", flat=True)
        assert sorted(records) == sorted(asking * times)
    assert not providers.calls
    assert not SourceState.objects.filter(failures__gt=0).exists()


@pytest.mark.parametrize(
    "error",
    [socket.gaierror(socket.EAI_AGAIN, "no server of names answers"), OSError(errno.ENETUNREACH, "no way out")],
    ids=["names", "routes"],
)
def test_without_a_network_each_run_says_so_once_and_asks_for_no_further_object(run, settings, monkeypatch, error):
    settings.PROVIDER_URLS, settings.PROVIDER_ATTEMPTS = {}, 3
    tried = []

    def connect(address, *further, **named):
        tried.append(address)
        raise error

    monkeypatch.setattr(socket, "create_connection", connect)
    for number in range(5):
        target(f"99100{number}")
    asking = asking_jobs()
    for name in asking:
        record = run(name)
        assert (record.state, record.findings) == ("offline", [])
        assert "no network" in record.message
    assert len(tried) == len(asking)
    assert RunRecord.objects.filter(state="offline").count() == len(asking)
    assert not SourceState.objects.filter(failures__gt=0).exists()


def test_a_name_that_does_not_exist_is_a_failure_of_that_provider(run, settings, monkeypatch):
    settings.PROVIDER_URLS = {}

    def connect(address, *further, **named):
        raise socket.gaierror(socket.EAI_NONAME, "there is no such name")

    monkeypatch.setattr(socket, "create_connection", connect)
    assert run("refresh_risk").state == "failed"
    assert SourceState.objects.get(pk="sentry").failures == 1


def test_where_many_are_due_one_question_tells_which_solutions_have_changed(run, providers, clock):
    for number in range(jobs_of_orbits.MANY):
        providers.state.edit({f"bodies.{des}": {"des": des} for des in [f"2031 A{number}"]})
        target(f"2031 A{number}")
    run("refresh_orbits")
    assert (providers.calls["sbdb"], providers.calls["sbdb_query"]) == (jobs_of_orbits.MANY, 0)
    providers.state.edit(
        {
            "bodies.2031 A3.solution_id": "13",
            "bodies.2031 A3.solved_at": "2026-11-24 09:00:00",
            "bodies.2031 A3.e": 0.30001,
            "bodies.2031 A5.h_mag": 20.5,
        }
    )
    clock.shift(DAY)
    record = run("refresh_orbits")
    assert (providers.calls["sbdb"], providers.calls["sbdb_query"]) == (jobs_of_orbits.MANY + 2, 1)
    assert (record.counts["fetched"], record.counts["unchanged"]) == (2, jobs_of_orbits.MANY - 2)
    assert set(OrbitCheck.objects.values_list("answered_at", flat=True)) == {START + DAY}
    assert Target.objects.get(designation="2031 A3").current_orbit.reference == "JPL#13"
    assert Target.objects.get(designation="2031 A5").current_orbit.h_mag == 20.5


def test_without_the_list_of_solutions_each_orbit_is_asked_for(run, providers, clock):
    for number in range(jobs_of_orbits.MANY):
        providers.state.edit({f"bodies.{des}": {"des": des} for des in [f"2031 A{number}"]})
        target(f"2031 A{number}")
    run("refresh_orbits")
    providers.misbehave("sbdb_query", "html")
    clock.shift(DAY)
    record = run("refresh_orbits")
    assert (record.state, record.counts["fetched"]) == ("succeeded", jobs_of_orbits.MANY)
    assert "sbdb_query" in record.message


# --- the catalogue


def test_the_catalogue_brings_new_objects_and_leaves_better_orbits_alone(run, providers, clock):
    target("990001")
    run("refresh_orbits")
    record = run("refresh_catalogue")
    assert (record.state, record.counts["created"]) == ("succeeded", 2)
    assert Target.objects.get(designation="2030 BB1").current_orbit.source == "mpc"
    assert Target.objects.get(designation="990001").current_orbit.source == "sbdb"  # it knows its covariance
    clock.shift(7 * DAY)
    assert run("refresh_catalogue").counts["changed"] == 0


# --- risk


def test_who_comes_onto_the_risk_list_is_tracked_with_its_orbit_and_every_version_is_kept(run, providers, clock):
    assert run("refresh_risk").counts["introduced"] == 1
    bb1 = Target.objects.get(designation="2030 BB1")
    assert bb1.current_orbit.source == "sbdb"
    assert run("refresh_risk").counts["changed"] == 0
    providers.state.edit({"bodies.2030 BB1.impact_probability": 8e-5})
    clock.shift(DAY)
    run("refresh_risk")
    versions = RiskAssessment.objects.order_by("pk").values_list("impact_probability", "assessed_at", "ended_at")
    assert list(versions) == [(3.1e-5, START, START + DAY), (8e-5, START + DAY, None)]
    assert kinds("target.risk") == ["target.risk_added", "target.risk_updated"]


def test_who_was_removed_from_the_risk_list_leaves_it_here(run, providers):
    run("refresh_risk")
    providers.state.edit({"bodies.990001.impact_probability": 1e-7})
    run("refresh_risk")
    providers.state.edit({"bodies.2030 BB1.impact_probability": None, "bodies.2030 BB1.removed": "2026-11-24 08:00:00"})
    record = run("refresh_risk")
    assert record.counts["left"] == 1
    assert RiskAssessment.objects.get(target__designation="2030 BB1").is_removal
    assert kinds("target.risk")[-1] == "target.risk_removed"


def test_who_is_missing_from_the_risk_list_without_having_been_removed_stays(run, providers):
    run("refresh_risk")
    providers.state.edit({"bodies.990001.impact_probability": 1e-7, "bodies.2030 BB1.impact_probability": None})
    record = run("refresh_risk")
    assert RiskAssessment.objects.filter(ended_at=None).count() == 2
    assert [found["object"] for found in record.findings] == ["2030 BB1"]


def test_a_risk_list_that_is_suddenly_empty_is_not_believed(run, providers):
    run("refresh_risk")
    providers.state.edit({"bodies.2030 BB1.impact_probability": None})
    assert run("refresh_risk").state == "failed"
    assert RiskAssessment.objects.filter(ended_at=None).count() == 1


# --- close approaches


def test_passages_come_change_and_go(run, providers, clock):
    run("refresh_close_approaches")
    passage = CloseApproach.objects.get()
    assert (passage.target.designation, passage.distance_au, passage.time_sigma_minutes) == ("990001", 0.0212, 2.0)
    assert abs(passage.at - dt.datetime(2027, 3, 16, 2, 28, 51, tzinfo=dt.UTC)) < dt.timedelta(seconds=2)  # TDB: 69 s
    assert run("refresh_close_approaches").counts["changed"] == 0
    changed = providers.state.bodies["990001"].approaches[0] | {"jd": "2461480.7", "dist": ".02121"}
    other = changed | {"jd": "2461500.5", "dist": ".03", "dist_min": ".029", "dist_max": ".031"}
    providers.state.bodies["990001"].approaches[:] = [changed, other]
    run("refresh_close_approaches")
    assert list(CloseApproach.objects.values_list("distance_au", flat=True)) == [0.02121, 0.03]
    assert CloseApproach.objects.first().pk == passage.pk  # the same passage, computed anew
    providers.state.bodies["990001"].approaches[:] = [changed]
    run("refresh_close_approaches")
    assert CloseApproach.objects.count() == 1
    assert kinds("target.approach") == ["target.approach_changed"] * 3


# --- several targets that are one object


def two_that_are_one(providers, **of_the_other) -> tuple[Target, Target]:
    """SBDB says that 2030 AA and 2030 BB1 are 990001 and 2030 BB1, and one object."""
    providers.state.edit({"bodies.990001.provisional": "2030 BB1", "bodies.2030 BB1": None})
    return target("990001"), target("2030 BB1", **of_the_other)


def test_two_targets_that_sbdb_says_to_be_one_are_merged(run, providers):
    numbered, provisional = two_that_are_one(providers, visibility="signed_in")
    record = run("refresh_orbits")
    assert (record.counts["merged"], record.counts["failed"], record.findings) == (1, 0, [])
    (found,) = Target.objects.all()
    assert (found, found.visibility) == (numbered, "public")
    assert {"990001", "2030 BB1"} <= set(found.designations.values_list("text", flat=True))
    assert found.current_orbit.reference == "JPL#12"
    assert Event.objects.get(kind="target.merged").payload == {"target": found.pk, "merged": provisional.pk}
    assert found.history.filter(history_change_reason__contains="by its provider's designations").exists()
    assert OrbitCheck.objects.get().problem == ""
    assert "merged" not in run("refresh_orbits").counts


@pytest.mark.parametrize(
    ("of_the_other", "number"), [({"visibility": "campaign"}, ""), ({"visibility": "public"}, "990077")]
)
def test_where_somebody_has_to_decide_both_are_listed_and_neither_is_touched(run, providers, of_the_other, number):
    numbered, provisional = two_that_are_one(providers, **of_the_other)
    if number:
        Designation.objects.create(target=provisional, text=number, key=number, kind="number")
    record = run("refresh_orbits")
    assert Target.objects.count() == 2
    assert not Orbit.objects.exists()
    assert record.findings[0]["candidates"] == ["2030 BB1", "990001"]
    assert OrbitCheck.objects.get(target=numbered).candidates == ["2030 BB1", "990001"]


def test_an_answer_about_something_else_merges_nothing(providers, clock):
    two_that_are_one(providers)
    record = asking.sbdb_record("990001")
    assert join_named({"2030 CC2": record}) == {}
    assert len(join_named({"990001": record})) == 1


# --- candidates


def test_candidates_are_for_signed_in_people_only(run, providers, client, signed_in_client):
    run("refresh_neocp")
    names = list(Candidate.objects.values_list("temporary_designation", flat=True))
    assert len(names) == 2
    for name in names:
        assert client.get(f"/api/v1/targets/{name}/").status_code == 404
        assert signed_in_client.get(f"/api/v1/targets/{name}/").status_code == 200


def test_the_page_and_scout_say_different_things_of_one_candidate(run, providers):
    run("refresh_neocp")
    run("refresh_scout")
    assert Candidate.objects.count() == 2
    candidate = Candidate.objects.order_by("temporary_designation").first()
    assert candidate.on_neocp
    assert candidate.on_scout
    assert (candidate.neo_score, candidate.uncertainty_arcmin) == (100, 14.0)
    assert candidate.scout_run_at == dt.datetime(2026, 11, 24, 10, 5, tzinfo=dt.UTC)
    assert kinds("target.candidate").count("target.candidate_added") == 2


def test_a_candidate_that_only_gets_older_is_no_news(run, providers):
    run("refresh_neocp")
    before = Event.objects.count()
    for candidate in providers.state.candidates.values():
        candidate.note, candidate.ra_h = "Updated Nov. 24.02 UT", 4.0
    assert run("refresh_neocp").counts["changed"] == 0
    assert Event.objects.count() == before


def test_an_earlier_run_of_scout_does_not_replace_a_later_one(run, providers):
    run("refresh_scout")
    for candidate in providers.state.candidates.values():
        candidate.last_run, candidate.rating = "2026-11-23 01:00", 4
    record = run("refresh_scout")
    assert record.counts["failed"] == 2
    assert not Candidate.objects.filter(impact_rating=4).exists()


def test_a_candidate_that_is_designated_becomes_public_under_its_designation(run, providers):
    run("refresh_neocp")
    name = next(iter(providers.state.candidates))
    before = Candidate.objects.get(temporary_designation=name).target_id
    providers.state.edit({"bodies.2030 CC": {"des": "2030 CC"}, f"candidates.{name}.designation": "2030 CC"})
    assert run("refresh_neocp").counts["designated"] == 1
    found = Target.objects.get(designation="2030 CC")
    assert (found.pk, found.visibility) == (before, "public")
    assert found.candidates.get().fate == "designated"
    run("refresh_orbits")  # just designated: its orbit is asked for at once
    found.refresh_from_db()
    assert found.current_orbit.reference == "JPL#12"


def test_a_candidate_that_turns_out_to_be_known_is_merged_into_that_target(run, providers):
    known = target("2030 BB1")
    run("refresh_neocp")
    run("refresh_orbits")
    name = next(iter(providers.state.candidates))
    providers.state.edit({f"candidates.{name}.designation": "2030 BB1"})
    run("refresh_neocp")
    known.refresh_from_db()
    assert set(known.designations.values_list("text", flat=True)) >= {"2030 BB1", name}
    assert Target.objects.filter(designations__text=name).get() == known
    assert kinds("target.merged") == ["target.merged"]


def test_a_candidate_of_which_nothing_becomes_is_given_up_after_a_week(run, providers, clock):
    run("refresh_neocp")
    name = next(iter(providers.state.candidates))
    providers.state.edit({f"candidates.{name}": None})
    assert run("refresh_neocp").counts["left"] == 1
    assert Candidate.objects.get(temporary_designation=name).fate == ""
    clock.shift(8 * DAY)
    assert run("refresh_neocp").counts["gone"] == 1
    assert Candidate.objects.get(temporary_designation=name).fate == "gone"


def test_a_candidate_that_may_be_several_objects_is_listed_with_them(run, providers):
    run("refresh_neocp")
    name = next(iter(providers.state.candidates))
    providers.state.edit({f"candidates.{name}": None, f"aliases.{name}": ["990001", "2030 BB1"]})
    (found,) = run("refresh_neocp").findings
    assert (found["object"], found["candidates"]) == (name, ["990001", "2030 BB1"])

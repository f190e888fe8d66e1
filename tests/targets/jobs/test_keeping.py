"""What is tracked, and what is kept for how long."""

import datetime as dt

import pytest

from coordination.campaigns.models import Campaign, CampaignTarget
from coordination.common import retention
from coordination.common.models import Event, QuarantinedReply, RunRecord
from observatories.models import Organisation
from targets.models import Candidate, CloseApproach, Orbit, RiskAssessment, Target
from targets.tracking import tracked_targets, urgent_targets

from .conftest import START

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
ELEMENTS = {"e": 0.2, "a_au": 1.4, "i_deg": 5.0, "node_deg": 1.0, "peri_deg": 2.0, "mean_anomaly_deg": 3.0}


def names(rows) -> set[str]:
    return set(rows.values_list("designation", flat=True))


def made(designation: str, **fields) -> Target:
    return Target.objects.create(designation=designation, **fields)


def campaign(target: Target, state: str, starts_in: dt.timedelta, ends_in: dt.timedelta) -> None:
    lead, _ = Organisation.objects.get_or_create(name="Lead", slug="lead")
    held = Campaign.objects.create(
        title=target.designation, slug=target.designation.replace(" ", "-").lower(), state=state, aim="ranging",
        lead_organisation=lead, starts_at=START + starts_in, ends_at=START + ends_in,
    )  # fmt: skip
    CampaignTarget.objects.create(campaign=held, target=target)


def test_which_targets_are_tracked_and_which_of_them_are_urgent(clock):
    made("unnoticed")
    made("marked", is_marked=True)
    risk = {"impact_probability": 1e-5, "palermo_cumulative": -4.0, "palermo_maximum": -4.0}
    RiskAssessment.objects.create(target=made("at risk"), **risk)
    RiskAssessment.objects.create(target=made("no longer"), **risk, ended_at=START, is_removal=True)
    for name, days in (("close now", 1), ("close soon", 59), ("close later", 61), ("just passed", -2), ("passed", -4)):
        CloseApproach.objects.create(target=made(name), at=START + days * DAY, tdb_jd=2461000.5, distance_au=0.01)
    campaign(made("in campaign"), "open", -DAY, DAY)
    campaign(made("campaign to come"), "open", 5 * DAY, 9 * DAY)
    campaign(made("campaign over"), "open", -9 * DAY, -DAY)
    campaign(made("draft"), "draft", -DAY, DAY)
    urgent = {"close now", "just passed", "in campaign"}
    assert names(urgent_targets()) == urgent
    assert names(tracked_targets()) == urgent | {"marked", "at risk", "close soon", "campaign to come"}


def test_what_is_old_is_removed_by_the_rule_and_nothing_else(run, clock, monkeypatch):
    target = made("2030 AB")
    clock.shift(-800 * DAY)
    for k in range(7):
        Orbit.objects.create(target=target, source="mpc", epoch_tdb_jd=2461000.5 + k, fingerprint=str(k), **ELEMENTS)
    clock.shift(800 * DAY)
    Target.objects.update(current_orbit=Orbit.objects.order_by("pk").first())
    for days in (-100, -10, 10):
        CloseApproach.objects.create(target=target, at=START + days * DAY, tdb_jd=2461000.5, distance_au=0.01)
    for days, name in ((70, "OLD0001"), (10, "NEW0001"), (70, "HELD001")):
        gone = {"fate": "gone", "left_at": START - days * DAY, "unlisted_at": START - days * DAY}
        Candidate.objects.create(target=made(name), temporary_designation=name, **gone)
    campaign(Target.objects.get(designation="HELD001"), "open", -DAY, DAY)
    for days in (100, 95, 1):
        RunRecord.objects.create(job="refresh_risk", state="succeeded", started_at=START - days * DAY)
    RunRecord.objects.create(job="refresh_orbits", state="failed", started_at=START - 100 * DAY)
    for days in (100, 1):
        QuarantinedReply.objects.create(source="sbdb", reason="x", digest=str(days), last_at=START - days * DAY)
    monkeypatch.setattr(retention, "MOST_RUN_RECORDS", 3)
    for seconds in range(5):
        RunRecord.objects.create(job="send_mail", state="failed", started_at=START - dt.timedelta(seconds=seconds))
    Event.objects.create(kind="unread", subject="x", created_at=START - 500 * DAY)
    counts = run("clean_up").counts
    removed = {name: counts[name] for name in ("orbit_versions", "close_approaches", "candidates", "run_records")}
    assert removed == {"orbit_versions": 1, "close_approaches": 1, "candidates": 1, "run_records": 4}
    assert (counts["quarantined_replies"], counts["events"]) == (1, 0)
    assert names(Target.objects) == {"2030 AB", "NEW0001", "HELD001"}
    assert RunRecord.objects.filter(job="refresh_orbits").exists()  # the last of its job
    assert run("clean_up").counts["changed"] == 0


def test_the_api_says_risk_passages_and_the_age_of_the_orbit(run, providers, client, clock):
    run("refresh_risk")
    run("refresh_close_approaches")
    bb1 = client.get("/api/v1/targets/2030 BB1/").json()
    assert bb1["risk"]["impact_probability"] == 3.1e-5
    assert bb1["close_approaches"] == []
    assert bb1["orbit_check"] is None
    run("refresh_orbits")
    clock.shift(DAY)
    providers.misbehave("sbdb", "500")
    run("refresh_orbits")
    check = client.get("/api/v1/targets/2030 BB1/").json()["orbit_check"]
    assert check == {"answered_at": "2026-11-24T12:00:00Z", "asked_at": "2026-11-25T12:00:00Z"}
    (passage,) = client.get("/api/v1/targets/990001/").json()["close_approaches"]
    assert passage["distance_au"] == 0.0212

"""Our positions beside those of Horizons: what is recorded, when there is an alarm, and whose positions are used."""

import datetime as dt

import numpy as np
import pytest

from coordination.common import jobs
from coordination.common.models import Event, QuarantinedReply, RunRecord
from coordination.common.problems import DomainError
from targets.models import Ephemeris, EphemerisComparison, HorizonsTable, Orbit, OrbitCheck, Target
from targets.orbits.blocks import EphemerisBlocks
from targets.orbits.trust import Trust
from targets.services import comparing
from targets.services.ephemerides import refresh_ephemerides
from targets.services.horizons import choose_ephemeris_source, solution_over
from targets.services.merging import merge_targets

from .conftest import START, target

pytestmark = pytest.mark.django_db

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NIGHTS = 5


@pytest.fixture(autouse=True)
def patient(settings):
    settings.PLANNING_HORIZON_NIGHTS = NIGHTS


@pytest.fixture
def synthetica(run, providers, settings) -> Target:
    """With JPL's orbit and positions of today."""
    settings.PROVIDER_TIMEOUT_S = 20.0  # Horizons integrates
    return known("990001", run)


def known(designation: str, run) -> Target:
    created = target(designation)
    assert run("refresh_orbits").findings == []
    refresh(created)
    created.refresh_from_db()
    return created


def refresh(*targets: Target) -> Ephemeris:
    """As the plan of windows does; the ephemeris of the last."""
    from coordination.common import clock

    span = comparing.compared_span(clock.now())
    refresh_ephemerides([each.pk for each in targets], span, 99.0, "test")
    return Ephemeris.objects.get(target=targets[-1])


def late(providers, designation: str, seconds: float) -> None:
    """According to Horizons it is behind by so much."""
    providers.state.edit({f"bodies.{designation}.horizons_late_s": seconds})


def asked(providers) -> int:
    return providers.calls["horizons"]


def kinds(prefix: str) -> list[str]:
    return list(Event.objects.filter(kind__startswith=prefix).order_by("pk").values_list("kind", flat=True))


def place(ephemeris: Ephemeris) -> np.ndarray:
    blocks = EphemerisBlocks.from_bytes(bytes(ephemeris.blocks))
    (cirs,), *_ = blocks.evaluate([blocks.start_tt_mjd + 2.0])
    return cirs[0] / np.linalg.norm(cirs[0])


def apart_arcsec(one: Ephemeris, other: Ephemeris) -> float:
    return float(np.degrees(np.linalg.norm(place(one) - place(other))) * 3600.0)


# --- comparing


def test_the_same_solution_gives_the_same_positions_and_that_is_recorded(run, providers, synthetica):
    record = run("compare_ephemerides")
    assert (record.state, record.counts["fetched"], record.counts["failed"]) == ("succeeded", 1, 0)
    found = EphemerisComparison.objects.get()
    assert (found.is_within, found.solution, found.orbit) == (True, "JPL#12", synthetica.current_orbit)
    assert found.difference_arcsec < 0.001
    assert found.tolerance_arcsec == 1.0  # whatever the covariance says: it is the same solution
    assert (found.ends_at - found.starts_at, found.compared_at) == ((NIGHTS + 2) * DAY, START)
    assert asked(providers) == 1
    assert not HorizonsTable.objects.exists()
    assert kinds("target.ephemeris") == []


def test_once_a_day_and_sooner_only_after_another_orbit_or_a_failure(run, providers, synthetica, clock):
    run("compare_ephemerides")
    clock.shift(HOUR)
    run("compare_ephemerides")
    assert asked(providers) == 1
    Target.objects.update(current_orbit=Orbit.objects.create(
        target=synthetica, source="mpc", epoch_tdb_jd=2461400.5, fingerprint="x", e=0.3, a_au=9 / 7, i_deg=5.0,
        node_deg=40.0, peri_deg=70.0, mean_anomaly_deg=68.0, h_mag=19.0,
    ))  # fmt: skip
    run("compare_ephemerides")
    assert asked(providers) == 2
    clock.shift(DAY)
    providers.misbehave("horizons", "500")
    run("compare_ephemerides")
    providers.behave()
    clock.shift(HOUR)
    assert run("compare_ephemerides").counts["fetched"] == 1
    clock.shift(HOUR)
    assert run("compare_ephemerides").counts["fetched"] == 0


def test_a_difference_beyond_the_tolerance_is_an_alarm_once_until_it_is_over(
    run, providers, synthetica, clock, client, settings
):
    settings.HORIZONS_TOLERANCE_ARCSEC = 0.5
    run("compare_ephemerides")
    late(providers, "990001", 120.0)
    for _ in range(2):
        clock.shift(DAY)
        record = run("compare_ephemerides")
        assert (record.state, record.counts["differing"]) == ("succeeded", 1)
        (finding,) = record.findings
        assert (finding["object"], "from Horizons (JPL#12)" in finding["why"]) == ("990001", True)
    found = EphemerisComparison.objects.get()
    assert (found.is_within, found.tolerance_arcsec) == (False, 0.5)
    assert 0.5 < found.difference_arcsec < 10.0
    assert kinds("target.ephemeris") == ["target.ephemeris_differs"]
    told = client.get("/api/v1/targets/990001/").json()["ephemeris_comparison"]
    assert (told["is_within"], told["difference_arcsec"]) == (False, found.difference_arcsec)
    assert client.get("/health/", headers={"Accept": "application/json"}).json()["ephemerides"] == {"differing": 1}
    late(providers, "990001", 0.0)
    clock.shift(DAY)
    run("compare_ephemerides")
    assert kinds("target.ephemeris") == ["target.ephemeris_differs", "target.ephemeris_agrees"]
    assert EphemerisComparison.objects.get().is_within


def test_another_solution_of_jpl_is_asked_for_before_it_is_judged(run, providers, synthetica, clock):
    """Horizons knew it some minutes earlier than we did: no reason to alarm anybody."""
    providers.state.edit(
        {"bodies.990001.solution_id": "13", "bodies.990001.solved_at": "2026-11-24 05:00:00", "bodies.990001.e": 0.3001}
    )
    clock.shift(HOUR)
    assert run("compare_ephemerides").counts["failed"] == 0
    found = EphemerisComparison.objects.get()
    assert (found.awaits_orbit, found.is_within, found.solution) == (True, None, "JPL#13")
    assert found.difference_arcsec > 1.0
    assert run("refresh_orbits").counts["changed"] == 1  # not a day later
    clock.shift(HOUR)
    run("compare_ephemerides")
    found.refresh_from_db()
    assert (found.awaits_orbit, found.is_within) == (False, True)
    assert kinds("target.ephemeris") == []


def test_a_solution_that_sbdb_does_not_have_is_judged_all_the_same(run, providers, synthetica, clock):
    Orbit.objects.update(reference="JPL#11", e=0.3001)
    assert run("compare_ephemerides").counts["failed"] == 0
    OrbitCheck.objects.update_or_create(
        target=synthetica, defaults={"asked_at": START + HOUR, "answered_at": START + HOUR}
    )
    clock.shift(DAY)
    assert run("compare_ephemerides").counts["differing"] == 1
    assert kinds("target.ephemeris") == ["target.ephemeris_differs"]


def test_two_solutions_may_differ_by_as_much_as_ours_is_uncertain(run, providers, synthetica):
    Orbit.objects.update(source="mpc", reference="E2026-X", u_parameter="5", covariance=None)
    late(providers, "990001", 120.0)
    assert run("compare_ephemerides").findings == []
    found = EphemerisComparison.objects.get()
    assert found.is_within
    assert found.difference_arcsec > 1.0
    assert found.tolerance_arcsec > found.difference_arcsec


def test_each_answer_is_stored_when_it_is_there_and_a_killed_run_is_gone_on_with(
    run, providers, synthetica, clock, monkeypatch
):
    second = known("2030 CC2", run)
    stored = comparing.take_comparison

    def killed_after(target_id: int, *rest) -> bool:
        stored(target_id, *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(comparing, "take_comparison", killed_after)
    with pytest.raises(KeyboardInterrupt):
        jobs.run_job("compare_ephemerides")
    monkeypatch.undo()
    assert EphemerisComparison.objects.count() == 1
    assert run("compare_ephemerides").counts["fetched"] == 1
    assert asked(providers) == 2
    assert set(EphemerisComparison.objects.values_list("target", flat=True)) == {synthetica.pk, second.pk}


def test_when_horizons_is_down_the_job_stops_asking(run, providers, synthetica, clock):
    for k in range(4):
        providers.state.edit({f"bodies.2031 A{k}": {"des": f"2031 A{k}", "h_mag": 15.0}})
        target(f"2031 A{k}")
    run("refresh_orbits")
    refresh(*Target.objects.all())
    providers.misbehave("horizons", "503", retry_after_s=0)
    record = run("compare_ephemerides")
    assert (record.state, record.counts["left"], asked(providers)) == ("failed", 2, 3)
    providers.behave()
    clock.shift(HOUR)
    assert run("compare_ephemerides").counts["fetched"] == 5


def test_offline_it_says_so_once(run, providers, synthetica, settings):
    settings.PROVIDERS_OFFLINE = ["all"]
    record = run("compare_ephemerides")
    assert (record.state, record.findings) == ("offline", [])
    assert not EphemerisComparison.objects.exists()


def test_near_the_earth_finer_rows_are_asked_for(run, providers, settings):
    settings.PROVIDER_TIMEOUT_S = 20.0
    providers.state.edit({"bodies.2031 AB": {"des": "2031 AB", "h_mag": 18.0, **flyby()}})
    known("2031 AB", run)
    run("compare_ephemerides")
    steps = [params["STEP_SIZE"] for name, params, _ in providers.requests if name == "horizons"]
    assert len(steps) > 1
    assert steps[0].strip("'\"") == "6h"
    assert EphemerisComparison.objects.get().is_within


def test_a_path_that_jumps_is_quarantined(run, providers, synthetica, monkeypatch):
    from tests.providers import horizons as simulated

    states = simulated._states

    def jumping(body, times):
        position, velocity = states(body, times)
        position[len(times) // 2 :] += 1e-5
        return position, velocity

    monkeypatch.setattr(simulated, "_states", jumping)
    record = run("compare_ephemerides")
    assert "no smooth motion" in record.findings[0]["why"]
    assert "no smooth motion" in QuarantinedReply.objects.get().reason
    assert EphemerisComparison.objects.get().compared_at is None


# --- whose positions are used


def test_where_horizons_is_chosen_its_positions_are_used_until_it_is_chosen_no_longer(
    run, providers, synthetica, clock, client
):
    ours = Ephemeris.objects.get()
    late(providers, "990001", 3600.0)
    choose_ephemeris_source(synthetica.pk, "horizons")
    assert kinds("orbit.ephemeris") == []  # there is no table yet: ours is used
    assert refresh(synthetica).pk == ours.pk
    assert refresh(synthetica).computed_at == ours.computed_at
    run("compare_ephemerides")
    assert kinds("orbit.ephemeris") == ["orbit.ephemeris_changed"]
    theirs = refresh(synthetica)
    assert (theirs.source, theirs.solution, theirs.orbit_id) == ("horizons", "JPL#12", synthetica.current_orbit_id)
    assert 20.0 < apart_arcsec(theirs, ours) < 200.0
    assert theirs.sigma_major_arcsec == pytest.approx([0.18] * (NIGHTS + 3), abs=0.001)
    assert set(theirs.trust_levels) == {Trust.GOOD}
    assert EphemerisComparison.objects.get().is_within is False  # our orbit is still what is compared
    told = client.get("/api/v1/targets/990001/").json()
    assert (told["ephemeris"]["source"], told["ephemeris"]["solution"]) == ("horizons", "JPL#12")
    assert told["ephemeris_source"] == "horizons"
    clock.shift(HOUR)
    assert refresh(synthetica).computed_at == theirs.computed_at
    choose_ephemeris_source(synthetica.pk, "propagated")
    again = refresh(synthetica)
    assert (again.source, again.solution) == ("propagated", "")
    assert apart_arcsec(again, ours) < 0.001
    assert kinds("orbit.ephemeris") == ["orbit.ephemeris_changed"] * 2


def test_another_solution_of_horizons_gives_other_positions(run, providers, synthetica, clock):
    choose_ephemeris_source(synthetica.pk, "horizons")
    run("compare_ephemerides")
    first = refresh(synthetica)
    clock.shift(DAY)
    run("compare_ephemerides")
    assert kinds("orbit.ephemeris") == ["orbit.ephemeris_changed"]  # a day more of the same
    providers.state.edit({"bodies.990001.solution_id": "13", "bodies.990001.horizons_late_s": 600.0})
    clock.shift(DAY)
    run("compare_ephemerides")
    second = refresh(synthetica)
    assert (first.solution, second.solution) == ("JPL#12", "JPL#13")
    assert kinds("orbit.ephemeris") == ["orbit.ephemeris_changed"] * 2


def test_where_our_orbit_is_unusable_horizons_takes_its_place_and_gives_it_back(run, providers, synthetica, clock):
    Orbit.objects.update(source="mpc", reference="", covariance=None, u_parameter="9", arc_days=1.0)
    Orbit.objects.update(last_observed_on=dt.date(2019, 1, 1))
    Ephemeris.objects.all().delete()
    assert Trust.UNUSABLE in refresh(synthetica).trust_levels
    run("compare_ephemerides")
    assert EphemerisComparison.objects.get().is_within is None
    theirs = refresh(synthetica)
    assert (theirs.source, set(theirs.trust_levels)) == ("horizons", {Trust.GOOD})
    better = synthetica.current_orbit
    better.pk, better.fingerprint = None, "better"
    better.source, better.reference, better.u_parameter = "sbdb", "JPL#12", "1"
    better.arc_days, better.last_observed_on = 900.0, START.date()
    better.save()
    Target.objects.update(current_orbit=better)
    assert refresh(synthetica).source == "propagated"  # as soon as the orbit is there
    clock.shift(DAY)
    run("compare_ephemerides")
    assert not HorizonsTable.objects.exists()
    assert EphemerisComparison.objects.get().is_within


def test_without_a_covariance_horizons_is_trusted_little(run, providers, synthetica):
    providers.state.edit({"bodies.990001.has_covariance": False})
    choose_ephemeris_source(synthetica.pk, "horizons")
    run("compare_ephemerides")
    theirs = refresh(synthetica)
    assert (set(theirs.trust_levels), theirs.sigma_major_arcsec) == ({Trust.POOR}, None)


def test_where_the_table_does_not_reach_our_orbit_is_used(run, providers, synthetica, clock):
    choose_ephemeris_source(synthetica.pk, "horizons")
    run("compare_ephemerides")
    assert refresh(synthetica).source == "horizons"
    clock.shift(2 * DAY)
    assert refresh(synthetica).source == "horizons"
    clock.shift(10 * DAY)
    assert refresh(synthetica).source == "propagated"
    table = HorizonsTable.objects.get()
    assert solution_over(synthetica.pk, table.starts_at + 4 * DAY, table.ends_at - 4 * DAY) == "JPL#12"
    assert solution_over(synthetica.pk, table.starts_at, table.ends_at) == ""
    run("compare_ephemerides")
    assert refresh(synthetica).source == "horizons"


def test_what_is_no_source_is_refused_and_the_same_again_is_no_change(synthetica):
    with pytest.raises(DomainError, match="no source"):
        choose_ephemeris_source(synthetica.pk, "oracle")
    before = Event.objects.count()
    choose_ephemeris_source(synthetica.pk, "automatic")
    assert Event.objects.count() == before


def test_a_merged_target_keeps_the_choice(run, providers, synthetica):
    other = target("2030 AA9")
    choose_ephemeris_source(other.pk, "horizons")
    merge_targets(synthetica.pk, other.pk)
    synthetica.refresh_from_db()
    assert synthetica.ephemeris_source == "horizons"
    assert RunRecord.objects.exists()


def flyby() -> dict[str, float]:
    """Elements of something that passes the Earth within the planning horizon."""
    from targets.orbits.elements import OrbitBatch, state_to_keplerian
    from targets.orbits.planets import default_planets
    from targets.orbits.propagation import propagate

    planets, at = default_planets(), 61371.0  # 2026-11-28
    earth, earth_velocity = planets.state("earth", at)
    sun, sun_velocity = planets.state("sun", at)
    state = np.concatenate([earth - sun + [0.0, 0.0, 0.002], earth_velocity - sun_velocity + [0.004, 0.002, 0.0]])
    before = propagate(OrbitBatch.from_state(["x"], at, state), at - 40.0, at, planets).state_at(at - 40.0)
    ((a, e, i, node, peri, m),) = state_to_keplerian(before)
    since = m * a**1.5 / 0.9856076686
    period = 360.0 * a**1.5 / 0.9856076686
    found = {
        "epoch_tdb_jd": at - 40.0 + 2400000.5, "e": e, "q_au": a * (1 - e), "i_deg": i, "node_deg": node,
        "peri_deg": peri, "tp_tdb_jd": at - 40.0 + 2400000.5 - (since if since < period / 2 else since - period),
    }  # fmt: skip
    return {name: float(value) for name, value in found.items()}

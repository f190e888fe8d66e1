"""A list costs the same number of queries however many rows it has: every list of the OpenAPI document, with rows of
its kind and with three times as many.
"""

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coordination.booking.models import TelescopeGrant
from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.common import following
from coordination.common.models import Event
from coordination.partners.models import Notice, Webhook, WebhookDelivery
from coordination.visibility.models import WindowComputation
from observatories.models import Closure, Membership
from targets.models import Ephemeris, Orbit, Target
from tests.coordination.booking.conftest import HOUR, World, make_seats, make_slot, make_telescope, make_world

from .document import operations
from .house import add_computation, add_window

pytestmark = pytest.mark.django_db
LISTS = sorted(operation.name for operation in operations() if operation.is_list)


def campaign(world: World, number: int) -> None:
    made = Campaign.objects.create(
        title=f"Campaign {number}", slug=f"campaign-{number}", kind=Campaign.Kind.RANGING, state=Campaign.State.OPEN,
        aim="x", lead_organisation=world.organisations["chile"], starts_at=world.campaign.starts_at,
        ends_at=world.campaign.ends_at, observation_minutes=30,
    )  # fmt: skip
    CampaignTarget.objects.create(campaign=made, target=world.target)
    for organisation in world.organisations.values():
        Participation.objects.create(campaign=made, organisation=organisation, state=Participation.State.JOINED)


def slot(world: World, number: int) -> None:
    """With seats, a claim and bookings."""
    before = world.slot, world.seats
    world.slot = make_slot(world.campaign, world.target, world.slot.starts_at + (number + 2) * HOUR)
    world.seats = make_seats(world.slot, world.telescopes)
    world.claim("chile")
    world.claim("canary")
    world.slot, world.seats = before


def closure(world: World, number: int) -> None:
    start = world.slot.starts_at - (number + 2) * 30 * HOUR
    Closure.objects.create(telescope=world.telescopes["chile"], starts_at=start, ends_at=start + HOUR, reason="coating")


def grant(world: World, number: int) -> None:
    TelescopeGrant.objects.create(
        telescope=world.telescopes["chile"], organisation=world.organisations["hawaii"], campaign=world.campaign,
        starts_at=world.slot.starts_at, ends_at=world.slot.ends_at,
    )  # fmt: skip


def event(world: World, number: int) -> None:
    """Those of a slot and its claims."""
    slot(world, number)
    following.number_events()


def notice(world: World, number: int) -> None:
    told = Event.objects.create(kind="slot.opened", subject=f"slot:{number}", payload={})
    Notice.objects.create(user=world.lead, event=told, title="{target} is on", target=world.target)


def telescope(world: World, number: int) -> None:
    make_telescope(world.organisations["chile"], f"place {number}", float(number), 10.0)


def target(world: World, number: int) -> None:
    observed(number)


def observed(number: int) -> Target:
    made = Target.objects.create(designation=f"2026 ZZ{number}")
    made.current_orbit = orbit_of(made)
    made.save()
    return made


def orbit_of(target: Target) -> Orbit:
    return Orbit.objects.create(
        target=target, source="mpc", epoch_tdb_jd=2461300.5, a_au=1.7, e=0.2, i_deg=5.0, node_deg=10.0, peri_deg=20.0,
        mean_anomaly_deg=30.0, h_mag=18.0, u_parameter="0",
    )  # fmt: skip


def window(world: World, number: int) -> None:
    made = observed(1000 + number)
    start = world.campaign.starts_at
    ephemeris = Ephemeris.objects.create(
        target=made, orbit=made.current_orbit, starts_at=start, ends_at=start + dt.timedelta(days=14), engine="x",
        earth_orientation="x", computed_at=start, trust_levels=[0] * 16,
    )  # fmt: skip
    for each in world.telescopes.values():
        add_window(made, each, made.current_orbit, ephemeris, start + (number + 1) * HOUR)


def computation(world: World, number: int) -> None:
    add_computation(world, observed(2000 + number), requested_by=world.lead)


def computed_window(world: World, number: int) -> None:
    """All of one computation, each of another target."""
    computation = WindowComputation.objects.first()
    made = add_computation(world, observed(2000 + number), requested_by=world.lead)
    if computation is not None:
        made.windows.update(computation=computation)
        made.delete()


def webhook(world: World, number: int) -> None:
    Webhook.objects.create(organisation=world.organisations["chile"], url=f"https://8.8.8.8/{number}")


def delivery(world: World, number: int) -> None:
    WebhookDelivery.objects.create(webhook=Webhook.objects.first(), subject=f"slot:{number}")


# How a row comes about that a list shows; a list that is missing here fails.
MAKE: dict[str, Callable[[World, int], None]] = {
    "observatories_list": telescope, "telescopes_list": telescope, "targets_list": target, "windows_list": window,
    "campaigns_list": campaign, "slots_list": slot, "claims_list": slot, "bookings_list": slot, "grants_list": grant,
    "closures_list": closure, "events_list": event, "notices_list": notice, "webhooks_list": webhook,
    "webhooks_deliveries_list": delivery, "window_computations_list": computation,
    "window_computations_windows_list": computed_window,
}  # fmt: skip


@pytest.fixture
def world(db) -> World:
    made = make_world()
    Membership.objects.update(role=Membership.Role.MANAGER)
    Webhook.objects.create(organisation=made.organisations["chile"], url="https://8.8.8.8/first")
    return made


def ask(world: World, path: str) -> tuple[int, int]:
    """Queries and rows of a page."""
    client = Client()
    client.force_login(world.lead)
    owner = WindowComputation if path.startswith("/api/v1/window-computations/") else Webhook
    path = path.replace("{id}", str(owner.objects.order_by("pk").first().pk))
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(path, {"limit": 100})
    assert answer.status_code == 200, answer.content
    return len(queries), len(answer.json()["results"])


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_number_of_queries_however_long_it_is(world, name):
    (operation,) = (each for each in operations() if each.name == name)
    make = MAKE[name]
    for number in range(2):
        make(world, number)
    few_queries, few = ask(world, operation.path)
    for number in range(2, 7):
        make(world, number)
    many_queries, many = ask(world, operation.path)
    assert few > 0
    assert many >= few + 5
    assert many_queries == few_queries

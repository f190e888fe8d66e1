"""A campaign of four organisations with a telescope each on four continents, and a slot to claim."""

import datetime as dt
from dataclasses import dataclass, field

import pytest

from coordination.booking.models import Booking, Claim, Seat, Slot
from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.common import clock
from coordination.common.models import Event
from observatories.models import Membership, Observatory, Organisation, Telescope, User
from targets.models import Target

# Name, longitude and latitude: far apart, and two of the last on one mountain.
PLACES = (("chile", -70.4, -24.6), ("canary", -17.9, 28.8), ("australia", 149.1, -31.3), ("hawaii", -155.5, 19.8))
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@dataclass
class World:
    """What the tests play with. `people`: a scheduler of each organisation, by its slug."""

    campaign: Campaign
    target: Target
    slot: Slot
    organisations: dict[str, Organisation]
    telescopes: dict[str, Telescope]
    people: dict[str, User]
    seats: dict[str, Seat] = field(default_factory=dict)

    def reload(self) -> Slot:
        self.slot.refresh_from_db()
        return self.slot

    def claim(self, slug: str, **further) -> Claim:
        from coordination.booking.services import claim_seats

        return claim_seats(
            self.slot.pk,
            self.organisations[slug].pk,
            seat_ids=[self.seats[slug].pk],
            actor=self.people[slug],
            **further,
        )

    @property
    def lead(self) -> User:
        return self.people["chile"]


def make_organisation(slug: str) -> tuple[Organisation, User]:
    organisation = Organisation.objects.create(name=f"Institute of {slug.title()}", slug=slug)
    person = User.objects.create_user(slug, f"{slug}@example.org", "pass-for-tests", is_staff=True)
    Membership.objects.create(user=person, organisation=organisation, role=Membership.Role.SCHEDULER)
    return organisation, person


def make_telescope(organisation: Organisation, name: str, longitude_deg: float, latitude_deg: float) -> Telescope:
    observatory = Observatory.objects.create(
        name=name.title(), longitude_deg=longitude_deg, latitude_deg=latitude_deg, height_m=2400.0
    )
    return Telescope.objects.create(
        observatory=observatory,
        organisation=organisation,
        name=f"1 m at {name}",
        aperture_m=1.0,
        field_width_deg=0.5,
        field_height_deg=0.5,
        limiting_v_mag=21.0,
    )


def make_world(begins_in: dt.timedelta = 24 * HOUR) -> World:
    now = clock.now().replace(microsecond=0)
    organisations, people, telescopes = {}, {}, {}
    for slug, longitude_deg, latitude_deg in PLACES:
        organisations[slug], people[slug] = make_organisation(slug)
        telescopes[slug] = make_telescope(organisations[slug], slug, longitude_deg, latitude_deg)
    target = Target.objects.create(designation="2026 AB1")
    campaign = Campaign.objects.create(
        title="Ranging of 2026 AB1",
        slug="ranging-2026-ab1",
        kind=Campaign.Kind.RANGING,
        state=Campaign.State.OPEN,
        aim="Its distance, at once.",
        lead_organisation=organisations["chile"],
        starts_at=now,
        ends_at=now + 10 * 24 * HOUR,
        observation_minutes=30,
    )
    CampaignTarget.objects.create(campaign=campaign, target=target)
    for organisation in organisations.values():
        Participation.objects.create(campaign=campaign, organisation=organisation, state=Participation.State.JOINED)
    slot = make_slot(campaign, target, now + begins_in)
    world = World(campaign, target, slot, organisations, telescopes, people)
    world.seats = make_seats(slot, telescopes)
    return world


def make_slot(campaign: Campaign, target: Target, starts_at: dt.datetime, **fields) -> Slot:
    given = {
        "state": Slot.State.OPEN,
        "min_sites": 2,
        "claim_deadline": starts_at - 12 * HOUR,
        "replacement_deadline": starts_at - 6 * HOUR,
        "room_starts_at": starts_at - HOUR,
        "room_ends_at": starts_at + 2 * HOUR,
        "ends_at": starts_at + 30 * MINUTE,
        **fields,
    }
    return Slot.objects.create(campaign=campaign, target=target, starts_at=starts_at, **given)


def make_seats(slot: Slot, telescopes: dict[str, Telescope]) -> dict[str, Seat]:
    return {
        slug: Seat.objects.create(
            slot=slot, telescope=telescope, observe_from=slot.starts_at, observe_until=slot.ends_at
        )
        for slug, telescope in telescopes.items()
    }


@pytest.fixture
def world(db) -> World:
    return make_world()


def events_of(kind: str) -> list[Event]:
    return list(Event.objects.filter(kind=kind).order_by("pk"))


def told(kind: str) -> set[str]:
    """Organisations whose people the latest event of a kind tells."""
    notice = events_of(kind)[-1].payload.get("notice", {})
    return set(Organisation.objects.filter(pk__in=notice.get("organisations", [])).values_list("slug", flat=True))


def active_bookings(world: World) -> list[Booking]:
    return list(Booking.objects.active().filter(claim__slot=world.slot))

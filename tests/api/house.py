"""A house full of secrets: an organisation that leads a campaign of its own participants on a target that only they may
know of, with rows of every kind; and what a test has to know to look for them. Every text that is private holds one of
`SECRETS`.

A new address finds what goes into its path and its query in `ROWS`, `PARAMETERS` and `QUERY`; what is missing there
fails the tests that go over all addresses.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection

from coordination.booking.models import Booking, Slot
from coordination.booking.services import book_telescope, grant_telescope
from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.common import clock, following
from coordination.feeds.models import CalendarFeed
from coordination.feeds.services import create_calendar
from coordination.partners.models import Notice, WebhookDelivery
from coordination.partners.services import create_token, create_webhook, ping_webhook, prepare_deliveries
from coordination.visibility.models import Computation, ComputedWindow, VisibilityWindow, WindowComputation
from coordination.visibility.storage import ensure_partitions
from observatories.models import Membership
from observatories.services import add_closure
from targets.designations import key_of
from targets.models import Designation, Ephemeris, Orbit, Target
from tests.coordination.booking.conftest import HOUR, World, make_organisation, make_seats, make_slot, make_world

HIDDEN, HIDDEN_NAME = "2031 QX77", "Sentinella"
CANDIDATE = "P21zenQ"  # of the confirmation page: for whoever is signed in
SECRETS = (HIDDEN, "2031QX77", HIDDEN_NAME, "K31Q77X", "classified")  # "classified" is in every private text
SAME_FOR_ALL = {"health", "api-schema"}  # they say nothing of any row, and take seconds
SCOPES = ("read", "claim", "manage", "report")


@dataclass
class House:
    world: World
    outsider: str  # a token with all scopes of an organisation that takes part in nothing
    insider: str  # the same of the lead
    there: dict[str, Any]  # keys of the private rows, by what they are

    def paths(self, name: str, parameters: frozenset[str]) -> list[dict[str, Any]]:
        """What to put into the path of an address, once for each private row. KeyError where nobody has said."""
        rooms = [key for key in ROWS if name.startswith(key)]
        if not rooms:
            return [{key: self.there[PARAMETERS[key]] for key in parameters}]
        room = max(rooms, key=len)
        found = []
        for row in ROWS[room]:
            filled = {key: self.there[value] for key, value in row.items()}
            filled |= {key: self.there[PARAMETERS[key]] for key in parameters - set(filled)}
            found.append({key: value for key, value in filled.items() if key in parameters})
        return found


# By the beginning of the address's name: rows to name in its path, each as parameter -> key of `House.there`.
ROWS: dict[str, list[dict[str, str]]] = {
    "observatory": [{"pk": "observatory"}],
    "telescope": [{"pk": "telescope"}],
    "target": [{"designation": "hidden"}, {"designation": "hidden_packed"}, {"designation": "hidden_name"}],
    "window-computation": [{"pk": "computation"}, {"pk": "personal_computation"}],
    "window-computation-windows": [{"id": "computation"}, {"id": "personal_computation"}],
    "webhook": [{"pk": "webhook"}],
    "notice": [{"pk": "notice"}],
    "campaign": [{"slug": "campaign"}],
    "slot": [{"pk": "slot"}, {"pk": "draft"}],
    "claim": [{"pk": "claim"}],
    "booking": [{"pk": "booking"}, {"pk": "local_booking"}],
    "grant": [{"pk": "grant"}],
    "closure": [{"pk": "closure"}],
    "api-problem": [{"name": "problem"}],
    "feeds:calendar": [{"secret": "no_secret"}],
    "web:target": [{"designation": "hidden"}, {"designation": "hidden_packed"}, {"designation": "hidden_name"}],
    "web:target-figure": [{"designation": "hidden", "figure": "windows", "ending": "svg"}],
    "web:campaign": [{"slug": "campaign"}],
    "web:campaign-figure": [{"slug": "campaign", "figure": "coverage", "ending": "csv"}],
    "web:telescope": [{"pk": "telescope"}],
    "web:telescope-figure": [{"pk": "telescope", "figure": "nights", "ending": "csv"}],
    "web:home-figure": [{"figure": "map", "ending": "svg"}],
    "dome-": [{"pk": "telescope", "night": "day"}],
    "dome-ephemeris": [{"pk": "booking"}, {"pk": "local_booking"}],
    "desk:": [{"pk": "telescope", "night": "day"}],
    "desk:target-": [{"pk": "hidden_target"}],
    "invitation": [{"key": "no_secret"}],
    "new-password": [{"uidb64": "no_user", "token": "no_secret"}],
    "vo:obsplan-day": [{"day": "day", "ending": "json"}, {"day": "day", "ending": "xml"}],
}
# Further parameters of paths.
PARAMETERS = {"seat": "seat", "designation": "hidden", "format": "json"}
# Parameters of queries and fields of bodies that name a private row; {name of the parameter: keys of `House.there`}.
QUERY: dict[str, list[str]] = {
    "target": ["hidden", "hidden_packed", "hidden_name"],
    "designation": ["hidden", "hidden_packed"],
    "name": ["hidden_name"],
    "campaign": ["campaign"],
    "slot": ["slot", "draft"],
    "telescope": ["telescope"],
    "organisation": ["lead"],
    "lead": ["lead"],
}
# What a parameter needs beside it; or an address, to tell anything.
BESIDE = {
    "targets_ephemeris": {"observatory": "observatory", "times": "instant"},
    "windows_explain": {"telescope": "telescope", "target": "hidden", "night": "day"},
    "windows_joint": {"telescopes": "telescopes", "target": "hidden"},
    "windows_last_chance": {"telescopes": "telescopes", "target": "hidden"},
}
# Fields of the examples of bodies that are put in the place of those of the example.
BODY = {
    "target": "hidden", "designation": "hidden", "campaign": "campaign", "slot": "slot", "telescope": "telescope",
    "organisation": "lead", "lead_organisation": "lead", "seats": "seats", "telescopes": "telescope_list",
    "targets": "hidden_list",
}  # fmt: skip


def make_house() -> House:
    world = make_world()
    lead = world.lead
    Membership.objects.filter(user=lead).update(role=Membership.Role.MANAGER)
    _hide(world)
    chile = world.telescopes["chile"].pk
    start = world.slot.starts_at + 5 * HOUR
    claim = world.claim("chile", note="classified note")
    world.claim("canary")
    booking = Booking.objects.get(claim=claim)
    local = book_telescope(
        chile, observe_from=start, observe_until=start + HOUR, hold=True, target_id=world.target.pk,
        purpose="classified purpose", actor=lead,
    )  # fmt: skip
    closure = add_closure(
        telescope_id=chile, starts_at=start + 2 * HOUR, ends_at=start + 3 * HOUR, reason="classified reason", actor=lead
    )
    grant = grant_telescope(
        chile, world.organisations["hawaii"].pk, starts_at=start, ends_at=start + HOUR, campaign_id=world.campaign.pk
    )
    draft = make_slot(
        world.campaign, world.target, world.slot.starts_at + 9 * HOUR, state="draft", notes="classified notes"
    )
    seats = make_seats(draft, {"chile": world.telescopes["chile"]})
    open_to_all = _public_campaign_on_it(world)
    own, notice = _partner_things(world)
    _windows(world)
    own |= _computations(world)
    elsewhere, person = make_organisation("elsewhere")
    Membership.objects.filter(user=person).update(role=Membership.Role.MANAGER)
    there = {
        "campaign": world.campaign.slug, "slot": world.slot.pk, "draft": draft.pk, "seat": seats["chile"].pk,
        "claim": claim.pk, "booking": booking.pk, "local_booking": local.pk, "closure": closure.pk, "grant": grant.pk,
        "telescope": chile, "telescopes": f"{chile},{world.telescopes['canary'].pk}", "telescope_list": [chile],
        "observatory": world.telescopes["chile"].observatory_id, "seats": [world.seats["hawaii"].pk],
        "hidden_list": [HIDDEN], "hidden_target": world.target.pk, "instant": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "hidden": HIDDEN, "hidden_packed": "K31Q77X", "hidden_name": HIDDEN_NAME, "lead": "chile", "notice": notice,
        "day": f"{world.slot.starts_at:%Y-%m-%d}", "json": "json", "xml": "xml", "problem": "conflict",
        "no_secret": "x" * 43, "no_user": "MQ", "windows": "windows", "coverage": "coverage", "nights": "nights",
        "map": "map", "svg": "svg", "csv": "csv", "outsider_slug": elsewhere.slug, "public_slot": open_to_all.pk, **own,
    }  # fmt: skip
    tokens = [create_token(one.pk, name="robot", scopes=SCOPES)[1] for one in (elsewhere, world.organisations["chile"])]
    return House(world, tokens[0], tokens[1], there)


def _hide(world: World) -> None:
    target, campaign = world.target, world.campaign
    target.designation, target.name, target.visibility = HIDDEN, HIDDEN_NAME, Target.Visibility.CAMPAIGN
    target.save()
    for text, kind in ((HIDDEN, "provisional"), (HIDDEN_NAME, "name")):
        Designation.objects.create(target=target, text=text, key=key_of(text), kind=kind)
    candidate = Target.objects.create(designation=CANDIDATE, visibility=Target.Visibility.SIGNED_IN)
    Designation.objects.create(target=candidate, text=CANDIDATE, key=key_of(CANDIDATE), kind="temporary")
    campaign.title, campaign.slug, campaign.aim = "classified title", "classified-campaign", "classified aim"
    campaign.visibility = Campaign.Visibility.PARTICIPANTS
    campaign.save()
    Slot.objects.update(notes="classified notes", reason="classified reason of the slot", middle_ra_deg=77.7)


def _public_campaign_on_it(world: World) -> Slot:
    """Everybody may know of the campaign, but not what it observes."""
    campaign = Campaign.objects.create(
        title="For everybody", slug="for-everybody", kind=Campaign.Kind.RANGING, state=Campaign.State.OPEN, aim="Open.",
        lead_organisation=world.organisations["chile"], starts_at=world.campaign.starts_at,
        ends_at=world.campaign.ends_at, observation_minutes=30,
    )  # fmt: skip
    CampaignTarget.objects.create(campaign=campaign, target=world.target)
    joined = Participation.State.JOINED
    Participation.objects.create(campaign=campaign, organisation=world.organisations["chile"], state=joined)
    slot = make_slot(campaign, world.target, world.slot.starts_at + 20 * HOUR, notes="classified notes")
    make_seats(slot, {"chile": world.telescopes["chile"]})
    return slot


def _partner_things(world: World) -> tuple[dict[str, Any], int]:
    """Webhook, deliveries, token, calendar and notices of the lead."""
    organisation = world.organisations["chile"]
    webhook = create_webhook(organisation.pk, url="https://8.8.8.8/classified", kinds=["slot"])
    create_token(organisation.pk, name="classified robot", scopes=["read"])
    delivery = ping_webhook(webhook.pk, actor=world.lead)
    log = [{"at": "2026-11-24T00:00:00Z", "status": "500", "ms": 1, "error": "classified error"}]
    WebhookDelivery.objects.filter(pk=delivery.pk).update(subject="classified:1", log=log)
    create_calendar(organisation.pk, kind=CalendarFeed.Kind.ORGANISATION, actor=world.lead)
    following.follow("notices")
    following.follow("webhooks", prepare_deliveries)
    notice = Notice.objects.filter(user=world.lead).first()
    assert notice is not None
    Notice.objects.update(text="classified text")
    return {"webhook": webhook.pk}, notice.pk


def _windows(world: World) -> None:
    """A stored window of the hidden target and one of the candidate; their orbits and ephemerides."""
    now = clock.now()
    whole = {"starts_at": now - 48 * HOUR, "ends_at": now + 14 * 24 * HOUR}
    Computation.objects.create(state=Computation.State.DONE, **whole)
    for target in Target.objects.all():
        orbit = Orbit.objects.create(
            target=target, source="mpc", reference="classified orbit" if target == world.target else "",
            epoch_tdb_jd=2461300.5, a_au=1.7, e=0.2,
            i_deg=5.0, node_deg=10.0, peri_deg=20.0, mean_anomaly_deg=30.0, h_mag=18.0, u_parameter="0",
            arc_days=1000.0, last_observed_on=now.date(),
        )  # fmt: skip
        Target.objects.filter(pk=target.pk).update(current_orbit=orbit)
        span = {"starts_at": now - 24 * HOUR, "ends_at": now + 14 * 24 * HOUR}
        levels = {"trust_levels": [0] * 16, "sigma_major_arcsec": [0.1] * 16, "sigma_minor_arcsec": [0.1] * 16}
        ephemeris = Ephemeris.objects.create(
            target=target,
            orbit=orbit,
            earth_orientation="x",
            engine="x",
            sigma_pa_deg=[0.0] * 16,
            sigma_flags=[0] * 16,
            computed_at=now,
            accuracy_arcsec=0.001,
            **span,
            **levels,
        )
        for number, telescope in enumerate(world.telescopes.values()):
            add_window(target, telescope, orbit, ephemeris, now + (number + 1) * HOUR)


def _computations(world: World) -> dict[str, Any]:
    """What the lead's system asked for, and what one of its people did."""
    world.target.refresh_from_db()
    owners: dict[str, dict[str, Any]] = {
        "computation": {"organisation": world.organisations["chile"]},
        "personal_computation": {"requested_by": world.lead},
    }
    return {name: add_computation(world, world.target, **owner).pk for name, owner in owners.items()}


def add_computation(world: World, target: Target, windows: int = 1, **owner: Any) -> WindowComputation:
    """One that is done, and could not compute the target everywhere."""
    at, name = world.slot.starts_at, "classified place"
    computation = WindowComputation.objects.create(
        state=WindowComputation.State.DONE, starts_at=at, ends_at=at + HOUR, finished_at=at, expires_at=at + 900 * HOUR,
        places=[{"name": name, "mpc_code": "", "telescope": None, "longitude_deg": 1.0, "latitude_deg": 2.0,
                 "height_m": 3.0, "limits": {}}],
        left_out=[{"target": target.pk, "reason": "classified reason of the computation"}], **owner,
    )  # fmt: skip
    figures = {field.name: 1.0 for field in ComputedWindow._meta.fields if field.get_internal_type() == "FloatField"}
    ComputedWindow.objects.bulk_create(
        ComputedWindow(
            computation=computation, target=target, orbit=target.current_orbit, place=0, place_name=name,
            night=at.date(), starts_at=at, ends_at=at + HOUR, peak_at=at, opened_by=1, closed_by=1, trust=0, **figures,
        ) for _ in range(windows)
    )  # fmt: skip
    return computation


def add_window(target: Target, telescope: Any, orbit: Orbit, ephemeris: Ephemeris, at: dt.datetime) -> None:
    night = at.date() + dt.timedelta(days=1)
    ensure_partitions(night, night)
    figures = {field.name: 1.0 for field in VisibilityWindow._meta.fields if field.get_internal_type() == "FloatField"}
    VisibilityWindow.objects.create(
        target=target, telescope=telescope, orbit=orbit, ephemeris=ephemeris, night=at.date(), night_ends_on=night,
        starts_at=at, ends_at=at + HOUR, opened_by=1, closed_by=1, peak_at=at + HOUR / 2,
        **figures | {"duration_s": 3600.0},
    )  # fmt: skip


def state_of_everything() -> dict[str, int]:
    """A checksum of every table of ours, so that no change goes unseen."""
    with connection.cursor() as cursor:
        names = [
            name
            for name in connection.introspection.table_names(cursor)
            if not name.startswith(("django_", "auth_", "axes_"))
        ]
        found = {}
        for name in names:
            cursor.execute(f'SELECT coalesce(sum(hashtextextended(t::text, 0)), 0) FROM "{name}" t')
            found[name] = int(cursor.fetchone()[0])
    return found

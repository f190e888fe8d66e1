"""Campaigns: drafts from templates, participants, and who may know of what."""

import datetime as dt

import pytest

from coordination.campaigns.models import Campaign
from coordination.campaigns.requirements import TEMPLATES
from coordination.campaigns.services import (
    add_target,
    answer_invitation,
    choose_ephemeris_source,
    close_campaign,
    create_campaign,
    invite,
    open_campaign,
    remove_target,
    update_campaign,
)
from coordination.common import clock
from coordination.common.actors import ANONYMOUS, actor_of
from coordination.common.models import Event
from coordination.common.problems import ConflictError, DomainError, ForbiddenError, UnknownError
from observatories.models import Membership, Organisation, User
from targets.models import Target

DAY = dt.timedelta(days=1)
MIDNIGHT = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def person(slug: str, role: str = "scheduler") -> User:
    organisation, _ = Organisation.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    user = User.objects.create_user(f"{role} of {slug}", password="pass-for-tests")
    Membership.objects.create(user=user, organisation=organisation, role=role)
    return user


@pytest.fixture
def lead(db) -> User:
    return person("lead")


@pytest.fixture
def guest(db) -> User:
    return person("guest")


@pytest.fixture
def target(db) -> Target:
    return Target.objects.create(designation="2026 AB1")


def organisation_of(user: User) -> int:
    return user.memberships.get().organisation_id


def make(lead: User, **fields) -> Campaign:
    given = {
        "title": "Ranging", "slug": "ranging", "aim": "The distance.", "kind": "ranging",
        "starts_at": clock.now(), "ends_at": clock.now() + 5 * DAY,
    }  # fmt: skip
    return create_campaign(lead_organisation_id=organisation_of(lead), actor=lead, **given | fields)


@pytest.fixture
def campaign(lead, target) -> Campaign:
    campaign = make(lead)
    add_target(campaign.pk, target.pk, actor=lead)
    return campaign


@pytest.mark.parametrize("kind", list(TEMPLATES))
def test_a_draft_has_the_requirements_of_its_kind(lead, kind):
    campaign = make(lead, kind=kind)
    assert campaign.state == "draft"
    assert {name: getattr(campaign, name) for name in TEMPLATES[kind]} == TEMPLATES[kind]
    assert campaign.history.get().history_user == lead


def test_what_is_said_goes_before_the_template(lead):
    assert make(lead, min_sites=4).min_sites == 4


def test_only_schedulers_and_managers_of_the_lead_create_and_change(lead, guest, campaign):
    with pytest.raises(ForbiddenError):
        make(person("lead", "member"), slug="another")
    with pytest.raises(UnknownError):  # a draft is nothing to a stranger
        update_campaign(campaign.pk, title="Mine", actor=guest)
    invite(campaign.pk, organisation_of(guest), actor=lead)
    with pytest.raises(ForbiddenError):
        update_campaign(campaign.pk, title="Mine", actor=guest)
    assert update_campaign(campaign.pk, title="Ours", actor=person("lead", "manager")).title == "Ours"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"min_sites": 1}, "min_baseline_km"),
        ({"min_covered_fraction": 0.5}, "min_covered_fraction"),
        (
            {"observation_minutes": 1000, "starts_at": clock.now(), "ends_at": clock.now() + DAY / 4},
            "observation_minutes",
        ),
        ({"mode": "relay", "handover_minutes": 30, "observation_minutes": 20}, "handover_minutes"),
        ({"exposure_s": 60.0, "cadence_s": 30.0}, "cadence_s"),
        ({"replacement_lead_hours": 24.0}, "replacement_lead_hours"),
        ({"starts_at": dt.datetime(2026, 11, 24)}, "starts_at"),
        ({"min_baseline_km": float("nan")}, ""),
        ({"slug": "Not a slug"}, "slug"),
        ({"lead_organisation": 1}, "lead_organisation"),
    ],
)
def test_contradictions_are_refused_by_field(lead, fields, field):
    with pytest.raises(DomainError) as refusal:
        make(lead, **fields)
    assert refusal.value.field == field
    assert not Campaign.objects.exists()


def test_an_invitation_is_answered_by_those_invited(lead, guest, campaign):
    invite(campaign.pk, organisation_of(guest), actor=lead)
    with pytest.raises(ForbiddenError):
        answer_invitation(campaign.pk, organisation_of(guest), join=True, actor=lead)
    joined = answer_invitation(campaign.pk, organisation_of(guest), join=True, hour_limit_h=3.0, actor=guest)
    assert (joined.state, joined.hour_limit_h) == ("joined", 3.0)
    left = answer_invitation(campaign.pk, organisation_of(guest), join=False, actor=guest)
    assert left.state == "declined"
    assert invite(campaign.pk, organisation_of(guest), actor=lead).state == "invited"
    with pytest.raises(ConflictError):
        answer_invitation(campaign.pk, organisation_of(lead), join=False, actor=lead)
    kinds = list(Event.objects.filter(kind__startswith="campaign.").order_by("pk").values_list("kind", flat=True))
    assert kinds[-4:] == ["campaign.invited", "campaign.joined", "campaign.declined", "campaign.invited"]


def test_a_campaign_opens_with_a_target_and_within_its_period(lead, campaign, target):
    remove_target(campaign.pk, target.pk, actor=lead)
    with pytest.raises(ConflictError, match="no target"):
        open_campaign(campaign.pk, actor=lead)
    add_target(campaign.pk, target.pk, actor=lead)
    assert open_campaign(campaign.pk, actor=lead).state == "open"
    with pytest.raises(ConflictError, match="is open"):
        open_campaign(campaign.pk, actor=lead)
    assert close_campaign(campaign.pk, actor=lead).state == "closed"
    assert open_campaign(campaign.pk, actor=lead).state == "open"


def test_who_sees_a_campaign(lead, guest, campaign):
    def sees(user: User | None) -> bool:
        actor = ANONYMOUS if user is None else actor_of(user)
        return Campaign.objects.visible_to(actor).filter(pk=campaign.pk).exists()

    assert [sees(user) for user in (lead, guest, None)] == [True, False, False]
    invite(campaign.pk, organisation_of(guest), actor=lead)
    assert sees(guest)
    answer_invitation(campaign.pk, organisation_of(guest), join=False, actor=guest)
    assert not sees(guest)
    open_campaign(campaign.pk, actor=lead)
    assert [sees(user) for user in (lead, guest, None)] == [True, True, True]
    update_campaign(campaign.pk, visibility="participants", actor=lead)
    assert [sees(user) for user in (lead, guest, None)] == [True, False, False]


def test_joined_participants_see_the_confidential_targets_of_a_campaign(lead, guest, campaign, target):
    Target.objects.filter(pk=target.pk).update(visibility="campaign")

    def sees(user: User) -> bool:
        return Target.objects.visible_to(actor_of(user)).filter(pk=target.pk).exists()

    assert (sees(lead), sees(guest)) == (True, False)
    invite(campaign.pk, organisation_of(guest), actor=lead)
    assert not sees(guest)  # an invitation is not yet an agreement
    answer_invitation(campaign.pk, organisation_of(guest), join=True, actor=guest)
    assert sees(guest)


def test_nobody_adds_a_target_that_is_hidden_from_them(lead, campaign):
    hidden = Target.objects.create(designation="P21xyz", visibility="campaign")
    with pytest.raises(DomainError, match="no such target"):
        add_target(campaign.pk, hidden.pk, actor=lead)


def test_where_positions_come_from_is_chosen_by_who_coordinates_an_open_campaign_on_the_target(
    lead, guest, campaign, target
):
    other = Target.objects.create(designation="2026 ZZ9")
    with pytest.raises(ConflictError, match="is draft"):
        choose_ephemeris_source(campaign.pk, target.pk, "horizons", actor=lead)
    open_campaign(campaign.pk, actor=lead)
    with pytest.raises(ForbiddenError):
        choose_ephemeris_source(campaign.pk, target.pk, "horizons", actor=guest)
    with pytest.raises(DomainError, match="does not hold"):
        choose_ephemeris_source(campaign.pk, other.pk, "horizons", actor=lead)
    with pytest.raises(DomainError, match="no source"):
        choose_ephemeris_source(campaign.pk, target.pk, "oracle", actor=lead)
    choose_ephemeris_source(campaign.pk, target.pk, "horizons", actor=lead)
    target.refresh_from_db()
    assert target.ephemeris_source == "horizons"
    event = Event.objects.get(kind="target.updated")
    assert (event.actor, event.payload) == (lead, {"fields": ["ephemeris_source"]})

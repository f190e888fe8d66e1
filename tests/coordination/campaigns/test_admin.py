"""Campaigns in the administration: drafts, targets, invitations, and who sees what of them."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.campaigns.services import add_target, create_campaign, invite, open_campaign
from coordination.common import clock
from observatories.models import Membership, Organisation, User
from targets.models import Designation, Ephemeris, EphemerisComparison, Orbit, Target

DAY = dt.timedelta(days=1)


def address(name: str, *args: object) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=args)


@pytest.fixture
def staff(db):
    """A browser of a person with a role at an organisation."""

    def make(slug: str, role: str = "scheduler") -> Client:
        organisation, _ = Organisation.objects.get_or_create(slug=slug, defaults={"name": f"{slug.title()} Institute"})
        user = User.objects.create_user(f"{role}-of-{slug}", password="pass-for-tests", is_staff=True)
        Membership.objects.create(user=user, organisation=organisation, role=role)
        client = Client()
        client.force_login(user)
        return client

    return make


@pytest.fixture
def lead(staff) -> Client:
    return staff("lead")


@pytest.fixture
def draft(lead) -> Campaign:
    return create_campaign(
        title="Ranging of Apophis", slug="apophis", aim="Its distance.", kind="ranging", starts_at=clock.now(),
        lead_organisation_id=Organisation.objects.get(slug="lead").pk, ends_at=clock.now() + 10 * DAY,
    )  # fmt: skip


def target(designation: str, visibility: str = "public") -> Target:
    row = Target.objects.create(designation=designation, visibility=visibility)
    Designation.objects.create(
        target=row, text=designation, key=designation.replace(" ", "").upper(), kind="provisional"
    )
    return row


def orbit_of(row: Target) -> Orbit:
    return Orbit.objects.create(
        target=row, source="mpc", epoch_tdb_jd=2461000.5, fingerprint="x", e=0.2, a_au=1.4, i_deg=5.0, node_deg=1.0,
        peri_deg=2.0, mean_anomaly_deg=3.0,
    )  # fmt: skip


def organisation_of(slug: str) -> int:
    return Organisation.objects.get(slug=slug).pk


def filled(lead: Client, kind: str, **changes: object) -> dict[str, object]:
    """The form of a new campaign as it comes, with what every campaign needs."""
    initial = lead.get(f"{address('add')}?kind={kind}").context["form"].initial
    given = {name: value for name, value in initial.items() if value is not None}
    return given | {
        "title": "T", "slug": "t", "aim": "A.", "lead_organisation": organisation_of("lead"),
        "starts_at_0": "2027-01-01", "starts_at_1": "00:00", "ends_at_0": "2027-01-08", "ends_at_1": "12:00", **changes,
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "mode", "sites"), [("ranging", "simultaneous", 2), ("light_curve", "relay", 3)])
def test_a_new_campaign_begins_with_what_its_kind_needs(lead, kind, mode, sites):
    chosen = lead.post(address("add"), {"kind": kind})
    assert chosen.url.endswith(f"?kind={kind}")
    lead.post(chosen.url, filled(lead, kind))
    campaign = Campaign.objects.get()
    assert (campaign.mode, campaign.min_sites, campaign.state, campaign.kind) == (mode, sites, "draft", kind)
    assert campaign.starts_at == dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    assert campaign.history.get().history_user.username == "scheduler-of-lead"


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("min_baseline_km", {"min_sites": 1}),
        ("max_gap_minutes", {"max_gap_minutes": 5}),
        ("cadence_s", {"exposure_s": 30, "cadence_s": 10}),
        ("slug", {"slug": "no blanks please"}),
        ("observation_minutes", {"observation_minutes": "nan"}),
    ],
)
def test_requirements_that_contradict_each_other_come_back_at_the_field(lead, field, changes):
    response = lead.post(f"{address('add')}?kind=ranging", filled(lead, "ranging", **changes))
    assert field in response.context["form"].errors
    assert not Campaign.objects.exists()


def test_only_organisations_that_one_schedules_can_lead(lead, staff):
    staff("other")
    given = filled(lead, "ranging", lead_organisation=organisation_of("other"))
    assert "lead_organisation" in lead.post(f"{address('add')}?kind=ranging", given).context["form"].errors


def test_editing_changes_what_was_changed_and_nothing_else(lead, draft):
    form = lead.get(address("edit", draft.pk)).context["form"]
    given = {name: value for name, value in form.initial.items() if value is not None}
    for name in ("starts_at", "ends_at"):
        instant = given.pop(name)
        given |= {f"{name}_0": f"{instant:%Y-%m-%d}", f"{name}_1": f"{instant:%H:%M:%S}"}
    lead.post(address("edit", draft.pk), given | {"observation_minutes": 25})
    draft.refresh_from_db()
    assert draft.observation_minutes == 25
    response = lead.post(address("edit", draft.pk), given | {"min_sites": 1})
    assert "neither baseline nor spread" in str(response.context["form"].errors["min_baseline_km"])
    draft.refresh_from_db()
    assert draft.min_sites == 2


def test_targets_are_offered_under_any_designation_if_one_may_know_of_them(lead, draft):
    public, scout, secret = target("2026 AA1"), target("2026 AA2", "signed_in"), target("2026 AA3", "campaign")
    asked = {"app_label": "campaigns", "model_name": "campaigntarget", "field_name": "target", "term": "2026 AA"}
    offered = lead.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert {each["id"] for each in offered} == {str(public.pk), str(scout.pk)}
    refused = lead.post(address("add_target", draft.pk), {"target": secret.pk})
    assert "target" in refused.context["form"].errors
    lead.post(address("add_target", draft.pk), {"target": scout.pk})
    assert CampaignTarget.objects.get().target == scout
    lead.post(address("remove_target", draft.pk), {"target": scout.pk})
    assert not CampaignTarget.objects.exists()


def test_a_coordinator_chooses_where_positions_of_a_target_come_from_once_the_campaign_is_open(lead, staff, draft):
    held = target("2026 AA1")
    add_target(draft.pk, held.pk)
    assert lead.get(address("choose_positions", draft.pk)).status_code == 403
    open_campaign(draft.pk)
    asked = lead.get(address("choose_positions", draft.pk))
    assert "JPL Horizons" in asked.content.decode()
    other = staff("other")
    assert other.get(address("choose_positions", draft.pk)).status_code == 403
    other.post(address("choose_positions", draft.pk), {"target": held.pk, "source": "horizons"})
    held.refresh_from_db()
    assert held.ephemeris_source == "automatic"
    lead.post(address("choose_positions", draft.pk), {"target": held.pk, "source": "horizons"})
    held.refresh_from_db()
    assert held.ephemeris_source == "horizons"
    EphemerisComparison.objects.create(
        target=held, asked_at=clock.now(), compared_at=clock.now(), solution="JPL#5", difference_arcsec=3.25,
        tolerance_arcsec=1.0, is_within=False,
    )  # fmt: skip
    Ephemeris.objects.create(
        target=held, source="horizons", solution="JPL#5", starts_at=clock.now(), ends_at=clock.now() + DAY,
        earth_orientation="x", engine="x", computed_at=clock.now(), orbit=orbit_of(held),
    )  # fmt: skip
    page = lead.get(address("change", draft.pk)).content.decode()
    assert "taken from JPL Horizons JPL#5; ours differ from Horizons by 3.25 arcsec" in page


def test_targets_that_one_may_not_know_of_do_not_exist(lead, admin_client):
    secret = target("2026 AA3", "campaign")
    for name in ("change", "history"):
        there = reverse(f"admin:targets_target_{name}", args=[secret.pk])
        assert admin_client.get(there).status_code == 200
        assert lead.get(there).status_code in (302, 404)
    listed = reverse("admin:targets_target_changelist")
    assert "2026 AA3" not in lead.get(listed).content.decode()
    public = target("2026 AA1")
    assert "2026 AA1" in lead.get(listed).content.decode()
    there = reverse("admin:targets_target_change", args=[public.pk])
    assert lead.post(there, {"is_marked": "on", "visibility": "campaign"}).status_code == 403


def test_an_invitation_is_answered_by_a_scheduler_of_the_invited(lead, staff, draft):
    guest, member = staff("guest"), staff("guest", "member")
    assert guest.get(address("change", draft.pk)).status_code == 302
    lead.post(address("invite", draft.pk), {"organisation": organisation_of("guest"), "hour_limit_h": "8"})
    assert "Answer invitation" in guest.get(address("change", draft.pk)).content.decode()
    assert "Answer invitation" not in member.get(address("change", draft.pk)).content.decode()
    assert member.get(address("answer_invitation", draft.pk)).status_code == 403
    listed = guest.get(address("changelist"), {"part": "invited"}).content.decode()
    assert "Ranging of Apophis" in listed
    answer = {"organisation": organisation_of("guest"), "answer": "join", "hour_limit_h": "4"}
    assert "organisation" in member.post(address("answer_invitation", draft.pk), answer).context["form"].errors
    guest.post(address("answer_invitation", draft.pk), answer)
    joined = Participation.objects.get(organisation__slug="guest")
    assert (joined.state, joined.hour_limit_h) == ("joined", 4.0)
    assert guest.get(address("invite", draft.pk)).status_code == 403
    guest.post(address("answer_invitation", draft.pk), answer | {"answer": "decline"})
    assert guest.get(address("change", draft.pk)).status_code == 302  # whoever has declined a draft is out again


def test_who_was_asked_is_told_only_among_those_who_were(lead, staff, draft):
    add_target(draft.pk, target("2026 AA1").pk)
    for slug in ("shy", "guest", "stranger"):
        staff(slug)
    for slug in ("shy", "guest"):
        invite(draft.pk, organisation_of(slug))
    lead.post(address("open_campaign", draft.pk))
    clients = {name: Client() for name in ("guest", "stranger")}
    for name, client in clients.items():
        client.force_login(User.objects.get(username=f"scheduler-of-{name}"))
    assert "Shy Institute" in clients["guest"].get(address("change", draft.pk)).content.decode()
    shown = clients["stranger"].get(address("change", draft.pk)).content.decode()
    assert "Shy Institute" not in shown
    assert "Lead Institute" in shown


def test_what_can_be_done_next_is_said_and_offered(lead, draft):
    shown = lead.get(address("change", draft.pk)).content.decode()
    assert "add a target, invite organisations, then open it" in shown
    assert address("open_campaign", draft.pk) not in shown
    refused = lead.post(address("open_campaign", draft.pk))
    assert "has no target yet" in str(refused.context["form"].errors)
    add_target(draft.pk, target("2026 AA1").pk)
    lead.post(address("open_campaign", draft.pk))
    lead.post(address("close_campaign", draft.pk))
    draft.refresh_from_db()
    assert draft.state == "closed"
    lead.post(address("cancel", draft.pk), {"reason": "no time"})
    draft.refresh_from_db()
    assert draft.state == "cancelled"
    assert "actions_detail" in lead.get(address("change", draft.pk)).context
    assert address("edit", draft.pk) not in lead.get(address("change", draft.pk)).content.decode()


def test_an_empty_list_says_how_to_begin(lead):
    assert "A scheduler begins one with Add campaign" in lead.get(address("changelist")).content.decode()

"""How a campaign looks in the API, and what may be said of one."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Prefetch, prefetch_related_objects
from rest_framework import serializers

from coordination.campaigns.models import Campaign, CampaignTarget, Participation
from coordination.campaigns.requirements import TEMPLATES
from coordination.common.actors import Actor
from coordination.common.body import BodySerializer, ChoiceField, InstantField, NumberField, TextField, WholeNumberField
from targets.models import visible_target_q

from ..models import Slot
from .parts import ShortOrganisationSerializer, WindowTargetSerializer


class ParticipationSerializer(serializers.Serializer[Any]):
    organisation = ShortOrganisationSerializer()
    state = serializers.ChoiceField(choices=Participation.State.choices)
    hour_limit_h = serializers.FloatField(
        allow_null=True, help_text="telescope hours it may claim here; told to participants only"
    )


class RequirementsSerializer(serializers.ModelSerializer[Campaign]):
    class Meta:
        model = Campaign
        fields = (
            "mode", "observation_minutes", "observation_count", "min_sites", "min_baseline_km",
            "min_longitude_spread_deg", "min_covered_fraction", "max_gap_minutes", "handover_minutes", "filters",
            "exposure_s", "cadence_s", "astrometric_error_arcsec", "timing_error_s",
        )  # fmt: skip


class DeadlinesSerializer(serializers.ModelSerializer[Campaign]):
    class Meta:
        model = Campaign
        fields = ("claim_lead_hours", "replacement_lead_hours", "time_tolerance_minutes", "field_tolerance_arcsec")


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    lead_organisation = ShortOrganisationSerializer(help_text="whose schedulers and managers coordinate it")
    requirements = RequirementsSerializer(source="*", help_text="what one joint observation needs")
    deadlines = DeadlinesSerializer(source="*", help_text="deadlines and tolerances of its slots")
    targets = WindowTargetSerializer(source="known_targets", many=True, help_text="those that the caller may know of")
    participants = ParticipationSerializer(
        source="known_participations", many=True, help_text="who has joined; for participants also who was invited"
    )
    slots = serializers.DictField(
        child=serializers.IntegerField(), source="slot_counts", help_text="visible slots by state"
    )

    class Meta:
        model = Campaign
        fields = (
            "slug", "title", "kind", "state", "visibility", "aim", "lead_organisation", "starts_at", "ends_at",
            "requirements", "deadlines", "hour_limit_h", "targets", "participants", "slots", "is_demo",
        )  # fmt: skip


def dress_campaigns(campaigns: Sequence[Any], actor: Actor) -> None:
    """Give campaigns what their representation shows beside them, as far as the actor may see it."""
    held = CampaignTarget.objects.filter(visible_target_q(actor, "target__")).select_related("target")
    asked = Participation.objects.select_related("organisation")
    prefetch_related_objects(
        list(campaigns), Prefetch("campaign_targets", held), Prefetch("participations", asked.order_by("pk"))
    )
    slots = Slot.objects.visible_to(actor).filter(campaign__in=[campaign.pk for campaign in campaigns])
    counts: dict[int, dict[str, int]] = defaultdict(dict)
    for campaign_id, state, count in slots.order_by().values_list("campaign_id", "state").annotate(Count("pk")):
        counts[campaign_id][state] = count
    for campaign in campaigns:
        campaign.slot_counts = counts[campaign.pk]
        campaign.known_targets = [each.target for each in campaign.campaign_targets.all()]
        campaign.known_participations = _known(list(campaign.participations.all()), actor)


def _known(participations: list[Participation], actor: Actor) -> list[Participation]:
    """Everybody for those who take part; for others who has joined and themselves, without limits of others."""
    joined = Participation.State.JOINED
    mine = {each for each in participations if each.organisation_id in actor.organisation_ids}
    if actor.sees_everything or any(each.state == joined for each in mine):
        return participations
    known = [each for each in participations if each.state == joined or each in mine]
    for each in known:
        if each not in mine:
            each.hour_limit_h = None
    return known


class CampaignFieldsBody(BodySerializer):
    """What a campaign is for and what it needs; what is left out comes from the template of its kind."""

    title = TextField(max_length=200)
    slug = TextField(max_length=64, help_text="short name for addresses and commands: letters, digits, - and _")
    aim = TextField(max_length=10_000, help_text="what the observations are for")
    starts_at = InstantField(help_text="observations from here")
    ends_at = InstantField(help_text="to here")
    visibility = ChoiceField(Campaign.Visibility.choices, required=False)
    mode = ChoiceField(Campaign.Mode.choices, required=False)
    observation_minutes = WholeNumberField(required=False, min_value=1, max_value=1440)
    observation_count = WholeNumberField(required=False, min_value=1, max_value=1000)
    min_sites = WholeNumberField(required=False, min_value=1, max_value=50)
    min_baseline_km = NumberField(required=False, allow_null=True, min_value=0, max_value=12757)
    min_longitude_spread_deg = NumberField(required=False, allow_null=True, min_value=0, max_value=360)
    min_covered_fraction = NumberField(required=False, allow_null=True, min_value=0, max_value=1)
    max_gap_minutes = WholeNumberField(required=False, allow_null=True, min_value=0, max_value=100_000)
    handover_minutes = WholeNumberField(required=False, min_value=0, max_value=720)
    filters = TextField(required=False, allow_blank=True, max_length=100)
    exposure_s = NumberField(required=False, allow_null=True, min_value=0, max_value=86400)
    cadence_s = NumberField(required=False, allow_null=True, min_value=0, max_value=86400)
    astrometric_error_arcsec = NumberField(required=False, min_value=0, max_value=3600)
    timing_error_s = NumberField(required=False, min_value=0, max_value=3600)
    claim_lead_hours = NumberField(required=False, min_value=0, max_value=8760)
    replacement_lead_hours = NumberField(required=False, min_value=0, max_value=8760)
    time_tolerance_minutes = NumberField(required=False, min_value=0, max_value=1440)
    field_tolerance_arcsec = NumberField(required=False, min_value=0, max_value=648_000)
    hour_limit_h = NumberField(
        required=False, allow_null=True, min_value=0, max_value=1_000_000, help_text="of all organisations together"
    )


class CampaignBody(CampaignFieldsBody):
    lead_organisation = TextField(max_length=64, help_text="short name")
    kind = ChoiceField([(kind, Campaign.Kind(kind).label) for kind in TEMPLATES], help_text="gives the template")

from django.apps import AppConfig

from coordination.common import visibility_filters


class CampaignsConfig(AppConfig):
    name = "coordination.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from coordination.common import concerning

        from .models import Campaign, targets_of_joined_campaigns

        visibility_filters.register("targets.Target", targets_of_joined_campaigns)
        concerning.register("campaign", concerning.subjects(Campaign.objects.visible_to))

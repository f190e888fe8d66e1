from django.apps import AppConfig

from coordination.common import merging, tracking, visibility_filters


class CampaignsConfig(AppConfig):
    name = "coordination.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from coordination.common import concerning

        from .models import Campaign, targets_in_progress, targets_of_joined_campaigns, targets_of_open_campaigns
        from .services.merging import concerned_by, repoint_target

        visibility_filters.register("targets.Target", targets_of_joined_campaigns)
        tracking.register(targets_of_open_campaigns, targets_in_progress)
        merging.register("campaigns", repoint_target, concerned_by)
        concerning.register("campaign", concerning.subjects(Campaign.objects.visible_to))

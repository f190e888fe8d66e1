from django.apps import AppConfig

from coordination.common import visibility_filters


class CampaignsConfig(AppConfig):
    name = "coordination.campaigns"
    label = "campaigns"

    def ready(self) -> None:
        from .models import targets_of_joined_campaigns

        visibility_filters.register("targets.Target", targets_of_joined_campaigns)

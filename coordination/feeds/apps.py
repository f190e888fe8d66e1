from django.apps import AppConfig


class FeedsConfig(AppConfig):
    name = "coordination.feeds"
    label = "feeds"

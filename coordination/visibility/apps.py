from django.apps import AppConfig


class VisibilityConfig(AppConfig):
    name = "coordination.visibility"
    label = "visibility"

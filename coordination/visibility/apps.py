from django.apps import AppConfig


class VisibilityConfig(AppConfig):
    name = "coordination.visibility"
    label = "visibility"

    def ready(self) -> None:
        from coordination.common import following

        from .reacting import plan_what_changed

        following.subscribe("visibility", plan_what_changed)

from django.apps import AppConfig


class VisibilityConfig(AppConfig):
    name = "coordination.visibility"
    label = "visibility"

    def ready(self) -> None:
        from coordination.common import following, merging

        from . import jobs
        from .models import windows_concerned
        from .reacting import plan_what_changed

        merging.register_derived("visibility", windows_concerned)
        following.subscribe("visibility", plan_what_changed)
        jobs.register()

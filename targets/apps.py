from django.apps import AppConfig


class TargetsConfig(AppConfig):
    name = "targets"

    def ready(self) -> None:
        from coordination.common import concerning

        from .models import Target

        concerning.register_target(Target.objects.visible_to)
        concerning.register("target", concerning.subjects(Target.objects.visible_to))

from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "coordination.partners"
    label = "partners"
    verbose_name = "Notices"

    def ready(self) -> None:
        from coordination.common import following

        from .services import notice_people

        following.subscribe("notices", notice_people)

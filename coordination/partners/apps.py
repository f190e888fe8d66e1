from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "coordination.partners"
    label = "partners"
    verbose_name = "Partners"

    def ready(self) -> None:
        from coordination.common import concerning, following, merging

        from .services import notice_people, prepare_deliveries, repoint_notices

        merging.register("partners", repoint_notices)
        following.subscribe("notices", notice_people)
        following.subscribe("webhooks", prepare_deliveries)
        concerning.register("token", concerning.own("organisation"))
        concerning.register("webhook", concerning.own("organisation"))

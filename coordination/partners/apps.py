from django.apps import AppConfig


class PartnersConfig(AppConfig):
    name = "coordination.partners"
    label = "partners"
    verbose_name = "Partners"

    def ready(self) -> None:
        from coordination.common import concerning, following, merging

        from . import jobs
        from .services import notice_people, notices_concerned, prepare_deliveries, repoint_notices

        merging.register("partners", repoint_notices, notices_concerned)
        jobs.register()
        following.subscribe("notices", notice_people)
        following.subscribe("webhooks", prepare_deliveries)
        concerning.register("token", concerning.own("organisation"))
        concerning.register("webhook", concerning.own("organisation"))

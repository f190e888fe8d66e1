from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "coordination.common"
    label = "common"
    verbose_name = "Journal"

    def ready(self) -> None:
        from . import breaker, jobs, retention
        from .providers import fetching

        fetching.register(before=breaker.admit, after=breaker.account)
        retention.register_journal()
        jobs.register("clean_up", "what is old, by the retention rule", retention.clean_up)

from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "coordination.common"
    label = "common"
    verbose_name = "Journal"

    def ready(self) -> None:
        from . import breaker, housekeeping
        from .providers import fetching

        fetching.register(before=breaker.admit, after=breaker.account)
        housekeeping.register()

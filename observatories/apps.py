import datetime as dt

from django.apps import AppConfig


class ObservatoriesConfig(AppConfig):
    name = "observatories"
    verbose_name = "Observatories and people"

    def ready(self) -> None:
        from coordination.common import concerning, sources

        from . import jobs
        from .services import operators_of

        sources.register("obscodes", "Minor Planet Center: observatory codes", dt.timedelta(days=15))
        sources.register("iers", "IERS: rotation of the Earth", dt.timedelta(days=15))
        jobs.register()
        concerning.register("observatory", concerning.everybody)
        concerning.register("invitation", concerning.own("organisation"))
        concerning.register("telescope", concerning.everybody)
        concerning.register("closure", concerning.own(operators=operators_of))

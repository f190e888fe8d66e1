import datetime as dt

from django.apps import AppConfig

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
# Fresh for two runs of the job that asks it, and a little: one run that fails is no alarm.
SOURCES = (
    ("mpc", "Minor Planet Center: catalogue of near-Earth objects", 15 * DAY),
    ("identifier", "Minor Planet Center: identifier of designations", 15 * DAY),
    ("neocp", "Minor Planet Center: confirmation page", 2 * HOUR),
    ("sbdb", "JPL Small-Body Database: orbits", 2 * DAY),
    ("sentry", "JPL Sentry: risk list", 2 * DAY),
    ("cad", "JPL close approaches", 2 * DAY),
    ("scout", "JPL Scout: unconfirmed objects", 2 * HOUR),
    ("horizons", "JPL Horizons: positions to compare with", 2 * DAY),
)


class TargetsConfig(AppConfig):
    name = "targets"

    def ready(self) -> None:
        from coordination.common import concerning, sources

        from . import jobs
        from .models import Target
        from .services import retention

        concerning.register_target(Target.objects.visible_to)
        concerning.register("target", concerning.subjects(Target.objects.visible_to))
        concerning.register("orbit", concerning.subjects(Target.objects.visible_to))
        for name, title, fresh_for in SOURCES:
            sources.register(name, title, fresh_for)
        jobs.register()
        retention.register()

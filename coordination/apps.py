from django.apps import AppConfig


class CoordinationConfig(AppConfig):
    """The project itself. The package's `__init__` stays empty, so that the pure numerics load without Django or
    Celery.
    """

    name = "coordination"

    def ready(self) -> None:
        from . import celery  # noqa: F401  registers the Celery application that `shared_task` binds to

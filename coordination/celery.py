"""The Celery application: `celery -A coordination.celery worker`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")

app = Celery("neo-coordination")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def read_tables(**_: Any) -> None:
    """Read what every process of the pool needs before they are forked: they share it, and none spends a second of its
    first chunk on it.
    """
    from coordination.visibility.engine import observe, quantities, windows  # noqa: F401
    from observatories.sites.earth_orientation import EarthOrientation

    EarthOrientation.from_astropy()

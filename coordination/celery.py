"""The Celery application: `celery -A coordination.celery worker`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings")

app = Celery("neo-coordination")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The project's settings, so that test processes beside each other do not share a Redis database."""

import os

from coordination.settings import *  # noqa: F403
from coordination.settings import CACHES, REDIS_URL

PROVIDERS_OFFLINE = ["all"]  # no test asks a real provider; those of the clients have a simulator
API_RATE_SIGNED_IN = API_RATE_ANONYMOUS = ""  # the tests of limits set their own

_process = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
CELERY_BROKER_URL = f"{REDIS_URL.rpartition('/')[0]}/{int(_process) + 1}"
CACHES = CACHES | {"default": CACHES["default"] | {"LOCATION": CELERY_BROKER_URL}}
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher"
]  # the real one takes a quarter of a second on purpose

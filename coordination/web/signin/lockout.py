"""Lock-out after repeated failure (django-axes): a name at an address, until its time is over or it is unlocked."""

import datetime as dt
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.models import AccessAttempt
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from coordination.common.client_address import client_network


class LockingBackend(AxesStandaloneBackend):
    """Refuses who is locked. What signs in without a request, such as a command, has no address to lock."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **kwargs: Any) -> None:
        if request is not None:
            super().authenticate(request, *args, **kwargs)


def as_answered(request: HttpRequest, response: HttpResponse, credentials: Any = None) -> HttpResponse:
    """The page that asked has said it already: it knows `locked_until`."""
    if response.status_code == 200:
        response.status_code = 429
    return response


def locked_until(request: HttpRequest, username: str) -> dt.datetime | None:
    """Until when a name is locked at the address of a request; None where it is not.

    By the machine's clock, as the attempts are counted, not that of the rehearsal.
    """
    since = timezone.now() - settings.AXES_COOLOFF_TIME
    attempts = AccessAttempt.objects.filter(
        username=username, ip_address=client_network(request), attempt_time__gt=since
    ).order_by("attempt_time")
    rows = list(attempts.values_list("attempt_time", "failures_since_start"))
    left, until = sum(failures for _, failures in rows), None
    for at, failures in rows:  # one for each browser; the first to be forgotten that brings it below the limit
        if left < settings.AXES_FAILURE_LIMIT:
            break
        left, until = left - failures, at + settings.AXES_COOLOFF_TIME
    return until

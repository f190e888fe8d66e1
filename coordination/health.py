"""`/health/`: 200 only if the database, the broker and a worker answer, else 503 with what does not. Beside it how
current each provider is, and how many positions differ from Horizons: no reasons to take the service for broken.
"""

import datetime as dt
import json
from typing import Any

from asgiref.sync import sync_to_async
from django.db import Error as DatabaseError
from django.http import HttpResponse
from health_check.views import HealthCheckView

from coordination.common import sources
from targets.services import comparing


class HealthView(HealthCheckView):
    template_name = "common/health.html"
    checks = (
        "health_check.checks.Database",
        "health_check.checks.Cache",
        ("health_check.contrib.celery.Ping", {"timeout": dt.timedelta(seconds=2), "limit": 1}),
    )

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.statuses, self.differing = await sync_to_async(_alarms)()
        response = await super().dispatch(request, *args, **kwargs)
        if response.status_code == 500:
            response.status_code = 503  # what load balancers understand by "not now"
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "sources": self.statuses, "differing": self.differing}

    def render_to_response_json(self, status: int) -> Any:
        response = super().render_to_response_json(status)
        said: dict[str, Any] = {"sources": {each.source.name: each.as_public() for each in self.statuses}}
        said["ephemerides"] = {"differing": self.differing}
        response.content = json.dumps(json.loads(response.content) | said).encode()
        return response

    def render_to_response_text(self, status: int) -> Any:
        response: HttpResponse = super().render_to_response_text(status)
        for each in self.statuses:
            said = each.as_public()
            told = "stale" if each.is_stale else "fresh"
            response.write(f"source {each.source.name}: {told}, last answer {said['last_success_at'] or 'never'}\n")
        response.write(f"ephemerides that differ from Horizons: {self.differing}\n")
        return response


def _alarms() -> tuple[list[sources.Status], int]:
    """How it stands with each provider, and how many targets differ from Horizons by more than is allowed."""
    try:
        return sources.statuses(), comparing.differing().count()
    except DatabaseError:
        return [], 0  # the check of the database says so

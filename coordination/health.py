"""`/health/`: 200 only if the database, the broker and a worker answer, else 503 with what does not."""

import datetime as dt
from typing import Any

from health_check.views import HealthCheckView


class HealthView(HealthCheckView):
    checks = (
        "health_check.checks.Database",
        "health_check.checks.Cache",
        ("health_check.contrib.celery.Ping", {"timeout": dt.timedelta(seconds=2), "limit": 1}),
    )

    async def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        response = await super().dispatch(request, *args, **kwargs)
        if response.status_code == 500:
            response.status_code = 503  # what load balancers understand by "not now"
        return response

"""What the service takes for now. Domain code asks here, never the system or the database."""

import datetime as dt

from django.conf import settings


def now() -> dt.datetime:
    """Aware UTC. `CLOCK_OFFSET_SECONDS` shifts it, so that a campaign can be rehearsed."""
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=settings.CLOCK_OFFSET_SECONDS)

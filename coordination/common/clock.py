"""What the service takes for now. Domain code asks here, never the system or the database."""

import datetime as dt
from pathlib import Path

from django.conf import settings


def now() -> dt.datetime:
    """Aware UTC. `CLOCK_OFFSET_SECONDS` shifts it, so that a campaign can be rehearsed; `CLOCK_OFFSET_FILE` names a
    file with more seconds, which moves the clocks of all processes while they run.
    """
    seconds = settings.CLOCK_OFFSET_SECONDS
    if settings.CLOCK_OFFSET_FILE:
        seconds += float(Path(settings.CLOCK_OFFSET_FILE).read_text())
    return dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)

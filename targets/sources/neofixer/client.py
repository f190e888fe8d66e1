"""Asking NEOfixer what is worth observing from a site."""

import datetime as dt

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask
from targets.sources.neofixer.parse import PROVIDER, NeofixerList, parse_targets


def fetch_targets(
    site: str, *, most: int | None = None, known_generated_at: dt.datetime | None = None
) -> Fetched[NeofixerList]:
    """The ranking for an observatory code, best first. One older than `known_generated_at` is refused.

    Raises a SourceError.
    """
    params = {"site": site} | ({"num": str(most)} if most is not None else {})

    def parse(body: bytes) -> NeofixerList:
        found = parse_targets(body, site)
        if known_generated_at is not None and found.generated_at < known_generated_at:
            message = f"generated {found.generated_at:%Y-%m-%d %H:%M}, older than the one before"
            raise Nonsense(PROVIDER, message, Wrong.OLDER, body)
        return found

    return fetch(PROVIDER, lambda: ask(PROVIDER, params), parse)

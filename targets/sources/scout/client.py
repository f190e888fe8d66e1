"""Asking JPL's Scout. What it answers is not for the public."""

import datetime as dt

from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.registry import accepted_versions
from coordination.common.providers.transport import ask
from targets.sources.rows import Rows
from targets.sources.scout.parse import PROVIDER, VERSIONS, ScoutDetail, ScoutObject, parse_detail, parse_list


def fetch_list() -> Fetched[Rows[ScoutObject]]:
    """All objects that it follows. Raises a SourceError."""
    return fetch(PROVIDER, lambda: ask(PROVIDER), lambda body: parse_list(body, accepted_versions(PROVIDER, VERSIONS)))


def fetch_detail(designation: str, *, orbits: int = 0, known_run_at: dt.datetime | None = None) -> Fetched[ScoutDetail]:
    """One object, with so many sampled orbits (at most 1000). A run older than `known_run_at` is refused.

    Raises a SourceError: NotFound once it has left the confirmation page.
    """
    params = {"tdes": designation} | ({"orbits": "1", "n-orbits": str(orbits)} if orbits else {})

    def parse(body: bytes) -> ScoutDetail:
        found = parse_detail(body, designation, accepted_versions(PROVIDER, VERSIONS))
        if known_run_at is not None and found.object.run_at < known_run_at:
            message = f"the run is of {found.object.run_at:%Y-%m-%d %H:%M}, older than the one before"
            raise Nonsense(PROVIDER, message, Wrong.OLDER, body)
        return found

    return fetch(PROVIDER, lambda: ask(PROVIDER, params), parse)

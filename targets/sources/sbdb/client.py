"""Asking JPL's Small-Body Database for one object."""

import datetime as dt

from astroquery.jplsbdb import SBDBClass

from coordination.common.providers.astroquery_session import ask_through
from coordination.common.providers.errors import Nonsense, Wrong
from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.registry import accepted_versions
from targets.sources.sbdb.parse import PROVIDER, VERSIONS, SbdbObject, parse_object


def fetch_object(designation: str, *, known_solved_at: dt.datetime | None = None) -> Fetched[SbdbObject]:
    """The object with its orbit, covariance and physical data.

    A solution older than `known_solved_at` is refused. Raises a SourceError: NotFound and Ambiguous among them.
    """

    def parse(body: bytes) -> SbdbObject:
        found = parse_object(body, designation, accepted_versions(PROVIDER, VERSIONS))
        solved_at = found.solution.solved_at
        if known_solved_at is not None and solved_at is not None and solved_at < known_solved_at:
            message = f"the solution of {found.full_name} is of {solved_at:%Y-%m-%d %H:%M}, older than the one before"
            raise Nonsense(PROVIDER, message, Wrong.OLDER, body)
        return found

    service = SBDBClass()
    query = {"alternate_id": True, "full_precision": True, "covariance": "mat", "phys": True, "validity": True}
    return fetch(
        PROVIDER,
        lambda: ask_through(PROVIDER, service, lambda: service.query_async(designation, **query, cache=False)),
        parse,
    )

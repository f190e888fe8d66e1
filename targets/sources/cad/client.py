"""Asking JPL for close approaches."""

import datetime as dt

from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.registry import accepted_versions
from coordination.common.providers.transport import ask
from targets.sources.cad.parse import PROVIDER, VERSIONS, CloseApproach, parse_approaches
from targets.sources.rows import Rows


def fetch_approaches(
    from_date: dt.date, until_date: dt.date, *, within_au: float = 0.05, designation: str = ""
) -> Fetched[Rows[CloseApproach]]:
    """Passages of near-Earth objects by the Earth, of all or of one. Raises a SourceError."""
    params = {"date-min": f"{from_date:%Y-%m-%d}", "date-max": f"{until_date:%Y-%m-%d}", "dist-max": f"{within_au:g}"}
    params |= {"body": "Earth", "sort": "date", "fullname": "true", "diameter": "true"}
    if designation:
        params["des"] = designation
    return fetch(
        PROVIDER,
        lambda: ask(PROVIDER, params),
        lambda body: parse_approaches(body, designation, accepted_versions(PROVIDER, VERSIONS)),
    )

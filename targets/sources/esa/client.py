"""Asking ESA's NEO Coordination Centre for its priority list."""

from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask
from targets.sources.esa.parse import PROVIDER, PriorityEntry, parse_priority_list
from targets.sources.rows import Rows


def fetch_priority_list() -> Fetched[Rows[PriorityEntry]]:
    """The objects whose orbits need observations. Raises a SourceError."""
    return fetch(PROVIDER, lambda: ask(PROVIDER, {"file": "esa_priority_neo_list"}), parse_priority_list)

"""Asking the Minor Planet Center for its confirmation page. What it answers is not for the public."""

from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask
from targets.sources.neocp.parse import PROVIDER, NeocpObject, parse_list
from targets.sources.rows import Rows


def fetch_list() -> Fetched[Rows[NeocpObject]]:
    """The objects on the page. Raises a SourceError."""
    return fetch(PROVIDER, lambda: ask(PROVIDER), parse_list)

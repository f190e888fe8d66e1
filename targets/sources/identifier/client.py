"""Asking the Minor Planet Center which objects designations belong to."""

from collections.abc import Sequence

from coordination.common.providers.fetching import Fetched, fetch
from coordination.common.providers.transport import ask
from targets.sources.identifier.parse import PROVIDER, Identification, parse_identifications

MOST = 100  # texts in one request


def fetch_identifications(texts: Sequence[str]) -> Fetched[dict[str, Identification]]:
    """What each of at most `MOST` texts means. Raises a SourceError; ValueError for more texts."""
    if not 0 < len(texts) <= MOST:
        raise ValueError(f"{len(texts)} texts: expected 1 to {MOST}")
    return fetch(
        PROVIDER, lambda: ask(PROVIDER, json={"ids": list(texts)}), lambda body: parse_identifications(body, texts)
    )
